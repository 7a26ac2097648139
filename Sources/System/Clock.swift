public import CEpoll

/// The two clocks, read by system call shim (vDSO); everything else takes time as a parameter.
@usableFromInline
package enum Clock {
    /// CLOCK_MONOTONIC: for deadlines and durations.
    @inlinable package static var now: Instant { Instant(nanoseconds: cepoll_monotonic_ns()) }
    /// CLOCK_REALTIME: for people.
    @inlinable package static var wall: WallTime { WallTime(nanoseconds: cepoll_realtime_ns()) }
    @inlinable package static var monotonic: UInt64 { cepoll_monotonic_ns() }
}
