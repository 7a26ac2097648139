/// How long to wait after a failure: 1 s, doubling up to a cap, less a random half.
///
/// The cap is 3 s for what mends itself, because the proxy must be well again within 5 s of its database; and 30 s for
/// what waits for a person, because a wrong password sent every 3 s can lock an account.
struct BackOff {
    static let firstNanoseconds: UInt64 = 1_000_000_000
    static let capNanoseconds: UInt64 = 3_000_000_000
    static let operatorCapNanoseconds: UInt64 = 30_000_000_000

    /// Failures in a row.
    private(set) var failures = 0

    mutating func reset() { failures = 0 }

    /// Counts one more failure.
    /// - Parameter random: 0 up to but not including 1.
    /// - Returns: nanoseconds, between half of the step and the whole of it.
    mutating func next(after error: TokenSourceError, random: Double) -> UInt64 {
        failures += 1
        let cap = error.needsOperator ? Self.operatorCapNanoseconds : Self.capNanoseconds
        let step = min(cap, Self.firstNanoseconds << UInt64(min(failures - 1, 10)))
        return step / 2 + UInt64(Double(step / 2) * random)
    }
}
