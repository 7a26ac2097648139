internal import System

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
        TokenInstant(
            monotonicNanoseconds: Clock.monotonic, wallSeconds: Int64(Clock.realtime / 1_000_000_000))
    }

    package func sleep(nanoseconds: UInt64) async {
        try? await Task.sleep(nanoseconds: nanoseconds)
    }
}
