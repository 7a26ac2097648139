/// What epoll hands back with an event: generation ‖ slot ‖ side.
///
/// The generation grows each time a slot is reused, so an event that was queued for the slot's former
/// holder is recognised and dropped.
@usableFromInline
package struct EventToken: Sendable, Equatable {
    @usableFromInline package let raw: UInt64

    @inlinable
    package init(raw: UInt64) {
        self.raw = raw
    }

    /// - Parameters:
    ///   - slot: 0 ..< 2^24.
    ///   - side: which of the slot's descriptors; 255 is the reactor's own.
    @inlinable
    package init(generation: UInt32, slot: Int, side: UInt8) {
        raw = UInt64(generation) << 32 | UInt64(slot & 0xff_ffff) << 8 | UInt64(side)
    }

    @inlinable
    package var generation: UInt32 { UInt32(truncatingIfNeeded: raw >> 32) }
    @inlinable
    package var slot: Int { Int(raw >> 8 & 0xff_ffff) }
    @inlinable
    package var side: UInt8 { UInt8(truncatingIfNeeded: raw) }
}

/// The readiness bits of one event (epoll_ctl(2)). What every event asks of them is spelled out: inherited from a protocol it
/// would be a generic call.
@usableFromInline
package struct Readiness: Sendable, Equatable {
    @usableFromInline package let rawValue: UInt32

    @inlinable @inline(__always)
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    @inlinable package static var nothing: Readiness { Readiness(rawValue: 0) }
    /// EPOLLIN.
    @inlinable package static var readable: Readiness { Readiness(rawValue: 0x001) }
    /// EPOLLOUT.
    @inlinable package static var writable: Readiness { Readiness(rawValue: 0x004) }
    /// EPOLLERR.
    @inlinable package static var error: Readiness { Readiness(rawValue: 0x008) }
    /// EPOLLHUP: both directions are shut.
    @inlinable package static var hangUp: Readiness { Readiness(rawValue: 0x010) }
    /// EPOLLRDHUP: the peer's FIN is in.
    @inlinable package static var peerClosed: Readiness { Readiness(rawValue: 0x2000) }
    /// What a reader waits for.
    @inlinable package static var incoming: Readiness { Readiness(rawValue: 0x2001) }
    /// What a reader and writer waits for.
    @inlinable package static var anything: Readiness { Readiness(rawValue: 0x2005) }
    @inlinable package static var broken: Readiness { Readiness(rawValue: 0x018) }
    @inlinable package static var incomingOrBroken: Readiness { Readiness(rawValue: 0x2019) }
    /// EPOLLET.
    @inlinable package static var edgeTriggered: Readiness { Readiness(rawValue: 1 << 31) }

    @inlinable @inline(__always)
    package var isEmpty: Bool { rawValue == 0 }

    /// One of `other`'s bits is set.
    @inlinable @inline(__always)
    package func intersects(_ other: Readiness) -> Bool { rawValue & other.rawValue != 0 }

    /// All of `other`'s bits are set.
    @inlinable @inline(__always)
    package func contains(_ other: Readiness) -> Bool { rawValue & other.rawValue == other.rawValue }

    @inlinable @inline(__always)
    package func union(_ other: Readiness) -> Readiness { Readiness(rawValue: rawValue | other.rawValue) }

    @inlinable @inline(__always)
    package static func == (a: Readiness, b: Readiness) -> Bool { a.rawValue == b.rawValue }
}
