/// What one worker counts, on its own thread and without a lock; the sums are made when somebody asks.
package struct Counters: Sendable {
    package var requestsElevated: UInt64 = 0
    package var requestsBypass: UInt64 = 0
    package var accepted: UInt64 = 0
    package var acceptErrors: UInt64 = 0
    package var bytesUp: UInt64 = 0
    package var bytesDown: UInt64 = 0
    package var inFlight: Int = 0
    /// Events that the state machine calls impossible; anything but 0 is a bug.
    package var impossibleSteps: UInt64 = 0

    package init() {}
}
