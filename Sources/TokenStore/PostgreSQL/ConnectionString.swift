internal import CPostgres
internal import Glibc

/// How pgx was told to run queries. Sentry's token is read with one simple query (`PQsendQuery`) whatever the mode is:
///
/// | `default_query_exec_mode` | what pgx does | here |
/// |---|---|---|
/// | `cache_statement` (its default) | prepares, and keeps the named statement | simple query; nothing is prepared, so there is nothing to keep |
/// | `cache_describe` | describes with the unnamed statement, keeps that | the same |
/// | `describe_exec` | describes on every execution | the same |
/// | `exec` | extended protocol, one round trip, no description | the same |
/// | `simple_protocol` | simple query | the same |
///
/// The first two only make repeated queries faster, the last two exist for poolers such as PgBouncer in transaction
/// mode. One query without parameters on a fresh connection meets what each of them promises.
package enum QueryExecMode: String, Sendable, CaseIterable {
    case cacheStatement = "cache_statement"
    case cacheDescribe = "cache_describe"
    case describeExec = "describe_exec"
    case exec
    case simpleProtocol = "simple_protocol"
}

/// A PostgreSQL connection string, read by the rules of pgx v4 and handed to libpq as keywords. What libpq adds
/// (variables, service file, defaults) is known as well. Holds a password, perhaps: never prints.
package struct ConnectionString: Sendable {
    /// What is connected to, in the order in which they are tried; a host without a name is libpq's default socket.
    struct Host: Sendable, Equatable {
        let name: String
        /// `hostaddr`: then the name is not looked up.
        let address: String
        let port: String

        var isSocket: Bool { address.isEmpty && (name.isEmpty || name.hasPrefix("/") || name.hasPrefix("@")) }
    }

    /// What libpq gets, each name once. Variables, service file and passfile are libpq's own business.
    let keywords: [(name: String, value: Secret)]
    let hosts: [Host]
    /// `connect_timeout` for each address, as in pgx; nil is no limit.
    let connectTimeoutSeconds: UInt64?
    let targetSessionAttributes: String
    /// Every value in effect, passwords left out.
    let effective: [String: String]
    /// The password in effect, unless it is in a passfile.
    let password: Secret?
    /// What libpq says before it connects; for a string that was not given, since the proxy may not need it.
    let problem: String?

    /// What a message calls the source of these settings; nil when nothing is configured.
    package let source: String?
    package let execMode: QueryExecMode
    /// pgx's other parameters that were there: taken out and without effect, since there is no pool and no cache.
    package let ignored: [String]
    /// What libpq alone would have read in another way; each one line without a value.
    package let notes: [String]

    /// Takes the URL form, the key=value form, or nothing at all: then libpq's `PG*` variables, service file and
    /// passfile say everything.
    /// - Parameter origin: the flag or variable that gave it.
    package init(_ text: String, origin: String? = nil) throws(ConnectionStringError) {
        if let missing = Libpq.missing { throw .noLibpq(missing) }
        var bytes = Array(text.utf8)
        defer { wipe(&bytes) }
        guard !bytes.contains(0) else { throw .syntax("it contains a NUL byte") }
        let isURL = URLForm.begins(bytes)
        var parsed = try isURL ? URLForm.parse(bytes) : KeyValueForm.parse(bytes)
        var sorted = try Self.sorted(parsed.parameters, isURL: isURL)
        if sorted.libpqKnowsByItsOwnMeaning { parsed.note("tcp_user_timeout is the server's setting") }
        try Self.checkHostNames(sorted.keywords)
        Self.completeOptions(&sorted)

        source = text.isEmpty ? Self.variables : origin ?? "connection string"
        keywords = sorted.keywords.map { ($0.name, Secret($0.value)) }
        execMode = sorted.mode
        ignored = sorted.ignored
        notes = parsed.notes
        let found = Libpq.effective(keywords)
        if let problem = found.problem {
            guard text.isEmpty || Libpq.isAboutUser(problem) else { throw .refusedByLibpq(problem) }
            self.problem = problem
        } else {
            problem = nil
        }
        effective = found.values
        password = found.password
        hosts = Self.hosts(effective)
        connectTimeoutSeconds = effective["connect_timeout"].flatMap { UInt64($0) }.flatMap { $0 > 0 ? $0 : nil }
        targetSessionAttributes = effective["target_session_attrs"].flatMap { $0.isEmpty ? nil : $0 } ?? "any"
    }

    /// Unsets the `PG*` variables that are set but empty: libpq takes some of them for a value, pgx for none. To be called
    /// before other threads run.
    package static func forgetEmptyVariables() {
        guard Libpq.missing == nil else { return }
        for name in Libpq.variables where getenv(name).map({ $0.pointee == 0 }) ?? false { unsetenv(name) }
    }

    /// Why the passfile is not used, if there is a reason; what libpq would write to standard error itself.
    package var passfileProblem: String? { PostgresFiles.passfileProblem(self) }

    /// `text` without the password, should a server have sent it back; a very short one cannot be told from the rest.
    func withoutPassword(_ text: String) -> String {
        guard let password, password.count >= 4 else { return text }
        let bytes = Array(text.utf8)
        var kept: [UInt8] = []
        password.withBytes { secret in
            var index = 0
            while index < bytes.count {
                var length = 0
                while length < secret.count, index + length < bytes.count, bytes[index + length] == secret[length] {
                    length += 1
                }
                if length == secret.count {
                    kept.append(contentsOf: "…".utf8)
                    index += length
                } else {
                    kept.append(bytes[index])
                    index += 1
                }
            }
        }
        return String(decoding: kept, as: UTF8.self)
    }

    /// For the source, when libpq's variables say anything about where to connect to.
    private static var variables: String? {
        let telling = [
            "PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGPASSFILE",
        ]
        return telling.contains { getenv($0) != nil } ? "PG* variables" : nil
    }

    // MARK: - Reading

    private struct Sorted {
        var keywords: [(name: String, value: [UInt8])] = []
        /// Settings of the server, for `options`.
        var settings: [[UInt8]] = []
        var mode = QueryExecMode.cacheStatement
        var ignored: [String] = []
        var libpqKnowsByItsOwnMeaning = false
    }

    private static func sorted(
        _ parameters: [ConnectionParameter], isURL: Bool
    ) throws(ConnectionStringError) -> Sorted {
        var sorted = Sorted()
        for parameter in parameters {
            let name = parameter.name
            // Empty is unset, but a name that nobody knows is refused all the same.
            if parameter.value.isEmpty, isKnown(name) { continue }
            let value = String(decoding: parameter.value, as: UTF8.self)
            if let kind = PgxParameters.table[name] {
                guard kind.accepts(value) else { throw .badValue(name: name, expected: kind.expected) }
                switch kind {
                case .execMode: sorted.mode = QueryExecMode(rawValue: value) ?? sorted.mode
                default: sorted.ignored.append(name)
                }
            } else if name != "application_name", name != "client_encoding", ServerSettings.contains(name),
                // A name with a dot may be any extension's, and a piece of a password as well.
                !(parameter.mayBePassword && name.contains("."))
            {
                sorted.settings.append(ServerSettings.asOption(name, parameter.value))
                if Libpq.keywords.contains(name) { sorted.libpqKnowsByItsOwnMeaning = true }
            } else if Libpq.keywords.contains(name) {
                if let rule = LibpqValues.table[name], !rule.accepts(value) {
                    throw .badValue(name: name, expected: rule.expected)
                }
                sorted.keywords.append((name, parameter.value))
            } else if isURL, name == "ssl" {
                // As libpq reads it; with pgx no server would take it.
                guard value == "true" else { throw .badValue(name: name, expected: "true; better write sslmode") }
                if !parameters.contains(where: { $0.name == "sslmode" }) {
                    sorted.keywords.append(("sslmode", Array("require".utf8)))
                }
            } else if parameter.mayBePassword {
                throw .unknownAfterPassword(item: parameter.item)
            } else {
                throw .unknownParameter(name: printable(name), hint: PgxParameters.hint(name))
            }
        }
        return sorted
    }

    private static func isKnown(_ name: String) -> Bool {
        PgxParameters.table[name] != nil || Libpq.keywords.contains(name) || ServerSettings.contains(name)
    }

    private static func checkHostNames(_ keywords: [(name: String, value: [UInt8])]) throws(ConnectionStringError) {
        guard let hosts = keywords.first(where: { $0.name == "host" })?.value else { return }
        let names = hosts.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard !names.contains(where: \.isEmpty) else {
            throw .badValue(name: "host", expected: "no empty name in its list")
        }
    }

    private static func completeOptions(_ sorted: inout Sorted) {
        guard !sorted.settings.isEmpty else { return }
        var options = sorted.settings
        if let index = sorted.keywords.firstIndex(where: { $0.name == "options" }) {
            options.insert(sorted.keywords.remove(at: index).value, at: 0)
        }
        sorted.keywords.append(("options", Array(options.joined(separator: [0x20]))))
    }

    private static func hosts(_ effective: [String: String]) -> [Host] {
        func list(_ name: String) -> [String] {
            (effective[name] ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        let names = list("host")
        let addresses = list("hostaddr")
        let ports = list("port")
        // One port holds for all; libpq has checked that the counts agree.
        return (0..<max(names.count, addresses.count, 1)).map { index in
            let port = ports.count == 1 ? ports[0] : index < ports.count ? ports[index] : ""
            return Host(
                name: index < names.count ? names[index] : "", address: index < addresses.count ? addresses[index] : "",
                port: port.isEmpty ? "5432" : port)
        }
    }
}

/// Why a connection string is refused. Names parameters, never values: a password may be among them.
package enum ConnectionStringError: Error, Sendable, Equatable {
    case unknownParameter(name: String, hint: String?)
    /// Its name may be a piece of the password before it.
    case unknownAfterPassword(item: Int)
    case notAPair(item: Int, followsPassword: Bool)
    case badValue(name: String, expected: String)
    /// The part before a URL's `@`.
    case malformedUser
    /// A URL's hosts and ports, or a password that is taken for them.
    case malformedHost
    case syntax(String)
    /// libpq's own words, without what it quotes.
    case refusedByLibpq(String)
    /// The dynamic loader's words.
    case noLibpq(String)

    /// One line, to follow the flag's name.
    package var message: String {
        let quote = "a value with blanks needs quotes: password='…'"
        return switch self {
        case .unknownParameter(let name, let hint):
            "unknown parameter '\(name)'"
                + (hint.map { "; \($0)" } ?? "; expected a parameter of libpq, pgx or the server")
        case .unknownAfterPassword(let item):
            "item \(item) is an unknown parameter, or belongs to the password before it; \(quote)"
        case .notAPair(let item, let followsPassword):
            "not a connection string: expected name=value, but item \(item) is none"
                + (followsPassword ? "; \(quote)" : "")
        case .badValue(let name, let expected): "parameter '\(name)': expected \(expected)"
        case .malformedUser:
            "the URL's user part is malformed: write what is special in user and password percent-encoded, such as %40 for @, %2F for /, %23 for # and %3F for ?"
        case .malformedHost:
            "the URL's host or port is malformed, or its user part contains a character that must be percent-encoded, such as %2F for / or %3F for ?"
        case .syntax(let what): "not a connection string: \(what)"
        case .refusedByLibpq(let message): message
        case .noLibpq(let reason): "PostgreSQL's client library cannot be loaded: \(reason)"
        }
    }
}

/// libpq puts the offending piece between double quotes, and that piece may be a password: one line, quotes emptied.
func withoutQuotedText(_ message: String) -> String {
    let line = message.prefix { $0 != "\n" }
    guard let first = line.firstIndex(of: "\""), let last = line.lastIndex(of: "\""), first < last else {
        return String(line)
    }
    return String(line[...first]) + "…" + String(line[last...])
}
