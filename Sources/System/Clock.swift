public import CEpoll

/// The two clocks, read by system call shim (vDSO); everything else takes time as a parameter.
@usableFromInline
package enum Clock {
    /// CLOCK_MONOTONIC in nanoseconds: for deadlines and durations.
    @inlinable package static var monotonic: UInt64 { cepoll_monotonic_ns() }
    /// CLOCK_REALTIME in nanoseconds since 1970: for people.
    @inlinable package static var realtime: UInt64 { cepoll_realtime_ns() }
}
