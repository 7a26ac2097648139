internal import Synchronization
package import System

/// A stored login that keeps itself fresh by its refresh token.
///
/// A refresh token is good for one use, so each refresh happens with the store locked, and what the server answered is
/// stored before anybody uses it. A refusal is stored too: the server is not asked again until somebody signs in.
package final class LoginSource: TokenSource {
    /// For the lock and the call together.
    static let longestFetch: Duration = .seconds(20)

    package let kind = TokenKind.login
    package let origin = TokenOrigin.storedLogin
    package let isRenewable = true
    package let pollPeriod: Duration? = .seconds(1)

    private let store: any LoginStore
    private let upstream: String
    private let refresher: LoginRefresher
    private let now: @Sendable () -> Int64
    private let stamp = Mutex(LoginStamp.nothing)

    /// - Parameters:
    ///   - upstream: the origin whose login this is; no other is looked at.
    ///   - now: milliseconds since 1970.
    package init(
        store: any LoginStore, upstream: String, client: OAuthClient,
        now: @escaping @Sendable () -> Int64 = wallMilliseconds
    ) {
        self.store = store
        self.upstream = upstream
        self.now = now
        refresher = LoginRefresher(store: store, upstream: upstream, client: client, now: now)
    }

    package func hasChanged() async -> Bool {
        await store.hasChanged(since: stamp.withLock { $0 }, upstream)
    }

    package func fetch(_ request: FetchRequest) async throws(TokenSourceError) -> FetchedToken {
        let answer = await onOwnThread(within: Self.longestFetch) { [self] in
            Result { () throws(TokenSourceError) in try fetchBlocking(request) }
        }
        // The thread goes on and stores what it gets; the next fetch finds it.
        guard let answer else { throw .loginUnavailable }
        return try answer.get()
    }

    private func fetchBlocking(_ request: FetchRequest) throws(TokenSourceError) -> FetchedToken {
        let need = { [now] (login: Login) in
            LoginNeed(login, cause: request.cause, current: request.current, now: now())
        }
        if !refresher.hasUnstored {
            let login = try stored()
            switch need(login) {
            case .none: return fetched(login)
            case .person(let error): throw error
            case .refresh: break
            }
        }
        let deadline = Clock.now + Self.longestFetch / 2
        let outcome: (Result<Login, TokenSourceError>, LoginStamp)
        do throws(LoginStoreError) {
            outcome = try refresher.refresh(deadline: deadline, need)
        } catch {
            throw .loginStore(error)
        }
        stamp.withLock { $0 = outcome.1 }
        return fetched(try outcome.0.get())
    }

    private func stored() throws(TokenSourceError) -> Login {
        let stored: StoredLogins
        do throws(LoginStoreError) {
            stored = try store.read()
        } catch {
            throw .loginStore(error)
        }
        stamp.withLock { $0 = stored.stamp }
        guard let login = stored.document.logins[upstream] else { throw .signedOut }
        return login
    }

    /// A login that cannot be refreshed is looked at again when it ends; a refused one at once, so that health tells of it.
    private func fetched(_ login: Login) -> FetchedToken {
        let due = login.isRefused ? now() : login.dueAt ?? login.expiresAt
        let most: Int64 = 366 * 86_400_000
        return FetchedToken(
            token: login.accessToken,
            refreshAfter: due.map { .milliseconds(UInt64(max(0, min($0 - now(), most)))) })
    }
}

/// What a stored login needs before its token can be used. A pure decision.
package enum LoginNeed: Sendable, Equatable {
    case none
    case refresh
    /// Nothing helps but a person.
    case person(TokenSourceError)

    /// - Parameters:
    ///   - cause: why a token is asked for.
    ///   - current: the token in use.
    ///   - now: milliseconds since 1970.
    package init(_ login: Login, cause: FetchCause, current: Secret?, now: Int64) {
        let isNew = login.accessToken != current
        if login.isExpired(at: now) {
            self = login.canRefresh ? .refresh : .person(.signedOut)
            return
        }
        switch cause {
        case .start, .changed, .reload:
            // One that is due is taken as it is: the broker comes back for its refresh at once.
            self = .none
        case .refresh, .retry, .renewal:
            if isNew {
                self = .none
            } else if login.isRefused {
                self = .person(cause == .renewal ? .signedOut : .signInAgain)
            } else if !login.canRefresh {
                self = .none
            } else if cause == .refresh {
                self = login.dueAt.map { $0 <= now } ?? false ? .refresh : .none
            } else {
                self = now < login.tooYoungToRefuse ? .none : .refresh
            }
        }
    }
}

/// CLOCK_REALTIME in milliseconds since 1970.
package func wallMilliseconds() -> Int64 {
    Clock.wall.milliseconds
}
