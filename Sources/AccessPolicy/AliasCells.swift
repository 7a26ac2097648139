internal import Synchronization
package import System

/// What all workers count of one alias together: its rate and its requests in flight.
///
/// The rate is GCRA (ITU-T I.371, the virtual scheduling form): one number, the time at which the next request would be
/// exactly in time, so that the count is exact over all workers without a lock.
package final class AliasCell: Sendable {
    // A block of its own beside the counts of other aliases: malloc packs small objects into one cache line.
    private let before = InlineArray<6, UInt64>(repeating: 0)
    private let due = Atomic(Instant.distantPast)
    private let flying = Atomic<Int>(0)
    private let after = InlineArray<6, UInt64>(repeating: 0)

    package init() {}

    /// Takes one request off the rate.
    /// - Returns: zero when it may go on; else the time after which one may.
    package func spend(_ rate: RateLimit, now: Instant) -> Duration {
        let tolerance = rate.interval * Int(rate.burst - 1)
        var known = due.load(ordering: .relaxed)
        for _ in 0..<Self.mostTries {
            let start = max(known, now)
            if start - now > tolerance { return start - now - tolerance }
            let (exchanged, original) = due.weakCompareExchange(
                expected: known, desired: start + rate.interval, ordering: .relaxed)
            if exchanged { return .zero }
            known = original
        }
        // Everybody else was faster, again and again: that is a rate too high.
        return rate.interval
    }

    /// How many of the `burst` requests are used up now: between 0 and `burst`.
    package func used(_ rate: RateLimit, now: Instant) -> UInt64 {
        let (left, interval) = ((due.load(ordering: .relaxed) - now).nanoseconds, rate.interval.nanoseconds)
        return min(UInt64(rate.burst), (left + interval - 1) / interval)
    }

    /// A try fails when another worker counted a request meanwhile; now and then for no reason.
    private static let mostTries = 1_024

    /// Counts a request in.
    /// - Returns: false when there are `most` already; it is not counted then.
    package func enter(most: Int32) -> Bool {
        guard flying.add(1, ordering: .relaxed).newValue > Int(most) else { return true }
        leave()
        return false
    }

    /// A request that was counted in is over.
    package func leave() { flying.subtract(1, ordering: .relaxed) }
}
