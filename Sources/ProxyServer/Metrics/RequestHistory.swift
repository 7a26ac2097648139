package import System

/// Answers by status class over the last quarter of an hour, in slots of ten seconds.
///
/// Each worker keeps one: 2 KiB, and an addition to count a request. Slots are numbered by the monotonic clock, so that
/// those of several workers are the same moments.
package struct RequestHistory: Sendable {
    package static let slot: Duration = .seconds(10)
    package static let slots = 90
    private static let classes = Counters.statusClasses

    /// By slot number modulo `slots`, then by class.
    private var counts = [UInt32](repeating: 0, count: slots * classes)
    /// The latest slot; those up to `slots - 1` before it are kept.
    private var latest: UInt64 = 0
    /// In `counts`.
    private var start = 0
    private var end = Instant(nanoseconds: slot.nanoseconds)

    package init() {}

    package mutating func record(at now: Instant, statusClass: Int) {
        if now >= end { advance(to: Self.number(now)) }
        counts[start + statusClass] &+= 1
    }

    private mutating func advance(to slot: UInt64) {
        guard slot > latest else { return }
        for missed in max(latest + 1, slot - min(slot, UInt64(Self.slots - 1)))...slot {
            let first = Self.index(missed)
            for index in first..<first + Self.classes { counts[index] = 0 }
        }
        (latest, start) = (slot, Self.index(slot))
        end = Instant(nanoseconds: (slot + 1) * Self.slot.nanoseconds)
    }

    private static func number(_ time: Instant) -> UInt64 { time.nanoseconds / slot.nanoseconds }
    private static func index(_ slot: UInt64) -> Int { Int(slot % UInt64(slots)) * classes }

    /// Stops sharing memory with the original.
    mutating func detach() { counts = counts.map { $0 } }

    package mutating func add(_ other: RequestHistory) {
        advance(to: other.latest)
        for slot in other.kept where isKept(slot) {
            let first = Self.index(slot)
            for index in first..<first + Self.classes { counts[index] &+= other.counts[index] }
        }
    }

    private var kept: ClosedRange<UInt64> { latest - min(latest, UInt64(Self.slots - 1))...latest }
    private func isKept(_ slot: UInt64) -> Bool { kept.contains(slot) }

    /// The slots up to the one that holds `now`, oldest first; each by class.
    package func slots(until now: Instant) -> [[UInt64]] {
        let last = Self.number(now)
        return (0..<UInt64(Self.slots)).map { back in
            let age = UInt64(Self.slots - 1) - back
            guard last >= age, isKept(last - age) else { return [UInt64](repeating: 0, count: Self.classes) }
            let first = Self.index(last - age)
            return counts[first..<first + Self.classes].map { UInt64($0) }
        }
    }
}
