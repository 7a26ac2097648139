internal import AccessPolicy
internal import EventLoop
internal import Glibc
internal import ProxyServer
internal import Synchronization
internal import TLS
internal import TokenStore

/// `--check-config`: reads all that a start reads, and asks nobody: neither a name service nor a database nor Sentry.
struct ConfigurationCheck {
    private var mistakes = Mistakes()
    /// What a start would warn of.
    private var notes: [String] = []
    private var plan: ServePlan?
    private var loaded: LoadedAliases?

    /// - Parameter now: seconds since 1970.
    init(_ options: ServeOptions, now: Int) {
        for mistake in SettingSources.file?.mistakes ?? [] { mistakes.note(mistake) }
        guard let plan = mistakes.readingAll({ () throws(Failure) in try ServePlan(options) }) else { return }
        self.plan = plan
        loaded = plan.aliases.load(noting: &mistakes)
        if let loaded, mistakes.all.allSatisfy({ $0.line == nil }) {
            notes +=
                mistakes.trying { () throws(Failure) in
                    try plan.security.weaknesses(plan.aliases, loaded.aliases, plan.token, plan.device)
                        + plan.aliases.notes(loaded).map(\.text)
                } ?? []
        }
        if plan.isUpstreamDefault, !SettingSources.isSetAside("--sentry-uri") {
            notes.append("\(ServePlan.defaultUpstreamName) is used")
        }
        plan.device?.check(noting: &mistakes, plan, loaded)
        checkCertificates(plan, now: now)
        checkToken(plan)
        checkLimits()
    }

    private mutating func checkCertificates(_ plan: ServePlan, now: Int) {
        let client = mistakes.trying { () throws(Failure) in try plan.tls.loadClient() }
        let server = mistakes.trying { () throws(Failure) in try plan.tls.loadServer() }
        for (validity, name) in [(server??.validity, "--tls-cert"), (client??.validity, "--client-cert")] {
            let (mistake, note) = CertificateDates.judge(validity, name, now: now)
            if let mistake { mistakes.note(mistake) }
            if let note { notes.append(note) }
        }
    }

    private mutating func checkToken(_ plan: ServePlan) {
        if case .file(let path) = plan.token.choice {
            let source = FileSource(path: path, origin: plan.token.winner)
            let found = Mutex<TokenSourceError?>(nil)
            Blocking.wait {
                do throws(TokenSourceError) {
                    _ = try await source.fetch(FetchRequest(cause: .start, current: nil))
                } catch {
                    found.withLock { $0 = error }
                }
            }
            if let error = found.withLock({ $0 }) {
                let reason = if case .file(let error) = error { error.message } else { error.logMessage }
                mistakes.note(
                    Failure(.configuration, "\(plan.token.winner.rawValue): token file '\(path)': \(reason)"))
            }
        }
        guard plan.token.choice == .system, let connection = plan.connection else { return }
        if connection.source == nil, !Self.hasServerAtDefaultSocket, !Self.mayHaveLostToken {
            // A start would go on, and answer 503 until there is a token.
            mistakes.note(Failure(.configuration, DatabaseError.notConfigured.logMessage))
        }
        if let problem = connection.passfileProblem { notes.append("PostgreSQL: \(problem)") }
    }

    /// Whether there is a socket where libpq looks when nothing names a server: as Debian builds it, and as PostgreSQL does.
    private static var hasServerAtDefaultSocket: Bool {
        ["/var/run/postgresql", "/tmp"].contains { access("\($0)/.s.PGSQL.5432", F_OK) == 0 }
    }

    /// Whether a setting that could not be read may have been the one that gives the token.
    private static var mayHaveLostToken: Bool {
        SettingSources.file?.mistakes.isEmpty == false
            || ["--token", "--token-file", "SENTRY_AUTH_TOKEN", "--pgx-conn", "--state-dir"]
                .contains(where: SettingSources.isSetAside)
    }

    private mutating func checkLimits() {
        let limit = mistakes.trying { () throws(Failure) in try Service.descriptorLimit() }
        if let limit { notes += limit < 1_024 ? ["descriptor limit: \(limit) allows few connections"] : [] }
    }

    /// Prints what was found and ends the process.
    func end() -> Never {
        guard mistakes.all.isEmpty, let plan else {
            for mistake in mistakes.all { Failure.say(mistake.message) }
            exit(Failure.Status.configuration.rawValue)
        }
        print(EffectiveConfiguration(plan, loaded).text, terminator: "")
        for note in notes { print("note: \(note)") }
        exit(0)
    }
}
