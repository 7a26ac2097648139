/// How many connections one iteration accepts.
///
/// Accepting until there is none costs a system call that brings nothing, once an iteration; accepting one by one costs an iteration
/// for each. The listener is level-triggered, so what is left over is reported again: the quota follows what was found
/// lately, and is raised to look for more only now and then.
struct AcceptQuota {
    /// Iterations that used the quota up, before it is raised.
    private static let patience = 32

    private(set) var quota = 1
    private var usedUpInARow = 0

    /// Everything that is in the queue.
    static let unbounded = AcceptQuota(quota: .max)

    init() {}

    private init(quota: Int) {
        self.quota = quota
    }

    /// The queue was empty after `accepted` connections.
    mutating func foundNone(after accepted: Int) {
        guard quota != .max else { return }
        quota = max(1, accepted)
        usedUpInARow = 0
    }

    /// There may be more in the queue.
    mutating func usedUp() {
        guard quota != .max else { return }
        usedUpInARow += 1
        guard usedUpInARow >= Self.patience else { return }
        quota = min(quota * 2, Bounds.acceptsPerIteration)
        usedUpInARow = 0
    }
}
