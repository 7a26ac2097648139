internal import Logging
internal import ProxyServer
internal import Synchronization
internal import TokenStore

/// The token's broker with its source and its life in the background.
final class Tokens: Sendable {
    let publisher: TokenPublisher
    let broker: TokenBroker
    let counts = TokenCounts()
    private let changed: Callback
    private let precedence: TokenPrecedence

    init(_ plan: ServePlan, _ log: Logger) {
        precedence = plan.token
        let changed = Callback()
        self.changed = changed
        publisher = TokenPublisher(
            initial: TokenSnapshot(
                version: 0, token: nil, kind: .static, source: plan.token.winner, isRenewable: false,
                health: .missing(.notReadYet)))
        let report: @Sendable (TokenEvent) -> Void = { [counts] event in
            counts.count(event)
            log.log(level: Logger.Level(event.level), "\(event.message)")
        }
        let source: any TokenSource
        switch plan.token.choice {
        case .given(let token): source = StaticSource(token: token, origin: plan.token.winner)
        case .file(let path): source = FileSource(path: path, origin: plan.token.winner)
        case .storedLogin:
            // The plan chooses a stored login only with a store in hand.
            source = plan.login(in: plan.loginStore!)
        case .system:
            // The plan chooses the system token only with a connection in hand.
            let system = SystemTokenSource(
                connectionString: plan.connection!, provoke: { [client = plan.client] in await client.provoke() },
                log: report)
            // Who asked for `system` by name gets nothing else.
            if plan.token.winner == .postgreSQL, let store = plan.loginStore {
                source = FirstLoginSource(system: system, login: plan.login(in: store))
            } else {
                source = system
            }
        }
        broker = TokenBroker(
            source: source, publisher: publisher,
            question: { [client = plan.client] token in await client.standing(of: token) }, log: report,
            wake: { changed.call() })
    }

    func onChange(_ body: @escaping @Sendable () -> Void) {
        changed.set(body)
    }

    /// A token that was given must be there before the first request; one that comes from elsewhere may come later.
    func loadFirst() throws(Failure) {
        switch precedence.choice {
        case .storedLogin, .system: return
        case .given, .file: break
        }
        Blocking.wait { [broker] in await broker.load() }
        guard case .missing(let reason) = publisher.current().health else { return }
        let name = precedence.winner.rawValue
        guard case .file(let error) = reason, case .file(let path) = precedence.choice else {
            throw Failure(.configuration, "\(name): \(reason.logMessage)")
        }
        throw Failure(.configuration, "\(name): token file '\(path)': \(error.message)")
    }

    func start() {
        Task.detached { [broker] in await broker.run() }
    }

    func reload() {
        Task.detached { [broker] in _ = await broker.reload() }
    }
}

extension ServePlan {
    fileprivate func login(in store: any LoginStore) -> LoginSource {
        LoginSource(store: store, upstream: uri.origin, client: client.oauth)
    }
}

/// A callback that is named after the caller that needs it was made.
final class Callback: Sendable {
    private let body = Mutex<(@Sendable () -> Void)?>(nil)

    func set(_ body: @escaping @Sendable () -> Void) {
        self.body.withLock { $0 = body }
    }

    func call() {
        body.withLock { $0 }?()
    }
}

extension Logger.Level {
    init(_ level: TokenEvent.Level) {
        switch level {
        case .debug: self = .debug
        case .info: self = .info
        case .warning: self = .warning
        }
    }
}
