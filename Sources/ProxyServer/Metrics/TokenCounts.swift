internal import Synchronization
package import TokenStore

/// What became of the token, counted from the broker's events.
package final class TokenCounts: Sendable {
    struct Values {
        /// By cause: fetches that gave a new token, the same token, or failed.
        var fetches: [String: [String: UInt64]] = [:]
        /// Renewals that a 401 asked for, by outcome.
        var renewals: [String: UInt64] = ["renewed": 0, "unchanged": 0, "unavailable": 0]
        /// What the upstream said of the token itself.
        var standings = Dictionary(uniqueKeysWithValues: TokenStanding.allCases.map { ($0.rawValue, UInt64(0)) })
    }

    private let values = Mutex(Values())

    package init() {}

    package func count(_ event: TokenEvent) {
        if case .obtained(let cause, _, _, _) = event { count(cause, "obtained") }
        if case .confirmed(let cause) = event { count(cause, "confirmed") }
        if case .failed(let cause, _, _, _, _) = event { count(cause, "failed") }
        if case .judged(let standing) = event {
            values.withLock { $0.standings[standing.rawValue, default: 0] += 1 }
        }
        if case .renewal(let outcome, _) = event { values.withLock { $0.renewals[outcome.rawValue, default: 0] += 1 } }
    }

    private func count(_ cause: FetchCause, _ outcome: String) {
        values.withLock { $0.fetches[cause.rawValue, default: [:]][outcome, default: 0] += 1 }
    }

    var current: Values { values.withLock { $0 } }
}
