internal import AccessPolicy
internal import Glibc
internal import HTTP1
internal import ProxyServer
internal import SentryClient
internal import System
internal import TokenStore

/// All that `serve` was told, checked before anything is started.
struct ServePlan {
    let listen: Given
    let listenAddress: ListenAddress
    let admin: AdminAddress
    let uri: SentryURI
    let uriName: String
    /// Neither flag nor variable names it.
    let isUpstreamDefault: Bool
    let token: TokenPrecedence
    /// Nil when nothing asks for PostgreSQL: then libpq is not loaded either.
    let connection: ConnectionString?
    let loginStore: (any LoginStore)?
    let upstreamProxy: UpstreamProxySettings?
    /// For the calls that the program itself makes.
    let client: UpstreamClient
    let aliases: AliasSettings
    /// Nil when it is off.
    let device: DeviceSettings?
    let security: SecuritySettings
    /// Files whose changes are picked up without a signal; the token file is watched by its own source.
    let watchedFiles: [String]
    let threads: Int
    let backlog: Int
    let headLimits: HeadLimits
    let answerFields: Int
    let timeouts: Timeouts
    let maxBody: UInt64?
    let maxRequests: Int?
    let replayBuffer: Int
    let bodies: BodySettings
    let routes: RouteSettings
    let drainTimeout: Duration
    let drainDelay: Duration
    let encoding: UpstreamEncoding
    let publicURL: PublicURL?
    let tls: TLSSettings
    let clientAddress: ClientAddressSettings
    let ready: ReadySettings
    let accessLog: AccessLogMode
    let accessLogSample: Int
    let logFormat: LogFormat
    let logLevel: LogLevel

    init(_ options: ServeOptions) throws(Failure) {
        let listenSetting = Setting("--listen", "LISTEN")
        listen = listenSetting.given(options.listen) ?? Given(value: "0.0.0.0:8080", name: "--listen", status: .usage)
        guard let address = ListenAddress(listen.value) else {
            throw Failure(
                listen.status,
                "\(listen.name): \(ListenAddress.complaint(listen.value, forms: "addr:port, :port, [v6]:port or unix:PATH"))"
            )
        }
        listenAddress = address

        admin = try AdminAddress(flag: options.adminListen)
        (uri, uriName) = try Self.upstream(options.sentryUri, flag: "--sentry-uri")
        isUpstreamDefault = Setting("--sentry-uri", "SENTRY_URI").given(options.sentryUri) == nil
        let logins = LoginStoreSetting(options.stateDir)
        // What is given must be right even when nothing comes of it.
        let isAsked = logins.isPostgres || Setting("--pgx-conn", "PGX_CONN").given(options.pgxConn) != nil
        var connection = isAsked ? try Self.connection(options.pgxConn) : nil
        loginStore = logins.store(connection)
        token = try Self.token(
            tokenFlag: options.token, tokenFileFlag: options.tokenFile, store: loginStore, origin: uri.origin)
        if token.choice == .system, connection == nil { connection = try Self.connection(options.pgxConn) }
        self.connection = connection
        aliases = try AliasSettings(options)
        device = try DeviceSettings.load(options.device)
        security = try SecuritySettings(options.security)

        func number(
            _ value: String?, _ limit: Limit, _ range: ClosedRange<Int>, unit: String
        ) throws(Failure) -> Int? {
            let setting = Setting("\(limit.flag)", limit.variable)
            let parse: (String) -> Int? =
                limit.unit == .bytes
                ? { Quantities.bytes($0).flatMap { range.contains(Int(clamping: $0)) ? Int(clamping: $0) : nil } }
                : Quantities.count(range)
            return try setting.parsed(value, expected: "\(unit) from \(range.lowerBound) to \(range.upperBound)", parse)
                ?? limit.defaultValue.map { Int($0) }
        }
        func time(_ value: String?, _ limit: Limit) throws(Failure) -> Duration {
            try Setting("\(limit.flag)", limit.variable)
                .parsed(value, expected: Quantities.durationForm, Quantities.duration)
                ?? .seconds(limit.defaultValue ?? 0)
        }
        headLimits = HeadLimits(
            headBytes: try number(options.maxHead, Limits.headBytes, 1_024...65_536, unit: "a number of bytes")
                ?? 65_536,
            fields: try number(options.maxFields, Limits.headFields, 1...1_000, unit: "a number") ?? 96,
            targetBytes: try number(options.maxTarget, Limits.targetBytes, 256...65_536, unit: "a number of bytes")
                ?? 16_384)
        answerFields =
            try number(options.maxAnswerFields, Limits.answerFields, 1...1_000, unit: "a number") ?? 200
        timeouts = Timeouts(
            head: try time(options.headTimeout, Limits.headTimeout),
            body: try time(options.bodyTimeout, Limits.bodyTimeout),
            response: try time(options.responseTimeout, Limits.responseTimeout),
            connect: try time(options.connectTimeout, Limits.connectTimeout))
        maxBody = try Setting("\(Limits.bodyBytes.flag)", Limits.bodyBytes.variable)
            .parsed(options.maxBody, expected: Quantities.sizeForm, Quantities.bytes)
        maxRequests = try number(options.maxRequests, Limits.requestsInFlight, 1...1_000_000, unit: "a number")
        threads =
            try Setting("--threads", "THREADS")
            .parsed(options.threads, expected: "a number from 1 to 256", Quantities.count(1...256))
            ?? ProcessLimits.cpus
        backlog =
            try Setting("--backlog", "BACKLOG")
            .parsed(options.backlog, expected: "a number from 1 to 65535", Quantities.count(1...65_535)) ?? 4_096
        let replay = try Setting("--replay-buffer", "REPLAY_BUFFER")
            .parsed(options.replayBuffer, expected: "a number of bytes up to 64MiB") { text in
                Quantities.bytes(text).flatMap { $0 <= 67_108_864 ? Int($0) : nil }
            }
        replayBuffer = replay ?? 262_144
        bodies = try BodySettings(options.bodies)
        routes = try RouteSettings(options.routes, uri)
        drainTimeout =
            try Setting("--drain-timeout", "DRAIN_TIMEOUT")
            .parsed(options.drainTimeout, expected: Quantities.durationForm, Quantities.duration) ?? .seconds(25)
        drainDelay =
            try Setting("--drain-delay", "DRAIN_DELAY")
            .parsed(options.drainDelay, expected: "0 or \(Quantities.durationForm)") {
                $0 == "0" ? .zero : Quantities.duration($0)
            } ?? .zero
        encoding =
            try Setting("--upstream-encoding", "UPSTREAM_ENCODING")
            .parsed(options.upstreamEncoding, expected: "identity or gzip", Quantities.word)
            ?? .identity
        publicURL = try Self.publicURL(options)
        tls = try TLSSettings(options, uri)
        upstreamProxy = try UpstreamProxySettings.load(options.upstreamProxy, uri)
        client = UpstreamClient(uri, tls.client, upstreamProxy)
        watchedFiles = try options.watching.isOn() ? aliases.files + tls.files : []
        ready = try ReadySettings(options.ready)
        clientAddress = try ClientAddressSettings(options.clientAddress)
        accessLog =
            try Setting("--access-log", "ACCESS_LOG")
            .parsed(options.accessLog, expected: "off, errors or all", Quantities.word) ?? .all
        accessLogSample =
            try Setting("--access-log-sample", "ACCESS_LOG_SAMPLE")
            .parsed(options.accessLogSample, expected: "a number from 1 to 1000000", Quantities.count(1...1_000_000))
            ?? 1
        logFormat =
            try Setting("--log-format", "LOG_FORMAT")
            .parsed(options.logFormat, expected: "logfmt or json", Quantities.word) ?? .logfmt
        logLevel =
            try Setting("--log-level", "LOG_LEVEL")
            .parsed(
                options.logLevel, expected: "trace, debug, info, notice, warning, error or critical",
                { $0.lowercased() == "warn" ? .warning : Quantities.word($0) }) ?? .info
    }

    /// Nobody typed the default, so it is not a flag that is to blame.
    static var defaultUpstreamName: String {
        "SENTRY_URI is not set\(Environment.value("SENTRY_URL") == nil ? "" : " (SENTRY_URL is, and is not read here)"), and its default \(SentryURI.standard)"
    }

    static func upstream(_ flagValue: String?, flag: String) throws(Failure) -> (uri: SentryURI, name: String) {
        let given =
            Setting(flag, "SENTRY_URI").given(flagValue)
            ?? Given(value: SentryURI.standard, name: defaultUpstreamName, status: .usage)
        guard let parsed = SentryURI(given.value) else {
            // The value may hold a password before an @, so it is not repeated.
            throw Failure(
                given.status, "\(given.name): expected \(SentryURI.mistake(in: given.value) ?? SentryURI.form)")
        }
        guard let base = parsed.baseOfAPI else { return (parsed, given.name) }
        throw Failure(
            given.status, "\(given.name): clients add /api/0/ themselves, so the upstream's base is \(base)")
    }

    /// Which token wins. A store that cannot be read ends the start only when its login would be the one.
    static func token(
        tokenFlag: String?, tokenFileFlag: String?, store: (any LoginStore)?, origin: String
    ) throws(Failure) -> TokenPrecedence {
        func unlessAside<Value>(_ name: String, _ value: Value?) -> Value? {
            SettingSources.isSetAside(name) ? nil : value
        }
        for (name, flag) in tokenNames { SettingSources.note(name, of: flag) }
        var inputs = TokenInputs(
            tokenFlag: unlessAside("--token", tokenFlag), tokenFileFlag: unlessAside("--token-file", tokenFileFlag),
            tokenFileVariable: unlessAside("--token-file", Environment.value("SENTRY_TOKEN_FILE")),
            authTokenVariable: unlessAside("SENTRY_AUTH_TOKEN", Environment.value("SENTRY_AUTH_TOKEN")),
            tokenVariable: unlessAside("--token", Environment.value("SENTRY_TOKEN")),
            tokenFileLine: unlessAside("--token-file", SettingSources.given("--token-file")?.value),
            tokenLine: unlessAside("--token", SettingSources.given("--token")?.value))
        let isGiven = try decide(inputs).winner != .postgreSQL
        inputs.hasStoredLogin = try hasLogin(store, origin, isGiven: isGiven)
        return try decide(inputs)
    }

    private static func decide(_ inputs: TokenInputs) throws(Failure) -> TokenPrecedence {
        do throws(TokenPrecedenceError) {
            return try TokenPrecedence.decide(inputs)
        } catch {
            let message =
                switch error.origin {
                case .tokenLine: error.message(naming: SettingSources.given("--token")?.name)
                default: error.message
                }
            throw Failure(error.origin == .tokenFlag ? .usage : .configuration, message)
        }
    }

    /// By which names messages blame the settings of the token.
    private static var tokenNames: [(name: String, flag: String)] {
        [
            ("--token", "--token"), ("SENTRY_TOKEN", "--token"), ("--token-file", "--token-file"),
            ("SENTRY_TOKEN_FILE", "--token-file"), ("SENTRY_AUTH_TOKEN", "SENTRY_AUTH_TOKEN"),
        ] + ["--token", "--token-file"].compactMap { flag in SettingSources.given(flag).map { ($0.name, flag) } }
    }

    private static func publicURL(_ options: ServeOptions) throws(Failure) -> PublicURL? {
        guard let given = Setting("--public-url", "PUBLIC_URL").given(options.publicUrl) else { return nil }
        do throws(PublicURL.Invalid) {
            return try PublicURL(parsing: given.value)
        } catch {
            let reason =
                switch error {
                case .scheme: "it must begin with http:// or https://"
                case .authority: "its host or port is missing or malformed"
                case .userInfo: "it must not contain a user name"
                case .path: "its path is not in plain form"
                case .query: "it must not have a query"
                case .fragment: "it must not have a fragment"
                }
            throw Failure(
                given.status, "\(given.name): expected a base such as https://proxy.example:8443, but \(reason)")
        }
    }

    /// Naming PostgreSQL as the store always means a stored login, even before one exists or while the database is down.
    private static func hasLogin(_ store: (any LoginStore)?, _ origin: String, isGiven: Bool) throws(Failure) -> Bool {
        guard let store else { return false }
        if store is PostgresLoginStore { return true }
        do throws(LoginStoreError) {
            return try store.read().document.logins[origin] != nil
        } catch {
            guard isGiven else { throw Failure(error, store) }
            return false
        }
    }

    static func connection(_ flagValue: String?) throws(Failure) -> ConnectionString {
        ConnectionString.forgetEmptyVariables()
        let given = Setting("--pgx-conn", "PGX_CONN").given(flagValue)
        do throws(ConnectionStringError) {
            return try ConnectionString(given?.value ?? "", origin: given?.name)
        } catch {
            throw Failure(given?.status ?? .configuration, "\(given?.name ?? "PG* variables"): \(error.message)")
        }
    }
}
