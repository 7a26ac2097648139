internal import ArgumentParser
internal import Glibc
internal import ProxyServer
internal import Synchronization
internal import TokenStore

/// The token that `serve` would use with the same flags and variables.
struct EffectiveToken {
    let precedence: TokenPrecedence
    let token: Result<Secret, TokenSourceError>
    /// For a stored login.
    let login: Login?
    /// Origins of logins that belong to other upstreams and are never sent to this one.
    let otherOrigins: [String]

    var kind: TokenKind {
        switch precedence.choice {
        case .given, .file: .static
        case .storedLogin: .login
        case .system: .system
        }
    }

    init(_ context: AuthContext, _ flags: TokenFlags) throws(Failure) {
        let store = context.storeIfAny()
        precedence = try ServePlan.token(
            tokenFlag: flags.token, tokenFileFlag: flags.tokenFile, store: store, origin: context.origin)
        let isLogin = precedence.choice == .storedLogin
        var logins: [String: Login] = [:]
        if let store {
            do throws(LoginStoreError) {
                logins = try store.read().document.logins
            } catch {
                // One that is not used must not be in the way.
                if isLogin { throw Failure(error, store) }
            }
        }
        otherOrigins = logins.keys.filter { $0 != context.origin }.sorted()
        login = isLogin ? logins[context.origin] : nil
        token = Self.fetch(precedence, login, context)
    }

    private static func fetch(
        _ precedence: TokenPrecedence, _ login: Login?, _ context: AuthContext
    ) -> Result<Secret, TokenSourceError> {
        let source: any TokenSource
        switch precedence.choice {
        case .given(let token): return .success(token)
        case .storedLogin:
            // Looked at, not refreshed: to tell must change nothing.
            guard let login, !login.isExpired(at: wallMilliseconds()) || login.canRefresh else {
                return .failure(.signedOut)
            }
            return .success(login.accessToken)
        case .file(let path): source = FileSource(path: path, origin: precedence.winner)
        case .system:
            source = SystemTokenSource(
                connectionString: context.connection, provoke: { [client = context.client] in await client.provoke() },
                log: { _ in })
        }
        let answer = Mutex<Result<Secret, TokenSourceError>>(.failure(.notReadYet))
        Blocking.wait {
            do throws(TokenSourceError) {
                let fetched = try await source.fetch(FetchRequest(cause: .start, current: nil))
                answer.withLock { $0 = .success(fetched.token) }
            } catch {
                answer.withLock { $0 = .failure(error) }
            }
        }
        return answer.withLock { $0 }
    }
}

/// The flags that choose a token.
struct TokenFlags: ParsableArguments {
    @Option(help: "A Sentry token, or the word system. [SENTRY_AUTH_TOKEN, SENTRY_TOKEN]")
    var token: String?
    @Option(help: "A file with the token. [SENTRY_TOKEN_FILE]")
    var tokenFile: String?
}

struct AuthStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows which token is used, where it comes from, and whether the upstream accepts it.",
        discussion: "Exit status 0: usable; 1: not. Prints no token.")

    @OptionGroup var options: AuthOptions
    @OptionGroup var flags: TokenFlags

    private struct Report: Encodable {
        struct Token: Encodable {
            let lastFour: String?
            let lengthClass: String
        }
        let upstream: String
        let source: String
        let kind: String
        let shadowed: [String]
        var token: Token?
        var problem: String?
        var user: Login.User?
        var scopes: [String]?
        var obtainedAt: String?
        var ageSeconds: Int64?
        var expiresAt: String?
        var nextRefresh: String?
        /// `available`, `refused` or `none`.
        var refresh: String?
        var otherLogins: [String]
        /// nil: the upstream could not tell.
        var accepted: Bool?
        var verdict: String?
        var usable: Bool
    }

    func run() {
        ending { () throws(Failure) in
            let context = try AuthContext(options)
            let effective = try EffectiveToken(context, flags)
            let report = report(context, effective)
            context.report(report, lines(report))
            // Buffered lines go out with exit(3).
            Glibc.exit(report.usable ? 0 : 1)
        }
    }

    private func report(_ context: AuthContext, _ effective: EffectiveToken) -> Report {
        var report = Report(
            upstream: context.origin, source: effective.precedence.winner.rawValue, kind: effective.kind.rawValue,
            shadowed: effective.precedence.shadowed.map(\.rawValue), otherLogins: effective.otherOrigins, usable: false)
        if let login = effective.login { describe(login, &report) }
        switch effective.token {
        case .failure(let error): report.problem = error.logMessage
        case .success(let token):
            report.token = Report.Token(lastFour: token.lastFour, lengthClass: token.lengthClass)
            let verdict = context.client.check(token)
            report.usable = verdict == .accepted
            switch verdict {
            case .accepted: (report.accepted, report.verdict) = (true, "accepted")
            case .refused(let status): (report.accepted, report.verdict) = (false, "refused with status \(status)")
            case .redirected(let base):
                report.verdict = "redirects to \(base): give that as --url or SENTRY_URI"
            case .unclear(let status): report.verdict = "answered with status \(status), which tells nothing"
            case .unreachable(let error): report.verdict = "not reached: \(error.message)"
            }
        }
        return report
    }

    private func describe(_ login: Login, _ report: inout Report) {
        report.user = login.user
        report.scopes = login.scopes
        report.obtainedAt = dateText(login.obtainedAt)
        report.ageSeconds = max(0, wallMilliseconds() - login.obtainedAt) / 1_000
        report.expiresAt = login.expiresAt.map(dateText)
        report.nextRefresh = login.dueAt.map(dateText)
        if login.isExpired(at: wallMilliseconds()), login.canRefresh {
            report.problem = "the access token has expired; `serve` and `auth refresh` renew it"
        }
        report.refresh = login.refreshToken == nil ? "none" : login.isRefused ? "refused" : "available"
    }

    private func lines(_ report: Report) -> [String] {
        var lines = ["upstream      \(report.upstream)", "source        \(report.source) (\(report.kind))"]
        func add(_ name: String, _ value: String?) {
            if let value { lines.append(name + String(repeating: " ", count: 14 - name.count) + value) }
        }
        add("shadows", report.shadowed.isEmpty ? nil : report.shadowed.joined(separator: ", "))
        add("token", report.token.map { "\($0.lastFour.map { "…\($0), " } ?? "")\($0.lengthClass) bytes" })
        add("user", report.user?.label)
        add("scopes", report.scopes.flatMap { $0.isEmpty ? nil : $0.joined(separator: " ") })
        add("obtained", report.obtainedAt.map { "\($0), \(report.ageSeconds ?? 0) s ago" })
        add("expires", report.expiresAt)
        add("next refresh", report.kind == "system" ? "every 15 minutes" : report.nextRefresh)
        add("refresh", report.refresh == "refused" ? "refused: sign in again" : report.refresh)
        add("problem", report.problem)
        for origin in report.otherLogins {
            add("not sent", "the login for \(origin): it belongs to that host, not to \(report.upstream)")
        }
        add("upstream says", report.verdict)
        return lines
    }
}

struct AuthToken: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Prints the token itself, for scripts.")

    @OptionGroup var options: AuthOptions
    @OptionGroup var flags: TokenFlags
    @Flag(help: "Print it to a terminal too.")
    var yes = false

    private struct Report: Encodable {
        let upstream: String
        let source: String
        let token: String
    }

    func run() {
        ending { () throws(Failure) in
            guard yes || isatty(STDOUT_FILENO) == 0 else {
                throw Failure(
                    .usage, "--yes: expected it, since standard output is a terminal and would show the token")
            }
            let context = try AuthContext(options)
            let effective = try EffectiveToken(context, flags)
            let stored: Secret
            do throws(TokenSourceError) {
                stored = try effective.token.get()
            } catch {
                throw Failure(.unavailable, error.logMessage)
            }
            var secret = stored
            // A script can do nothing with a token that has ended.
            if let login = effective.login, login.isExpired(at: wallMilliseconds()) {
                secret = try AuthRefresh.refresh(context, context.store(), login).accessToken
            }
            let text = secret.withBytes { bytes in
                String(decoding: (0..<bytes.count).map { bytes[$0] }, as: UTF8.self)
            }
            context.report(
                Report(upstream: context.origin, source: effective.precedence.winner.rawValue, token: text), [text])
        }
    }
}
