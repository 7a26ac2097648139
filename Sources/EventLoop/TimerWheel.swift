package import System

/// One timer per slot, in a hashed wheel: arming and disarming cost a few array writes, whatever the number of timers.
///
/// A timer that lies more than one turn ahead stays in its bucket until its turn comes. The resolution
/// is one tick, and a timer never fires early.
package struct TimerWheel {
    /// Nanoseconds in a tick: 2^24, about 17 ms.
    package static let tickShift: UInt64 = 24
    private static let buckets = 512

    private static let none: Int32 = -1

    /// Head of each bucket's list.
    private var heads = [Int32](repeating: none, count: buckets)
    /// One bit per bucket that holds a timer: finding the next one costs no walk.
    private var occupied = [UInt64](repeating: 0, count: buckets / 64)
    private var next: [Int32] = []
    private var previous: [Int32] = []
    /// Due tick of each slot; 0 when it is not armed.
    private var due: [UInt64] = []
    /// All ticks up to this one have been looked at.
    private var current: UInt64
    /// While the bucket of the tick after `current` is being looked at: the slot that comes next in it.
    private var cursor = none
    private var isWalking = false

    package init(now: Instant) {
        current = Self.tick(now)
    }

    private static func tick(_ time: Instant) -> UInt64 { time.nanoseconds >> tickShift }

    /// Timers that are armed.
    package private(set) var count = 0

    /// Sets the slot's timer, in place of an earlier one.
    package mutating func arm(slot: Int, at deadline: Instant) {
        if slot >= due.count { grow(to: slot + 1) }
        if due[slot] != 0 { unlink(slot) }
        // Rounded up, and never into a tick that was looked at already, or is now.
        let tick = max(Self.tick(deadline) + 1, current + (isWalking ? 2 : 1))
        due[slot] = tick
        link(slot, into: Int(tick % UInt64(Self.buckets)))
    }

    package mutating func disarm(slot: Int) {
        guard slot < due.count, due[slot] != 0 else { return }
        unlink(slot)
        due[slot] = 0
    }

    /// Takes the next timer that is due out of the wheel.
    /// - Returns: its slot, or nil when none is due any more.
    package mutating func popExpired(now: Instant) -> Int? {
        let target = Self.tick(now)
        guard count > 0 else {
            current = max(current, target)
            isWalking = false
            return nil
        }
        // More than a whole turn behind: every bucket is looked at once, which finds all that is due.
        if target > current + UInt64(Self.buckets) {
            current = target - UInt64(Self.buckets)
            isWalking = false
        }
        while current < target {
            if !isWalking { cursor = heads[Int((current + 1) % UInt64(Self.buckets))] }
            isWalking = true
            while cursor != Self.none {
                let slot = Int(cursor)
                cursor = next[slot]
                if due[slot] <= target {
                    disarm(slot: slot)
                    return slot
                }
            }
            isWalking = false
            current += 1
        }
        return nil
    }

    /// Milliseconds until the next bucket that holds a timer; -1 when no timer is armed.
    package func timeoutMilliseconds(now: Instant) -> Int32 {
        guard count > 0 else { return -1 }
        let start = current + 1
        var distance = 0
        while distance < Self.buckets {
            let bucket = Int((start + UInt64(distance)) % UInt64(Self.buckets))
            let word = occupied[bucket / 64] >> UInt64(bucket % 64)
            if word != 0 {
                distance += word.trailingZeroBitCount
                break
            }
            distance += 64 - bucket % 64
        }
        let deadline = Instant(nanoseconds: (start + UInt64(min(distance, Self.buckets))) << Self.tickShift)
        return Int32(truncatingIfNeeded: (deadline - now).millisecondsRoundedUp)
    }

    private mutating func grow(to slots: Int) {
        let size = max(slots, due.count * 2, 64)
        next.append(contentsOf: repeatElement(Self.none, count: size - next.count))
        previous.append(contentsOf: repeatElement(Self.none, count: size - previous.count))
        due.append(contentsOf: repeatElement(0, count: size - due.count))
    }

    private mutating func link(_ slot: Int, into bucket: Int) {
        let head = heads[bucket]
        next[slot] = head
        previous[slot] = Self.none
        if head != Self.none { previous[Int(head)] = Int32(slot) }
        heads[bucket] = Int32(slot)
        occupied[bucket / 64] |= 1 << UInt64(bucket % 64)
        count += 1
    }

    private mutating func unlink(_ slot: Int) {
        let bucket = Int(due[slot] % UInt64(Self.buckets))
        let (before, after) = (previous[slot], next[slot])
        if cursor == Int32(slot) { cursor = after }
        if before == Self.none { heads[bucket] = after } else { next[Int(before)] = after }
        if after != Self.none { previous[Int(after)] = before }
        if heads[bucket] == Self.none { occupied[bucket / 64] &= ~(1 << UInt64(bucket % 64)) }
        count -= 1
    }
}
