internal import System

/// What one exchange may do in one iteration of the loop, however many events report it.
struct IterationShare {
    private var iteration = UInt64.max
    /// Bytes that were moved, inflated or rewritten in this iteration; a short piece counts as a whole one.
    var moved = 0
    /// The iterations in which each side was postponed last.
    private var clientPostponed = UInt64.max
    private var upstreamPostponed = UInt64.max

    /// Whether another piece may follow. The first one of an iteration always may, so that everybody gets on; more of them
    /// only up to a number of bytes, and while the iteration is young.
    /// - Parameters:
    ///   - current: the iteration's number.
    ///   - began: when it began.
    mutating func mayMoveMore(inIteration current: UInt64, began: Instant) -> Bool {
        guard iteration == current else {
            (iteration, moved) = (current, 0)
            return true
        }
        guard moved > 0 else { return true }
        return moved < Bounds.bytesPerIteration && Clock.now - began < Bounds.iterationTime
    }

    /// - Returns: whether the side is not postponed in this iteration yet; then it is now.
    mutating func postpones(_ side: UInt8, inIteration current: UInt64) -> Bool {
        if side == Exchange.Side.client {
            guard clientPostponed != current else { return false }
            clientPostponed = current
        } else {
            guard upstreamPostponed != current else { return false }
            upstreamPostponed = current
        }
        return true
    }
}
