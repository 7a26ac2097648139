internal import Synchronization
package import System

/// Refreshes the stored login of one upstream, once for all processes that share the store. Blocks.
package final class LoginRefresher: Sendable {
    private let store: any LoginStore
    private let upstream: String
    private let client: OAuthClient
    private let now: @Sendable () -> Int64
    /// Obtained, but not stored: the disk was full or the database gone. Its predecessor is used up, so it must not be lost.
    private let unstored = Mutex<Unstored?>(nil)

    private struct Unstored {
        let login: Login
        let predecessor: Secret
    }

    package init(
        store: any LoginStore, upstream: String, client: OAuthClient,
        now: @escaping @Sendable () -> Int64 = wallMilliseconds
    ) {
        self.store = store
        self.upstream = upstream
        self.client = client
        self.now = now
    }

    /// There is something to store before anything else.
    var hasUnstored: Bool { unstored.withLock { $0 != nil } }

    /// - Parameters:
    ///   - deadline: for the wait for other processes.
    ///   - need: asked again with the store locked, since another process may have refreshed meanwhile.
    package func refresh(
        deadline: Instant, _ need: (Login) -> LoginNeed
    ) throws(LoginStoreError) -> (Result<Login, TokenSourceError>, LoginStamp) {
        var obtained: Unstored?
        do throws(LoginStoreError) {
            let outcome = try store.change(upstream, deadline: deadline) { login in
                locked(&login, need, &obtained)
            }
            unstored.withLock { $0 = nil }
            return outcome
        } catch {
            if let obtained { unstored.withLock { $0 = obtained } }
            throw error
        }
    }

    private func locked(
        _ login: inout Login?, _ need: (Login) -> LoginNeed, _ obtained: inout Unstored?
    ) -> Result<Login, TokenSourceError> {
        guard let current = login else { return .failure(.signedOut) }
        if let kept = unstored.withLock({ $0 }), current.refreshToken == kept.predecessor {
            login = kept.login
            obtained = kept
            return .success(kept.login)
        }
        switch need(current) {
        case .none: return .success(current)
        case .person(let error): return .failure(error)
        case .refresh: break
        }
        guard let refreshToken = current.refreshToken, let clientID = current.clientID else {
            return .failure(.signInAgain)
        }
        do throws(OAuthError) {
            let next = Login(current, refreshedBy: try client.refresh(refreshToken, clientID: clientID), now: now())
            login = next
            obtained = Unstored(login: next, predecessor: refreshToken)
            return .success(next)
        } catch {
            guard case .refused(let code) = error, code != .slowDown, code != .authorizationPending else {
                return .failure(.loginUnavailable)
            }
            login?.isRefused = true
            // Asked with the refusal known: it tells a token that is still good from one that is over.
            if let refused = login, case .person(let error) = need(refused) { return .failure(error) }
            return .failure(.signInAgain)
        }
    }
}

extension Login {
    /// A first login.
    package init(_ grant: TokenGrant, clientID: String, askedScopes: [String], now: Int64) {
        self.init(
            clientID: clientID, accessToken: grant.accessToken, refreshToken: grant.refreshToken,
            scopes: grant.scopes ?? askedScopes, user: grant.user, obtainedAt: now,
            expiresAt: grant.expiresInMilliseconds.map { now + $0 })
    }

    /// What a refresh leaves out stays as it was (RFC 6749 §6).
    fileprivate init(_ old: Login, refreshedBy grant: TokenGrant, now: Int64) {
        self.init(
            clientID: old.clientID, accessToken: grant.accessToken,
            refreshToken: grant.refreshToken ?? old.refreshToken,
            scopes: grant.scopes ?? old.scopes, user: grant.user ?? old.user, obtainedAt: now,
            expiresAt: grant.expiresInMilliseconds.map { now + $0 })
    }
}
