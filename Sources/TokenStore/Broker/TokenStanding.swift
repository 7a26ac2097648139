internal import System

/// What the upstream says about a token alone.
package enum TokenStanding: String, Sendable, CaseIterable {
    case accepted
    case refused
    /// No answer, or one that tells nothing of the token.
    case unclear
}

/// Asks the upstream about a token by one call with a deadline of its own.
package typealias TokenQuestion = @Sendable (Secret) async -> TokenStanding

/// When a refused login may be renewed. A pure rule: time is a parameter.
///
/// Where every token is refused (an address that Sentry does not take), a new one is refused as well, and each renewal
/// uses a refresh token up: so the wait between two of them doubles.
struct RenewalBudget {
    static let first: Duration = .seconds(30)
    static let cap: Duration = .seconds(3_600)

    private var lastAt: Instant?
    private var inARow = 0

    func mayRenew(now: Instant) -> Bool {
        guard let lastAt else { return true }
        return now >= lastAt + min(Self.first * (1 << min(inARow, 10)), Self.cap)
    }

    /// A renewal brought a new token. Long after the one before, it is the first of its row.
    mutating func renewed(now: Instant) {
        inARow = lastAt.map { now < $0 + Self.cap * 2 ? inARow + 1 : 0 } ?? 0
        lastAt = now
    }
}
