package import System

/// When to ask for the token while a person signs in (RFC 8628 §3.5). A pure machine: time is a parameter.
package struct DeviceFlow: Sendable {
    /// What `slow_down` adds to the interval, for this and all later polls.
    package static let slowDown: Duration = .seconds(5)
    /// The interval doubles at each failure of the network, up to this.
    static let longestInterval: Duration = .seconds(60)
    /// So many answers in a row that are none of the server's end the flow; a firewall that blocks one call must not.
    static let mostStrangers = 5

    package enum End: Error, Sendable, Equatable {
        /// The person said no.
        case denied
        /// The code is no longer good.
        case codeExpired
        /// The command's own patience ended.
        case timeout
        /// Any other refusal.
        case failed(OAuthError)
    }

    private let codeEnd: Instant
    private let patienceEnd: Instant
    private var interval: Duration
    private var faults = 0
    /// Answers in a row that were none of an authorization server's.
    private var strangers = 0

    /// - Parameter timeout: the command's patience; the code may end sooner.
    package init(_ authorization: DeviceAuthorization, timeout: Duration, now: Instant) {
        codeEnd = now + authorization.expiresIn
        patienceEnd = now + timeout
        interval = authorization.interval
    }

    /// When waiting is over at the latest.
    package var end: Instant { min(codeEnd, patienceEnd) }

    /// How long to wait before the first poll.
    package func first(now: Instant) throws(End) -> Duration { try wait(now) }

    /// How long to wait after a poll that brought no token.
    package mutating func next(after error: OAuthError, now: Instant) throws(End) -> Duration {
        if case .unexpected = error { strangers += 1 } else { strangers = 0 }
        switch error {
        case .refused(.authorizationPending):
            faults = 0
        case .refused(.slowDown):
            faults = 0
            interval += Self.slowDown
        case .refused(.expiredToken): throw .codeExpired
        case .refused(.accessDenied): throw .denied
        case .unreachable, .serverTrouble:
            // §3.5: on a connection timeout, poll less often; doubling the interval is its example.
            faults += 1
        case .unexpected where strangers < Self.mostStrangers: faults += 1
        case .refused, .redirected, .unexpected, .malformedAnswer: throw .failed(error)
        }
        return try wait(now)
    }

    private func wait(_ now: Instant) throws(End) -> Duration {
        let wait =
            faults == 0 ? interval : max(interval, min(interval * (1 << min(faults, 10)), Self.longestInterval))
        let at = now + wait
        if at >= codeEnd || at >= patienceEnd { throw codeEnd <= patienceEnd ? .codeExpired : .timeout }
        return wait
    }
}
