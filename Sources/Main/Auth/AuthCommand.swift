internal import ArgumentParser
internal import DeviceFlow
internal import FoundationEssentials
internal import ProxyServer
internal import SentryClient
internal import System
internal import TokenStore

struct AuthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "auth", abstract: "Signs in to Sentry, and shows which token is used.",
        subcommands: [
            AuthLogin.self, AuthLogout.self, AuthRefresh.self, AuthStatus.self, AuthToken.self, AuthInitDB.self,
        ])
}

/// The flags that all `auth` commands have.
struct AuthOptions: ParsableArguments {
    @Option(
        name: [.customLong("url"), .customLong("sentry-uri")],
        help: "The upstream's base; --sentry-uri is a synonym. [SENTRY_URI; http://sentry-web:9000]")
    var url: String?
    @Option(help: "The folder of stored logins, or the word postgres. [STATE_DIR; $XDG_STATE_HOME/sentry-api-proxy]")
    var stateDir: String?
    @Option(help: "PostgreSQL connection string, for the system token and --state-dir postgres. [PGX_CONN]")
    var pgxConn: String?
    @Option(help: "Trust anchors for https, in PEM form. [CA_FILE; the system's]")
    var caFile: String?
    @Option(help: "Client certificate for https, in PEM form. [CLIENT_CERT]")
    var clientCert: String?
    @Option(help: "The client certificate's key. [CLIENT_KEY]")
    var clientKey: String?
    @Flag(help: "Accept any certificate of the upstream. [INSECURE_SKIP_VERIFY]")
    var insecureSkipVerify = false
    @OptionGroup var upstreamProxy: UpstreamProxyOptions
    @Flag(help: "Print the result as JSON.")
    var json = false
}

/// What the flags and variables come to.
struct AuthContext {
    let uri: SentryURI
    let client: UpstreamClient
    let connection: ConnectionString
    private let options: AuthOptions

    /// For the wait for another process that changes the logins.
    static let lock: Duration = .seconds(10)

    init(_ options: AuthOptions) throws(Failure) {
        self.options = options
        uri = try ServePlan.upstream(options.url, flag: "--url").uri
        client = UpstreamClient(
            uri,
            try TLSSettings.client(
                caFile: options.caFile, certificate: options.clientCert, key: options.clientKey,
                skipsVerify: options.insecureSkipVerify, uri),
            try UpstreamProxySettings.load(options.upstreamProxy, uri))
        connection = try ServePlan.connection(options.pgxConn)
    }

    var origin: String { uri.origin }

    /// The store, or nil when none can be named.
    func storeIfAny() -> (any LoginStore)? {
        LoginStoreSetting(options.stateDir).store(connection)
    }

    func store() throws(Failure) -> any LoginStore {
        guard let store = storeIfAny() else {
            throw Failure(
                .configuration, "--state-dir: name a folder for stored logins; neither XDG_STATE_HOME nor HOME is set")
        }
        return store
    }

    func stored(_ store: any LoginStore) throws(Failure) -> [String: Login] {
        do throws(LoginStoreError) {
            return try store.read().document.logins
        } catch {
            throw Failure(error, store)
        }
    }

    /// Changes the login of this upstream, with other processes kept out.
    func change<R>(_ store: any LoginStore, _ body: (inout Login?) -> R) throws(Failure) -> R {
        let deadline = Clock.now + Self.lock
        do throws(LoginStoreError) {
            return try store.change(origin, deadline: deadline, body).0
        } catch {
            throw Failure(error, store)
        }
    }

    /// Finds out whether a login could be stored; leaves at most an empty folder behind.
    func checkWritable(_ store: any LoginStore) throws(Failure) {
        let deadline = Clock.now + Self.lock
        do throws(LoginStoreError) {
            try store.checkWritable(origin, deadline: deadline)
        } catch {
            throw Failure(error, store)
        }
    }

    /// Prints `value` as JSON, or the lines for people.
    func report(_ value: some Encodable, _ lines: [String]) {
        guard options.json else {
            for line in lines { print(line) }
            return
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        // Strings, numbers and arrays of them: nothing that JSON cannot hold.
        if let data = try? encoder.encode(value) { print(String(decoding: data, as: UTF8.self)) }
    }
}

/// Milliseconds since 1970 as RFC 3339 writes them.
func dateText(_ milliseconds: Int64) -> String {
    Date(timeIntervalSince1970: Double(milliseconds / 1_000)).formatted(.iso8601)
}

extension ParsableCommand {
    /// Runs `body`; a failure is one line and an exit status.
    func ending(_ body: () throws(Failure) -> Void) {
        do throws(Failure) {
            try body()
        } catch {
            error.exitProcess()
        }
    }
}

// MARK: - Small commands

struct AuthLogout: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout", abstract: "Forgets the login of this upstream. It is not revoked at Sentry.")

    @OptionGroup var options: AuthOptions

    private struct Report: Encodable {
        let origin: String
        let removed: Bool
    }

    func run() {
        ending { () throws(Failure) in
            let context = try AuthContext(options)
            let store = try context.store()
            // Looked at first, so that nothing is made where there is nothing to forget.
            var wasThere = try context.stored(store)[context.origin] != nil
            if wasThere {
                wasThere = try context.change(store) { login in
                    defer { login = nil }
                    return login != nil
                }
            }
            context.report(
                Report(origin: context.origin, removed: wasThere),
                [wasThere ? "Signed out of \(context.origin)." : "There was no login for \(context.origin)."])
        }
    }
}

struct AuthInitDB: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init-db",
        abstract: "Creates the tables of logins and grants in PostgreSQL, for --state-dir postgres.")

    @OptionGroup var options: AuthOptions

    private struct Report: Encodable {
        let table: String
    }

    func run() {
        ending { () throws(Failure) in
            let context = try AuthContext(options)
            let store = PostgresLoginStore(connectionString: context.connection)
            do throws(LoginStoreError) {
                try store.createTable()
            } catch {
                throw Failure(error, store)
            }
            do throws(DeviceStoreFailure) {
                try PostgresDeviceStore(context.connection).createTables()
            } catch {
                throw Failure(.unavailable, error.message)
            }
            context.report(
                Report(table: PostgresLoginStore.table), ["The table \(PostgresLoginStore.table) is there."])
        }
    }
}

struct AuthRefresh: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refresh", abstract: "Refreshes the stored login now, even if it is not due.")

    @OptionGroup var options: AuthOptions

    private struct Report: Encodable {
        let origin: String
        let expiresAt: String?
    }

    func run() {
        ending { () throws(Failure) in
            let context = try AuthContext(options)
            let store = try context.store()
            guard let login = try context.stored(store)[context.origin] else {
                throw Failure(
                    .configuration,
                    "there is no login for \(context.origin): sign in with `sentry-api-proxy auth login`")
            }
            guard login.refreshToken != nil, login.clientID != nil else {
                throw Failure(
                    .configuration, "the login for \(context.origin) has no refresh token: it was stored with --token")
            }
            let refreshed = try Self.refresh(context, store, login)
            context.report(
                Report(origin: context.origin, expiresAt: refreshed.expiresAt.map(dateText)),
                [
                    "Refreshed the login for \(context.origin)"
                        + (refreshed.expiresAt.map { ", good until \(dateText($0))." } ?? ".")
                ])
        }
    }

    static func refresh(_ context: AuthContext, _ store: any LoginStore, _ login: Login) throws(Failure) -> Login {
        let refresher = LoginRefresher(store: store, upstream: context.origin, client: context.client.oauth)
        let deadline = Clock.now + AuthContext.lock
        let outcome: Result<Login, TokenSourceError>
        do throws(LoginStoreError) {
            // One that another process refreshed meanwhile is as good.
            outcome = try refresher.refresh(deadline: deadline) { stored in
                stored.accessToken == login.accessToken ? .refresh : .none
            }.0
        } catch {
            throw Failure(error, store)
        }
        do throws(TokenSourceError) {
            return try outcome.get()
        } catch {
            throw Failure(error == .loginUnavailable ? .unavailable : .noPermission, error.logMessage)
        }
    }
}
