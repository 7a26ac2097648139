package import System

/// Whether the upstream answered lately. A pure rule: time is a parameter, in nanoseconds of the monotonic clock.
package struct UpstreamPulse: Sendable {
    /// Between two looks, and so at least between two probes.
    package static let look: Duration = .seconds(5)
    /// Without an answer for so long it counts as silent: two probes in a row that failed.
    package static let late: Duration = .seconds(12)

    private var answers: UInt64 = 0
    private var errors: UInt64 = 0
    private var answeredAt: Instant?

    package init() {}

    /// Looks at what the counters say of traffic. An answer of 5xx counts for nothing: a balancer before Sentry gives one too.
    /// - Parameters:
    ///   - answers: first bytes of the upstream, since the start.
    ///   - errors: requests that ended with 5xx, since the start.
    /// - Returns: whether a probe is needed, because traffic does not show that the upstream answers.
    package mutating func look(answers: UInt64, errors: UInt64, now: Instant) -> Bool {
        let isAnswering = answers &- self.answers > errors &- self.errors
        (self.answers, self.errors) = (answers, errors)
        if isAnswering { answeredAt = now }
        return !isAnswering
    }

    /// A probe was answered, with less than 500.
    package mutating func answered(now: Instant) { answeredAt = now }

    /// Before the first answer it is silent.
    package func isSilent(now: Instant) -> Bool {
        answeredAt.map { now - $0 > Self.late } ?? true
    }
}

extension Server {
    /// First bytes that the upstream sent, and requests that ended with 5xx, since the start.
    package func pulse(within time: Duration) -> (answers: UInt64, errors: UInt64) {
        collect(within: time).reduce(into: (0, 0)) { sum, report in
            sum.0 += report.counters.firstByteTimes.count
            for route in Counters.RouteLabel.allCases { sum.1 += report.counters.requests(route, statusClass: 5) }
        }
    }
}
