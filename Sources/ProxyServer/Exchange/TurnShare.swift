internal import System

/// What one exchange may do in one turn of the loop, however many events report it.
struct TurnShare {
    private var turn = UInt64.max
    /// Bytes that were moved, inflated or rewritten in this turn; a short piece counts as a whole one.
    var moved = 0
    /// The turns in which each side was postponed last.
    private var clientPostponed = UInt64.max
    private var upstreamPostponed = UInt64.max

    /// Whether another piece may follow. The first one of a turn always may, so that everybody gets on; more of them
    /// only up to a number of bytes, and while the turn is young.
    /// - Parameters:
    ///   - current: the turn's number.
    ///   - began: when it began.
    mutating func mayMoveMore(inTurn current: UInt64, began: Instant) -> Bool {
        guard turn == current else {
            (turn, moved) = (current, 0)
            return true
        }
        guard moved > 0 else { return true }
        return moved < Bounds.bytesPerTurn && Clock.now - began < Bounds.turn
    }

    /// - Returns: whether the side is not postponed in this turn yet; then it is now.
    mutating func postpones(_ side: UInt8, inTurn current: UInt64) -> Bool {
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
