public import Synchronization

/// A point of the monotonic clock: for deadlines, and for how long something took.
///
/// One word, so that it costs what the bare number would. It is a type of its own beside `WallTime`, so that the two
/// clocks cannot be mixed: no operation takes both.
@usableFromInline
package struct Instant: Sendable, Hashable, Comparable {
    /// Since the machine's start, about.
    @usableFromInline package let nanoseconds: UInt64

    @inlinable
    package init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// Later than anything that happens: the deadline of what has none, the time of what has not happened.
    @inlinable package static var never: Instant { Instant(nanoseconds: .max) }
    /// Before anything that happened: a pause until then is over.
    @inlinable package static var distantPast: Instant { Instant(nanoseconds: 0) }

    @inlinable
    package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    @inlinable
    package static func - (end: Instant, length: Duration) -> Instant {
        Instant(nanoseconds: end.nanoseconds > length.nanoseconds ? end.nanoseconds &- length.nanoseconds : 0)
    }

    /// Anything beyond the clock's end is `never`.
    @inlinable
    package static func + (start: Instant, length: Duration) -> Instant {
        let (sum, overflow) = start.nanoseconds.addingReportingOverflow(length.nanoseconds)
        return overflow ? .never : Instant(nanoseconds: sum)
    }

    /// The time from `start` to `end`; zero when `end` is earlier, which for a deadline says that nothing is left.
    @inlinable
    package static func - (end: Instant, start: Instant) -> Duration {
        .nanoseconds(end.nanoseconds > start.nanoseconds ? end.nanoseconds &- start.nanoseconds : 0)
    }
}

extension Instant: AtomicRepresentable {
    @inlinable package static func encodeAtomicRepresentation(_ value: consuming Instant) -> UInt64.AtomicRepresentation
    {
        UInt64.encodeAtomicRepresentation(value.nanoseconds)
    }

    @inlinable package static func decodeAtomicRepresentation(_ word: consuming UInt64.AtomicRepresentation) -> Instant
    {
        Instant(nanoseconds: UInt64.decodeAtomicRepresentation(word))
    }
}

/// A length of time, never negative.
///
/// Not the standard library's: that one is 128 bits of attoseconds, which is two words to store and to pass and a carry
/// in each sum, on every deadline that a byte moves. Where this module is imported `Duration` is this one; nothing
/// converts between the two, so that a mix-up does not compile.
@usableFromInline
package struct Duration: Sendable, Hashable, Comparable {
    @usableFromInline package let nanoseconds: UInt64

    @inlinable
    init(_ nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    @inlinable package static var zero: Duration { Duration(0) }
    @inlinable package static func nanoseconds(_ count: UInt64) -> Duration { Duration(count) }
    @inlinable package static func microseconds(_ count: UInt64) -> Duration { Duration(count * 1_000) }
    @inlinable package static func milliseconds(_ count: UInt64) -> Duration { Duration(count * 1_000_000) }
    @inlinable package static func seconds(_ count: UInt64) -> Duration { Duration(count * 1_000_000_000) }
    @inlinable package static func minutes(_ count: UInt64) -> Duration { .seconds(count * 60) }

    /// Whole ones, rounded down.
    @inlinable package var seconds: UInt64 { nanoseconds / 1_000_000_000 }
    @inlinable package var milliseconds: UInt64 { nanoseconds / 1_000_000 }
    package var inSeconds: Double { Double(nanoseconds) / 1e9 }
    /// Rounded up, so that nobody who sleeps for that long wakes too early.
    @inlinable package var secondsRoundedUp: UInt64 { seconds + (nanoseconds % 1_000_000_000 == 0 ? 0 : 1) }
    @inlinable package var millisecondsRoundedUp: UInt64 { milliseconds + (nanoseconds % 1_000_000 == 0 ? 0 : 1) }

    @inlinable
    package static func < (left: Duration, right: Duration) -> Bool { left.nanoseconds < right.nanoseconds }
    @inlinable
    package static func + (left: Duration, right: Duration) -> Duration {
        Duration(left.nanoseconds + right.nanoseconds)
    }
    @inlinable
    package static func += (left: inout Duration, right: Duration) { left = left + right }
    /// Zero when there is less than is taken away.
    @inlinable
    package static func - (left: Duration, right: Duration) -> Duration {
        Duration(left.nanoseconds > right.nanoseconds ? left.nanoseconds &- right.nanoseconds : 0)
    }
    @inlinable
    package static func * (length: Duration, count: Int) -> Duration { Duration(length.nanoseconds * UInt64(count)) }
    @inlinable
    package static func / (length: Duration, count: Int) -> Duration { Duration(length.nanoseconds / UInt64(count)) }
}

/// A point of the wall clock, which may be set: for people, and for what outlives the process.
@usableFromInline
package struct WallTime: Sendable, Hashable, Comparable {
    /// Since 1970.
    @usableFromInline package let nanoseconds: UInt64

    @inlinable
    package init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    @inlinable package var seconds: Int64 { Int64(nanoseconds / 1_000_000_000) }
    @inlinable package var milliseconds: Int64 { Int64(nanoseconds / 1_000_000) }

    @inlinable
    package static func < (left: WallTime, right: WallTime) -> Bool { left.nanoseconds < right.nanoseconds }
}
