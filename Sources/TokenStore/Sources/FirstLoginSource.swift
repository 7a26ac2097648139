internal import Synchronization
package import System

/// The system token, and the first login that somebody stores while there was no system token yet: then a sign-in takes
/// effect without a restart. A token that was found is stayed with, so nobody's sign-in changes who a serving proxy is.
package final class FirstLoginSource: TokenSource {
    private enum Choice { case open, system, login }

    private let system: any TokenSource
    private let login: any TokenSource
    private let choice = Mutex(Choice.open)

    package init(system: any TokenSource, login: any TokenSource) {
        self.system = system
        self.login = login
    }

    /// Which one stands for both: the system token until a login was picked up.
    private var current: any TokenSource { choice.withLock { $0 } == .login ? login : system }

    package var kind: TokenKind { current.kind }
    package var origin: TokenOrigin { current.origin }
    package var isRenewable: Bool { current.isRenewable }

    /// The one that may have something new: while the choice is open that is the store of logins.
    private var watched: any TokenSource { choice.withLock { $0 } == .system ? system : login }

    package var pollPeriod: Duration? { watched.pollPeriod }

    package func hasChanged() async -> Bool { await watched.hasChanged() }

    package func fetch(_ request: FetchRequest) async throws(TokenSourceError) -> FetchedToken {
        let before = choice.withLock { $0 }
        guard before == .open else { return try await current.fetch(request) }
        if request.cause == .changed, let fetched = await firstLogin(request) { return fetched }
        let fetched = try await system.fetch(request)
        choice.withLock { $0 = .system }
        return fetched
    }

    /// The store may have changed for another upstream's login, or hold one that has expired: then the search continues.
    private func firstLogin(_ request: FetchRequest) async -> FetchedToken? {
        guard let fetched = try? await login.fetch(request) else { return nil }
        choice.withLock { $0 = .login }
        return fetched
    }
}
