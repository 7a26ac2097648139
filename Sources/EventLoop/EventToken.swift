/// What epoll hands back with an event: generation ‖ slot ‖ side.
///
/// The generation grows each time a slot is reused, so an event that was queued for the slot's former
/// holder is recognised and dropped.
package struct EventToken: Sendable, Equatable {
    package let raw: UInt64

    package init(raw: UInt64) {
        self.raw = raw
    }

    /// - Parameters:
    ///   - slot: 0 ..< 2^24.
    ///   - side: which of the slot's descriptors; 255 is the reactor's own.
    package init(generation: UInt32, slot: Int, side: UInt8) {
        raw = UInt64(generation) << 32 | UInt64(slot & 0xff_ffff) << 8 | UInt64(side)
    }

    package var generation: UInt32 { UInt32(truncatingIfNeeded: raw >> 32) }
    package var slot: Int { Int(raw >> 8 & 0xff_ffff) }
    package var side: UInt8 { UInt8(truncatingIfNeeded: raw) }
}

/// The readiness bits of one event (epoll_ctl(2)).
package struct Readiness: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package static let readable = Readiness(rawValue: 0x001)  // EPOLLIN
    package static let writable = Readiness(rawValue: 0x004)  // EPOLLOUT
    package static let error = Readiness(rawValue: 0x008)  // EPOLLERR
    package static let hangUp = Readiness(rawValue: 0x010)  // EPOLLHUP: both directions are shut
    package static let peerClosed = Readiness(rawValue: 0x2000)  // EPOLLRDHUP: the peer's FIN is in
    /// What a reader waits for. (Sets that the data path uses are written out: a literal of several costs a generic call.)
    package static let incoming = Readiness(rawValue: 0x2001)
    /// What a reader and writer waits for.
    package static let anything = Readiness(rawValue: 0x2005)
    package static let broken = Readiness(rawValue: 0x018)
    package static let incomingOrBroken = Readiness(rawValue: 0x2019)
    package static let edgeTriggered = Readiness(rawValue: 1 << 31)  // EPOLLET

    /// One of `other`'s bits is set.
    @inline(__always)
    package func intersects(_ other: Readiness) -> Bool { rawValue & other.rawValue != 0 }
}
