package import System

/// Time as a parameter: the broker's only clock.
package protocol TokenClock: Sendable {
    func now() -> TokenInstant
    /// Returns after this time, or at once when the task is cancelled.
    func sleep(for time: Duration) async
}

/// The machine's clocks.
package struct SystemClock: TokenClock {
    package init() {}

    package func now() -> TokenInstant {
        TokenInstant(monotonic: Clock.now, wallSeconds: Clock.wall.seconds)
    }

    package func sleep(for time: Duration) async {
        try? await Task.sleep(nanoseconds: time.nanoseconds)
    }
}
