package import System

/// What the broker reports to the log. No case can contain a secret.
package enum TokenEvent: Sendable, Equatable {
    package enum Level: String, Sendable { case debug, info, warning }

    /// A token that differs from the one before.
    case obtained(cause: FetchCause, kind: TokenKind, source: TokenOrigin, version: UInt64)
    /// The source gave the same token again.
    case confirmed(cause: FetchCause)
    /// The source failed for the `attempt`th time in a row.
    case failed(cause: FetchCause, TokenSourceError, attempt: Int, retry: Duration, keepsToken: Bool)
    /// The source answers again after failures.
    case recovered(attempts: Int)
    /// A renewal asked for by a 401 is over.
    case renewal(RenewalOutcome, kind: TokenKind)
    /// The upstream was asked about the token itself.
    case judged(TokenStanding)
    /// The upstream refuses the token, for the `answers`th time it was asked, and the source has no other.
    case refused(TokenKind, source: TokenOrigin, answers: Int)
    /// The upstream accepts a token that it had rejected.
    case acceptedAgain
    /// Sentry was sent a bearer request to make it write its token.
    case provoked

    /// A persistent failure or refusal is a warning at its 1st, 2nd, 4th, 8th … attempt only.
    package var level: Level {
        switch self {
        case .obtained, .recovered, .provoked, .acceptedAgain: .info
        case .refused(_, _, let answers): answers & (answers - 1) == 0 ? .warning : .debug
        case .failed(_, _, let attempt, _, _): attempt & (attempt - 1) == 0 ? .warning : .debug
        case .renewal(.renewed, _): .info
        case .renewal: .warning
        case .confirmed, .judged: .debug
        }
    }

    /// One line.
    package var message: String {
        switch self {
        case .obtained(let cause, let kind, let source, let version):
            "token obtained: kind=\(kind.rawValue) source=\(source.rawValue) cause=\(cause.rawValue) version=\(version)"
        case .confirmed(let cause):
            "token confirmed, unchanged: cause=\(cause.rawValue)"
        case .failed(_, let error, let attempt, let retry, let keepsToken):
            "\(error.logMessage); attempt \(attempt), next in \(retry.milliseconds) ms; \(keepsToken ? "the last good token stays in use" : "no token, elevated requests get 503")"
        case .recovered(let attempts):
            "token source answers again after \(attempts) failed attempts"
        case .renewal(.renewed, _):
            "token renewed after a 401"
        case .renewal(.unchanged, .system):
            "token unchanged: is this proxy's address in INTERNAL_SYSTEM_IPS?"
        case .renewal(.unchanged, _):
            "token unchanged: the upstream refuses it, and its source has no other"
        case .renewal(.unavailable, _):
            "token not renewed after a 401: its source is unavailable"
        case .judged(.accepted):
            "a 401 was not about the token: the upstream accepts it"
        case .judged(.refused):
            "the upstream refuses the token"
        case .judged(.unclear):
            "the upstream was asked about the token after a 401, and its answer tells nothing"
        case .refused(let kind, let source, _):
            "\(TokenSourceError.refused(kind).logMessage); source=\(source.rawValue)"
        case .acceptedAgain:
            "the upstream accepts the token again"
        case .provoked:
            "no system token stored: Sentry was sent one bearer request so that it writes one"
        }
    }
}
