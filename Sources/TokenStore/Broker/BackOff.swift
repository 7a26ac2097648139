internal import System

/// How long to wait after a failure: 1 s, doubling up to a cap, less a random half.
///
/// The cap is 3 s for what mends itself, because the proxy must be well again within 5 s of its database; and 30 s for
/// what waits for a person, because a wrong password sent every 3 s can lock an account.
struct BackOff {
    static let first: Duration = .seconds(1)
    static let cap: Duration = .seconds(3)
    static let operatorCap: Duration = .seconds(30)

    /// Failures in a row.
    private(set) var failures = 0

    mutating func reset() { failures = 0 }

    /// Counts one more failure.
    /// - Parameter random: 0 up to but not including 1.
    /// - Returns: between half of the step and the whole of it.
    mutating func next(after error: TokenSourceError, random: Double) -> Duration {
        failures += 1
        let cap = error.needsOperator ? Self.operatorCap : Self.cap
        let step = min(cap, Self.first * (1 << min(failures - 1, 10)))
        return step / 2 + .nanoseconds(UInt64(Double((step / 2).nanoseconds) * random))
    }
}
