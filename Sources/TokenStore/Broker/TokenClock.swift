internal import Glibc

/// Time as a parameter: the broker asks this and nothing else.
package protocol TokenClock: Sendable {
    func now() -> TokenInstant
    /// Returns after `nanoseconds`, or at once when the task is cancelled.
    func sleep(nanoseconds: UInt64) async
}

/// The machine's clocks.
package struct SystemClock: TokenClock {
    package init() {}

    package func now() -> TokenInstant {
        var monotonic = timespec()
        clock_gettime(CLOCK_MONOTONIC, &monotonic)
        var wall = timespec()
        clock_gettime(CLOCK_REALTIME, &wall)
        return TokenInstant(
            monotonicNanoseconds: UInt64(monotonic.tv_sec) * 1_000_000_000 + UInt64(monotonic.tv_nsec),
            wallSeconds: Int64(wall.tv_sec)
        )
    }

    package func sleep(nanoseconds: UInt64) async {
        try? await Task.sleep(nanoseconds: nanoseconds)
    }
}
