internal import CPostgres
internal import Glibc
internal import System

/// Makes a connection: every address of every host in turn, each with its share of the time that is left, the one that
/// answered last before the others.
///
/// libpq would spend all of it on the first address that swallows packets, since `PQconnectPoll` goes on to the next
/// only when a connection fails; and it looks names up without a deadline. So it gets one numeric address at a time.
struct PostgresDialer {
    let string: ConnectionString
    let route: PostgresRoute
    /// On the monotonic clock, for all of it.
    let deadline: Instant

    /// - Returns: the connection, and its place for messages.
    func connect() throws(PostgresFailure) -> (connection: OpaquePointer, place: String) {
        if let problem = string.problem {
            let isAboutUser = Libpq.isAboutUser(problem)
            throw PostgresFailure(
                .badConnectionString, isAboutUser ? "no user name: set user= or PGUSER (\(problem))" : problem)
        }
        guard string.targetSessionAttributes == "prefer-standby" else {
            return try connect(string.targetSessionAttributes, remembers: true, until: deadline)
        }
        // libpq, target_session_attrs: first all hosts for a standby, then again for any.
        let now = Clock.now
        do throws(PostgresFailure) {
            return try connect("standby", remembers: true, until: now + (deadline - min(now, deadline)) / 2)
        } catch {
            guard !error.isFinal else { throw error }
            return try connect("any", remembers: false, until: deadline)
        }
    }

    private func connect(
        _ attributes: String, remembers: Bool, until deadline: Instant
    ) throws(PostgresFailure) -> (connection: OpaquePointer, place: String) {
        var failures: [PostgresFailure] = []
        let good = route.good(at: Clock.now)

        func attempt(_ endpoint: PostgresEndpoint, _ end: Instant) throws(PostgresFailure) -> OpaquePointer? {
            do throws(PostgresFailure) {
                let connection = try dial(endpoint, attributes, until: end)
                if remembers { route.remember(endpoint, at: Clock.now) }
                return connection
            } catch {
                guard !error.isFinal else { throw error }
                failures.append(error)
                return nil
            }
        }

        if let good {
            if let connection = try attempt(good, share(of: string.hosts.count + 1, until: deadline)) {
                return (connection, good.place)
            }
            route.forget()
        }
        for (index, host) in string.hosts.enumerated() {
            let hostsLeft = string.hosts.count - index
            let endpoints: [PostgresEndpoint]
            do throws(PostgresFailure) {
                endpoints = try self.endpoints(host, until: share(of: hostsLeft, until: deadline))
            } catch {
                failures.append(error)
                continue
            }
            let untried = endpoints.filter { $0 != good }
            for (number, endpoint) in untried.enumerated() {
                let left = untried.count - number + hostsLeft - 1
                if let connection = try attempt(endpoint, share(of: left, until: deadline)) {
                    return (connection, endpoint.place)
                }
            }
        }
        throw Self.sum(failures)
    }

    /// The end of one of `count` equal parts of the time that is left; `connect_timeout` may end it sooner.
    private func share(of count: Int, until deadline: Instant) -> Instant {
        let now = Clock.now
        let end = now + (deadline - now) / max(count, 1)
        guard let seconds = string.connectTimeoutSeconds else { return end }
        return min(end, now + .seconds(min(seconds, 86_400)))
    }

    private func endpoints(_ host: ConnectionString.Host, until end: Instant) throws(PostgresFailure)
        -> [PostgresEndpoint]
    {
        if !host.address.isEmpty { return [PostgresEndpoint(host: host, address: host.address)] }
        if host.isSocket { return [PostgresEndpoint(host: host, address: nil)] }
        if NumericAddress.isOne(Array(host.name.utf8)) { return [PostgresEndpoint(host: host, address: host.name)] }
        switch route.lookUps.addresses(of: host.name, until: end) {
        case nil: throw PostgresFailure(.timeout, "host '\(host.name)': its name could not be looked up in time")
        case .failure(let words)?: throw PostgresFailure(.unreachable, "host '\(host.name)': \(words)")
        case .addresses(let addresses)?: return addresses.map { PostgresEndpoint(host: host, address: $0) }
        }
    }

    private func dial(
        _ endpoint: PostgresEndpoint, _ attributes: String, until end: Instant
    ) throws(PostgresFailure) -> OpaquePointer {
        guard let connection = Libpq.start(keywords(endpoint, attributes)) else {
            throw PostgresFailure(.other(sqlState: "?????"), "out of memory")
        }
        var isConnected = false
        defer { if !isConnected { PQfinish(connection) } }
        // The SQLSTATE of an error while connecting can be had from the text alone, and stands there only in this mode.
        PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)
        PQsetNoticeProcessor(connection, { _, _ in }, nil)
        if PQstatus(connection) == CONNECTION_BAD { throw failure(connection, endpoint) }
        // libpq-connect: after PQconnectStart, act as if PQconnectPoll had returned PGRES_POLLING_WRITING.
        var next = PGRES_POLLING_WRITING
        while true {
            switch next {
            case PGRES_POLLING_OK:
                PQsetnonblocking(connection, 1)
                isConnected = true
                return connection
            case PGRES_POLLING_READING, PGRES_POLLING_WRITING:
                let events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT
                guard waitForSocket(PQsocket(connection), events, until: end) else {
                    throw PostgresFailure(.timeout, "\(endpoint.place): no answer to the connection in time")
                }
            default:
                throw failure(connection, endpoint)
            }
            next = PQconnectPoll(connection)
        }
    }

    private func keywords(_ endpoint: PostgresEndpoint, _ attributes: String) -> [(name: String, value: Secret)] {
        let own = ["host", "hostaddr", "port", "target_session_attrs"]
        var keywords = string.keywords.filter { !own.contains($0.name) }
        func set(_ name: String, _ value: String) {
            keywords.removeAll { $0.name == name }
            if !value.isEmpty { keywords.append((name, Secret(Array(value.utf8)))) }
        }
        set("host", endpoint.host.name)
        set("hostaddr", endpoint.address ?? "")
        set("port", endpoint.host.port)
        set("target_session_attrs", attributes)
        if PostgresFiles.passfileProblem(string) != nil { set("passfile", Libpq.noPassfile) }
        if let root = PostgresFiles.systemRoots(string) { set("sslrootcert", root) }
        // A host that died without a word is found out while a query is still waiting.
        for (name, value) in [("keepalives_idle", "15"), ("keepalives_interval", "5"), ("keepalives_count", "3")]
        where (string.effective[name] ?? "").isEmpty {
            set(name, value)
        }
        return keywords
    }

    private func failure(_ connection: OpaquePointer, _ endpoint: PostgresEndpoint) -> PostgresFailure {
        let text = string.withoutPassword(PQerrorMessage(connection).map { String(cString: $0) } ?? "")
        return PostgresMessage.failure(
            connecting: text, to: endpoint.place, needsPassword: PQconnectionNeedsPassword(connection) == 1,
            passfileProblem: PostgresFiles.passfileProblem(string))
    }

    /// One failure for all addresses: of the kind that tells most, with everybody's words.
    private static func sum(_ failures: [PostgresFailure]) -> PostgresFailure {
        guard failures.count != 1 else { return failures[0] }
        let telling = failures.first { $0.error.kind != .unreachable && $0.error.kind != .timeout }
        let kind =
            telling?.error.kind ?? (failures.allSatisfy { $0.error.kind == .unreachable } ? .unreachable : .timeout)
        var words: [String] = []
        for failure in failures where !words.contains(failure.error.words) { words.append(failure.error.words) }
        let more = words.count > 4 ? "; and \(words.count - 4) more addresses" : ""
        return PostgresFailure(kind, words.prefix(4).joined(separator: "; ") + more)
    }
}

/// Files that libpq would look for.
enum PostgresFiles {
    /// Why the passfile is not used, as libpq judges it; nil when it is used, not there or not needed.
    static func passfileProblem(_ string: ConnectionString) -> String? {
        guard string.password == nil else { return nil }
        let named = string.effective["passfile"] ?? getenv("PGPASSFILE").map { String(cString: $0) }
        guard let path = named ?? home.map({ $0 + "/.pgpass" }) else { return nil }
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        guard status.st_mode & S_IFMT == S_IFREG else {
            return "passfile '\(path)' is not used: it is not a plain file"
        }
        guard status.st_mode & (S_IRWXG | S_IRWXO) != 0 else { return nil }
        let mode = String(status.st_mode & 0o7777, radix: 8)
        return
            "passfile '\(path)' is not used: users other than its owner can access it (mode 0\(mode)); fix it with: chmod 600 '\(path)'"
    }

    /// pgx checks a server against the system's authorities when no root file is named or at its usual place; libpq 15
    /// would refuse to connect.
    static func systemRoots(_ string: ConnectionString) -> String? {
        guard ["verify-ca", "verify-full"].contains(string.effective["sslmode"] ?? ""),
            (string.effective["sslrootcert"] ?? "").isEmpty,
            home.map({ access($0 + "/.postgresql/root.crt", F_OK) != 0 }) ?? true
        else { return nil }
        return [
            "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
            "/etc/ssl/cert.pem",
        ].first { access($0, R_OK) == 0 }
    }

    /// Asked once: getpwuid(3) is not for several threads.
    private static let home: String? = {
        if let home = getenv("HOME").map({ String(cString: $0) }), !home.isEmpty { return home }
        return getpwuid(geteuid()).map { String(cString: $0.pointee.pw_dir) }
    }()
}

/// - Returns: false when the deadline passed first.
func waitForSocket(_ socket: CInt, _ events: CInt, until end: Instant) -> Bool {
    // An error of poll(2) itself is libpq's to find at the next call.
    (try? waitUntilReady(socket, for: events, until: end)) ?? true
}
