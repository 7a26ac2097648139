package import System

/// What a token is, which decides how it is renewed.
package enum TokenKind: String, Sendable {
    /// Given by flag, file or environment; taken as valid, never renewed.
    case `static`
    /// Sentry's own, read from its PostgreSQL.
    case system
    /// From an OAuth sign-in, with a refresh token beside it.
    case login
}

/// Which flag, variable, file or store gave the token; the raw value is its name for users.
package enum TokenOrigin: String, Sendable, CaseIterable {
    case tokenFlag = "--token"
    case tokenFileFlag = "--token-file"
    case tokenFileVariable = "SENTRY_TOKEN_FILE"
    case authTokenVariable = "SENTRY_AUTH_TOKEN"
    case tokenVariable = "SENTRY_TOKEN"
    case tokenFileLine = "token-file of --config"
    case tokenLine = "token of --config"
    case storedLogin = "stored login"
    case postgreSQL = "PostgreSQL"
}

/// One moment on both clocks: the monotonic one to reckon with, the wall clock to show.
package struct TokenInstant: Sendable, Equatable {
    package let monotonic: Instant
    /// Seconds since 1970.
    package let wallSeconds: Int64

    package init(monotonic: Instant, wallSeconds: Int64) {
        self.monotonic = monotonic
        self.wallSeconds = wallSeconds
    }

    /// A later instant by both clocks, as they stand to each other now; nil for `never`.
    func later(_ time: Instant) -> TokenInstant? {
        guard time != .never else { return nil }
        return TokenInstant(monotonic: time, wallSeconds: wallSeconds + Int64((time - monotonic).seconds))
    }
}

/// Whether elevated requests can be served.
package enum TokenHealth: Sendable, Equatable {
    /// A token, and its source answered the last time it was asked.
    case ready
    /// A token, but its source has failed since: the last good one stays in use.
    case degraded(TokenSourceError)
    /// No token: elevated requests get a 503 with `TokenSourceError.clientMessage`.
    case missing(TokenSourceError)

    /// What is wrong, if anything is.
    package var reason: TokenSourceError? {
        switch self {
        case .ready: nil
        case .degraded(let reason), .missing(let reason): reason
        }
    }
}

/// The token as of one version. Immutable: a reactor may keep it as long as it likes, and handing it on copies
/// nothing.
package final class TokenSnapshot: Sendable {
    /// Grows by one with every publication, from 1; also what `TokenBroker.renew(ifStill:)` takes.
    package let version: UInt64
    /// `nil` exactly when `health` is `.missing`.
    package let token: Secret?
    package let kind: TokenKind
    package let source: TokenOrigin
    /// Whether a 401 may be answered by a renewal and one retry.
    package let isRenewable: Bool
    /// When the source last gave or confirmed the token.
    package let obtainedAt: TokenInstant?
    /// When the broker queries the source next; `nil` for a token that is never refreshed.
    package let nextRefresh: TokenInstant?
    package let health: TokenHealth
    /// The upstream answered 401 to this token and no renewal has since confirmed or replaced it: renew before a body
    /// that is too long to replay.
    package let suspect: Bool

    /// Whether the first answer of a source is still to come: what needs the token may wait for that.
    package var isAwaited: Bool { token == nil && isRenewable && health == .missing(.notReadYet) }

    package init(
        version: UInt64,
        token: Secret?,
        kind: TokenKind,
        source: TokenOrigin,
        isRenewable: Bool,
        obtainedAt: TokenInstant? = nil,
        nextRefresh: TokenInstant? = nil,
        health: TokenHealth,
        suspect: Bool = false
    ) {
        self.version = version
        self.token = token
        self.kind = kind
        self.source = source
        self.isRenewable = isRenewable
        self.obtainedAt = obtainedAt
        self.nextRefresh = nextRefresh
        self.health = health
        self.suspect = suspect
    }
}
