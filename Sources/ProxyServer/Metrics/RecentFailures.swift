internal import AccessPolicy
package import System

/// The last requests that were refused or went wrong, for the live page: neither path nor query, no alias and no token.
package struct RecentFailures: Sendable {
    package static let most = 50

    package struct Failure: Sendable {
        package var at: Instant
        package var id: UInt64
        /// 0 when the client left before its answer.
        package var status: Int
        package var cause: StaticString
        /// What exactly was wrong, or why the rights refused it.
        package var detail: StaticString?
        /// Where the alias is counted.
        package var aliasSlot: Int?
        package var route: Counters.RouteLabel
    }

    private var failures: [Failure] = []
    private var next = 0

    package init() { failures.reserveCapacity(Self.most) }

    mutating func note(_ failure: Failure) {
        if failures.count < Self.most {
            failures.append(failure)
        } else {
            failures[next] = failure
        }
        next = next + 1 == Self.most ? 0 : next + 1
    }

    /// Stops sharing memory with the original.
    mutating func detach() { failures = failures.map { $0 } }

    /// - Parameter mine: by the other's slots of aliases, those of the sum.
    mutating func add(_ other: RecentFailures, slots mine: [Int]) {
        for failure in other.failures {
            var failure = failure
            failure.aliasSlot = failure.aliasSlot.map { mine[$0] }
            failures.append(failure)
        }
        failures.sort { $0.at > $1.at }
        if failures.count > Self.most { failures.removeLast(failures.count - Self.most) }
        next = failures.count == Self.most ? 0 : failures.count
    }

    /// The latest first, of a sum.
    package var latestFirst: [Failure] { failures.sorted { $0.at > $1.at } }
}

extension AccessRecord {
    /// Nothing of it is shown on the live page: all went well. Inlined: a call would be handed a copy of all the bytes.
    @inline(__always)
    var isFine: Bool {
        status != 0 && status < 500 && cause.isNone && rights?.reason == nil && !isRefusedByUpstream
    }

    /// What the live page shows of it; nil when all went well.
    func failure(_ route: Counters.RouteLabel) -> RecentFailures.Failure? {
        let isOrdinary = status != 0 && status < 500 && cause.isNone && rights?.reason == nil
        guard !isOrdinary || isRefusedByUpstream else { return nil }
        let name: StaticString =
            !cause.isNone
            ? cause.name
            : rights?.reason != nil
                ? rights?.isShadowed == true ? "would_refuse" : "policy"
                : isRefusedByUpstream ? "upstream_401" : isLocalResponse ? "refused" : "upstream_error"
        return RecentFailures.Failure(
            at: endedAt, id: id, status: status, cause: name, detail: rights?.reason?.name ?? cause.detail,
            aliasSlot: aliasSlot, route: route)
    }
}
