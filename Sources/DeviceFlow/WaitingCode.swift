internal import AccessPolicy
internal import System

/// A device code that was asked for, from then until its time is over. Codes are there as digests alone.
package struct WaitingCode: Sendable, Equatable, Codable {
    /// What was approved.
    package struct Plan: Sendable, Equatable, Codable {
        package var name: String
        package var words: [String]
        package var scopes: [String]
        /// Seconds.
        package var lifetime: Int64
        package var approver: String
    }

    package enum State: Sendable, Equatable, Codable {
        case waiting
        case approved(Plan)
        case denied
        /// The client was told that it is denied.
        case over
        /// The grant of this name was made then.
        case taken(String, made: Int64)
    }

    /// What a poll comes to (RFC 8628 §3.5).
    enum Poll: Equatable {
        case pending, slowDown, denied, expired, invalid
        case take(Plan)
        /// Two hold one code: the grant is withdrawn.
        case takenTwice(String, made: Int64)
    }

    static let lifetime: Int64 = 600
    static let firstInterval: Int64 = 5
    /// Wrong approval codes that end it.
    static let mostWrong = 5

    package var deviceDigest: String
    package var userDigest: String
    /// The first four letters of the user code: what people see of it.
    package var shown: String
    package var client: String
    package var asked: [String]
    package var address: String
    package var userAgent: String
    package var made: Int64
    package var ends: Int64
    package var interval = WaitingCode.firstInterval
    /// Milliseconds of the store's clock; nil is never.
    package var polled: Int64?
    package var wrong = 0
    package var state = State.waiting

    /// Whom `device deny --client` keeps out: the last 64 bits of an IPv6 address are for its owner to choose (RFC 4291 §2.5.4).
    var customer: String { Self.customer(IPAddress(address.utf8.span)) ?? address }

    static func customer(_ address: IPAddress?) -> String? {
        address.map {
            $0.isIPv4 ? DeviceAuthorizer.text($0) : DeviceAuthorizer.text(IPAddress(high: $0.high, low: 0)) + "/64"
        }
    }

    /// Whether it counts among those that wait.
    func isWaiting(_ now: Int64) -> Bool {
        switch state {
        case .waiting, .approved: ends > now
        case .denied, .over, .taken: false
        }
    }

    /// The client asks whether there is something for it.
    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - clock: what the store's clock has come to.
    mutating func poll(client: String, now: Int64, clock: Duration) -> Poll {
        guard client == self.client else { return .invalid }
        if case .taken(let name, let made) = state { return .takenTwice(name, made: made) }
        guard ends > now else { return .expired }
        // Others may write to the store: a time that cannot be is taken for the nearest that can.
        let present = Int64(clock.milliseconds)
        let pace = min(max(interval, 0), WaitingCode.lifetime)
        let isEarly = polled.map { present - min(max($0, 0), present) < pace * 1_000 } ?? false
        polled = present
        if isEarly {
            interval = pace + 5
            return .slowDown
        }
        switch state {
        case .waiting: return .pending
        case .approved(let plan): return .take(plan)
        case .denied:
            state = .over
            return .denied
        case .over, .taken: return .invalid
        }
    }
}
