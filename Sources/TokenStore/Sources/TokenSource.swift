package import System

/// Where a token comes from. Only `TokenBroker` calls it, and never concurrently.
package protocol TokenSource: Sendable {
    var kind: TokenKind { get }
    var origin: TokenOrigin { get }
    /// Whether asking again after a 401 can help.
    var isRenewable: Bool { get }
    /// How often the broker asks `hasChanged()`, in nanoseconds; `nil` for never.
    var pollPeriod: Duration? { get }

    /// Gets the token. It has a deadline of its own and blocks no thread of the cooperative pool.
    func fetch(_ request: FetchRequest) async throws(TokenSourceError) -> FetchedToken

    /// Whether a fetch now would see something that the last one did not. Cheap.
    func hasChanged() async -> Bool
}

extension TokenSource {
    package var pollPeriod: Duration? { nil }
    package func hasChanged() async -> Bool { false }
}

/// Why the broker fetches.
package enum FetchCause: String, Sendable {
    /// The first time. A login source gives what it has stored, if that is still good.
    case start
    /// The token is due; a login source uses its refresh token.
    case refresh
    /// The upstream answered 401 to `FetchRequest.current`; a login source uses its refresh token, unless its store
    /// holds a newer token already.
    case renewal
    /// The last fetch failed.
    case retry
    /// `hasChanged()` said so.
    case changed
    /// An operator asked (SIGHUP).
    case reload
}

/// What a source may want to know about the token in use.
package struct FetchRequest: Sendable {
    package let cause: FetchCause
    package let current: Secret?

    package init(cause: FetchCause, current: Secret?) {
        self.cause = cause
        self.current = current
    }
}

/// A token just obtained.
package struct FetchedToken: Sendable {
    package let token: Secret
    /// How long from now until it is worth asking again, in nanoseconds; `nil` for never.
    package let refreshAfter: Duration?

    package init(token: Secret, refreshAfter: Duration?) {
        self.token = token
        self.refreshAfter = refreshAfter
    }
}
