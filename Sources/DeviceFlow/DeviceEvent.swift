internal import Synchronization

/// Something that an operator may want to know later: a line of the log each.
package struct DeviceEvent: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case asked, refused, approved, denied, taken, refreshed, revoked, expired
        /// The grant is withdrawn: two hold one code, or an old refresh token came back.
        case replayed
        /// The store could not be used.
        case failed
    }

    package var kind: Kind
    /// In this order; never a code, an alias or a refresh token.
    package var fields: [(String, String)]

    package static func == (a: DeviceEvent, b: DeviceEvent) -> Bool {
        a.kind == b.kind && a.fields.elementsEqual(b.fields) { $0 == $1 }
    }
}

/// What is counted.
package struct DeviceCounts: Sendable, Equatable {
    /// By `DeviceEvent.Kind.allCases`.
    package internal(set) var events = [UInt64](repeating: 0, count: DeviceEvent.Kind.allCases.count)
    package internal(set) var polls: UInt64 = 0
    package internal(set) var grants = 0
    /// Requests that were turned away because too many waited for the flow.
    package internal(set) var overload: UInt64 = 0

    package init() {}
}
