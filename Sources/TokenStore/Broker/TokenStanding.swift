/// What the upstream says of a token when it is asked about nothing else.
package enum TokenStanding: String, Sendable, CaseIterable {
    case accepted
    case refused
    /// No answer, or one that tells nothing of the token.
    case unclear
}

/// Asks the upstream about a token by one call with a deadline of its own.
package typealias TokenQuestion = @Sendable (Secret) async -> TokenStanding

/// When a refused login may be renewed. A pure rule: time is a parameter, in nanoseconds of the monotonic clock.
///
/// Where every token is refused (an address that Sentry does not take), a new one is refused as well, and each renewal
/// uses a refresh token up: so the wait between two of them doubles.
struct RenewalBudget {
    static let firstNanoseconds: UInt64 = 30_000_000_000
    static let capNanoseconds: UInt64 = 3_600_000_000_000

    private var lastAt: UInt64?
    private var inARow: UInt64 = 0

    func mayRenew(now: UInt64) -> Bool {
        guard let lastAt else { return true }
        return now >= lastAt &+ min(Self.firstNanoseconds << min(inARow, 10), Self.capNanoseconds)
    }

    /// A renewal brought a new token. Long after the one before, it is the first of its row.
    mutating func renewed(now: UInt64) {
        inARow = lastAt.map { now < $0 &+ 2 * Self.capNanoseconds ? inARow + 1 : 0 } ?? 0
        lastAt = now
    }
}
