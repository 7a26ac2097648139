internal import ArgumentParser
internal import Glibc
internal import ProxyServer
internal import System
internal import TokenStore

struct AuthLogin: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Signs in with the OAuth device flow (RFC 8628) and stores the login.",
        discussion: """
            Shows a code and an address; open it in any browser, on any machine. Requests the read-only scopes unless --scope or --full-access says otherwise. The client id is that of a public application, created in Sentry under Settings, Account, API, Applications.
            """)

    @OptionGroup var options: AuthOptions
    @Option(help: "The application's client id. [SENTRY_CLIENT_ID]")
    var clientId: String?
    @Flag(help: "Request only the :read scopes; the default.")
    var readOnly = false
    @Option(help: "Request these scopes; may be repeated, or separated by commas.")
    var scope: [String] = []
    @Flag(help: "Request the scopes that Sentry's own command line requests, including writing.")
    var fullAccess = false
    @Option(help: "Store this token instead of signing in; - reads it from standard input.")
    var token: String?
    @Option(help: "How long to wait for the sign-in. [15m]")
    var timeout: String?
    @Flag(help: "Replace a login that works.")
    var force = false

    func run() {
        ending { () throws(Failure) in
            let scopes = try scopesToAsk()
            let patience: Duration
            if let timeout {
                guard let value = Quantities.duration(timeout) else {
                    throw Failure(.usage, "--timeout: '\(timeout)' is not \(Quantities.durationForm)")
                }
                patience = value
            } else {
                patience = .minutes(15)
            }
            let context = try AuthContext(options)
            let store = try context.store()
            if !force, let there = try context.stored(store)[context.origin], !there.isRefused,
                !there.isExpired(at: wallMilliseconds()) || there.canRefresh
            {
                let who = there.user.map { " as \($0.label)" } ?? ""
                throw Failure(.usage, "there is a login for \(context.origin)\(who) already: --force replaces it")
            }
            let login: Login
            if let token {
                login = try given(token, context)
            } else {
                login = try signIn(context, store, scopes, patience)
            }
            try context.change(store) { $0 = login }
            report(context, store, login, token == nil ? scopes : [])
        }
    }

    // MARK: - What to ask for

    private func scopesToAsk() throws(Failure) -> [String] {
        let ways = [("--read-only", readOnly), ("--scope", !scope.isEmpty), ("--full-access", fullAccess)].filter(\.1)
        if token != nil, let other = ways.first {
            throw Failure(.usage, "--token: it cannot be used with \(other.0), the token has the scopes that it has")
        }
        guard ways.count < 2 else {
            throw Failure(.usage, "\(ways[0].0): it cannot be used with \(ways[1].0)")
        }
        if fullAccess { return SentryScopes.full }
        if scope.isEmpty { return SentryScopes.readOnly }
        let scopes: [String]
        do throws(UnknownScope) {
            scopes = try SentryScopes.parse(scope)
        } catch {
            throw Failure(
                .usage,
                "--scope: '\(error.scope)' is not a scope of Sentry; known are \(SentryScopes.known.joined(separator: " "))"
            )
        }
        guard !scopes.isEmpty else { throw Failure(.usage, "--scope: expected at least one scope") }
        return scopes
    }

    // MARK: - A token that is given

    private func given(_ text: String, _ context: AuthContext) throws(Failure) -> Login {
        let secret: Secret
        do throws(TokenTextError) {
            secret = try TokenText.parse(text == "-" ? readLine() ?? "" : text)
        } catch {
            throw Failure(.usage, "--token: expected a Sentry token, but \(error.message)")
        }
        switch context.client.check(secret) {
        case .accepted: break
        case .refused(let status):
            throw Failure(
                .noPermission, "--token: \(context.origin) refuses it with status \(status); nothing was stored")
        case .redirected(let base):
            throw Failure(
                .configuration, "--url: \(context.origin) redirects to \(base): give that; nothing was stored")
        case .unclear(let status):
            Terminal.note(
                "warning: \(context.origin) answered with status \(status), so the token is not known to be good")
        case .unreachable(let error):
            Terminal.note("warning: \(context.origin) could not be asked about the token: \(error.message)")
        }
        return Login(
            clientID: nil, accessToken: secret, refreshToken: nil, scopes: [], user: nil,
            obtainedAt: wallMilliseconds(),
            expiresAt: nil)
    }

    // MARK: - The device flow

    private func signIn(
        _ context: AuthContext, _ store: any LoginStore, _ scopes: [String], _ patience: Duration
    ) throws(Failure) -> Login {
        guard let clientID = Setting("--client-id", "SENTRY_CLIENT_ID").given(clientId)?.value else {
            throw Failure(
                .usage,
                "--client-id: expected the client id of a public application (in Sentry: Settings, Account, API, Applications), here or in SENTRY_CLIENT_ID"
            )
        }
        // Nobody should open a browser for a login that cannot be kept.
        try context.checkWritable(store)
        let client = context.client.oauth
        let authorization: DeviceAuthorization
        do throws(OAuthError) {
            authorization = try client.authorizeDevice(clientID: clientID, scopes: scopes)
        } catch {
            throw Failure(error, context.origin)
        }
        let waiting = WaitingLine()
        Terminal.note("Open \(authorization.verificationURI) and enter the code \(authorization.userCode)")
        if let whole = authorization.verificationURIComplete { Terminal.note("or open \(whole)") }
        defer { waiting.end() }
        var flow = DeviceFlow(authorization, timeout: patience, now: Clock.now)
        do throws(DeviceFlow.End) {
            var pause = try flow.first(now: Clock.now)
            while true {
                waiting.wait(pause, end: flow.end)
                do throws(OAuthError) {
                    let grant = try client.redeem(deviceCode: authorization.deviceCode, clientID: clientID)
                    return Login(grant, clientID: clientID, askedScopes: scopes, now: wallMilliseconds())
                } catch {
                    pause = try flow.next(after: error, now: Clock.now)
                }
            }
        } catch {
            waiting.end()
            switch error {
            case .denied: throw Failure(.noPermission, "the sign-in was denied; nothing was stored")
            case .codeExpired: throw Failure(.unavailable, "the code has expired before anybody signed in; start again")
            case .timeout: throw Failure(.unavailable, "--timeout: nobody signed in in time; start again")
            case .failed(let error): throw Failure(error, context.origin)
            }
        }
    }

    // MARK: - The result

    private struct Report: Encodable {
        let origin: String
        let user: Login.User?
        let scopes: [String]
        let notGranted: [String]
        let alsoGranted: [String]
        let expiresAt: String?
        let store: String
    }

    private func report(_ context: AuthContext, _ store: any LoginStore, _ login: Login, _ asked: [String]) {
        let missing = asked.filter { !login.scopes.contains($0) }
        let more = login.scopes.filter { !asked.contains($0) }
        var lines = ["Signed in to \(context.origin)" + (login.user.map { " as \($0.label)" } ?? "") + "."]
        if !login.scopes.isEmpty { lines.append("Granted: \(login.scopes.joined(separator: " "))") }
        if !missing.isEmpty { lines.append("Asked for, but not granted: \(missing.joined(separator: " "))") }
        if !more.isEmpty { lines.append("Granted without being asked for: \(more.joined(separator: " "))") }
        if let end = login.expiresAt { lines.append("Good until \(dateText(end)), then refreshed.") }
        if login.refreshToken == nil, token == nil {
            lines.append("There is no refresh token: sign in again after that.")
        }
        lines.append("Stored in \(store.place).")
        context.report(
            Report(
                origin: context.origin, user: login.user, scopes: login.scopes, notGranted: missing, alsoGranted: more,
                expiresAt: login.expiresAt.map(dateText), store: store.place),
            lines)
    }
}

extension Failure {
    /// What an authorization server answered, as an operator can act on it.
    init(_ error: OAuthError, _ origin: String) {
        switch error {
        case .unreachable(let failure): self.init(.unavailable, "\(origin) cannot be asked: \(failure.summary)")
        case .serverTrouble(let status):
            self.init(.unavailable, "\(origin) answered with status \(status); try again later")
        case .redirected(let base):
            self.init(.configuration, "--url: \(origin) redirects to \(base): give that")
        case .unexpected(let status):
            // An old Sentry has nothing at that path; what refuses it is something else.
            let guess =
                status == 404 || status == 405
                ? "the device flow needs Sentry 26.1 or newer"
                : "does something in between, such as a firewall or a sign-in page, answer for it?"
            self.init(
                .configuration,
                "--url: \(origin) answered with status \(status), not like an authorization server; \(guess)")
        case .malformedAnswer:
            self.init(.data, "the answer of \(origin) is not one of an authorization server (RFC 8628)")
        case .refused(.invalidClient), .refused(.unauthorizedClient):
            self.init(.noPermission, "--client-id: \(origin) does not know this client id, or not for the device flow")
        case .refused(.invalidScope):
            self.init(.noPermission, "--scope: \(origin) does not grant these scopes to this application")
        case .refused(let code): self.init(.noPermission, "\(origin) refused: \(code.rawValue)")
        }
    }
}

/// Tells that a sign-in is waited for: one line that is written over on a terminal, a line a minute elsewhere.
private final class WaitingLine {
    private let isInteractive = Terminal.isInteractive
    private var nextPlainLine = Instant.distantPast
    private var isShown = false

    /// Sleeps.
    /// - Parameter end: when waiting is over at the latest.
    func wait(_ time: Duration, end: Instant) {
        let until = Clock.now + time
        while true {
            let now = Clock.now
            guard now < until else { return }
            show(now, end)
            let slice = min(until - now, .seconds(1))
            var pause = timespec(
                tv_sec: Int(slice.seconds), tv_nsec: Int(slice.nanoseconds % 1_000_000_000))
            nanosleep(&pause, nil)
        }
    }

    private func show(_ now: Instant, _ end: Instant) {
        let left = (end - now).seconds
        let seconds = left % 60 < 10 ? "0\(left % 60)" : "\(left % 60)"
        let text = "Waiting for the sign-in, \(left / 60):\(seconds) left"
        if isInteractive {
            if !isShown { Terminal.clearLineOnSignals() }
            isShown = true
            Terminal.showLine(text)
        } else if now >= nextPlainLine {
            nextPlainLine = now + .seconds(60)
            Terminal.note(text)
        }
    }

    func end() {
        guard isShown else { return }
        isShown = false
        Terminal.clearLine()
        Terminal.defaultSignals()
    }
}
