package import System

/// Durations, counted in fixed buckets: recording one is a few compares of integers.
package struct Histogram: Sendable {
    /// Upper bounds of the buckets in nanoseconds; one more bucket takes what is above all of them.
    package static let bounds: InlineArray<15, UInt64> = [
        500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000, 250_000_000,
        500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000, 30_000_000_000,
    ]

    /// How many fell into each bucket, not yet summed up.
    package private(set) var buckets = InlineArray<16, UInt64>(repeating: 0)
    /// All durations together, in nanoseconds: 584 years fit.
    package private(set) var sum: UInt64 = 0

    package init() {}

    package var count: UInt64 {
        var count: UInt64 = 0
        for index in buckets.indices { count += buckets[index] }
        return count
    }

    /// A duration equal to a bound is in that bound's bucket (`le`).
    package mutating func record(_ length: Duration) {
        let nanoseconds = length.nanoseconds
        var index = 0
        while index < Self.bounds.count, nanoseconds > Self.bounds[index] { index += 1 }
        buckets[index] &+= 1
        sum &+= nanoseconds
    }

    package mutating func add(_ other: Histogram) {
        for index in buckets.indices { buckets[index] &+= other.buckets[index] }
        sum &+= other.sum
    }

    /// What was recorded since `earlier`, a copy of this one.
    package func since(_ earlier: Histogram) -> Histogram {
        var difference = self
        for index in buckets.indices { difference.buckets[index] &-= earlier.buckets[index] }
        difference.sum &-= earlier.sum
        return difference
    }

    /// The duration that this share of all does not exceed, by linear interpolation within its bucket; nil when there are
    /// none, and the highest bound for what is above it.
    package func quantile(_ share: Double) -> Duration? {
        let count = count
        guard count > 0 else { return nil }
        let rank = share * Double(count)
        var below: UInt64 = 0
        for index in Self.bounds.indices {
            let here = buckets[index]
            if here > 0, Double(below + here) >= rank {
                let start = index == 0 ? 0 : Self.bounds[index - 1]
                let part = max(0, rank - Double(below)) / Double(here)
                return .nanoseconds(start + UInt64(Double(Self.bounds[index] - start) * part))
            }
            below += here
        }
        return .nanoseconds(Self.bounds[Self.bounds.count - 1])
    }
}
