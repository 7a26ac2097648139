internal import AccessPolicy
internal import System
internal import TLS

/// What one worker counts, on its own thread and without a lock; the sums are computed on demand.
package struct Counters: Sendable {
    /// Where a request went; `unrouted` was refused before that was decided.
    package enum RouteLabel: Int, Sendable, CaseIterable { case elevated, bypass, unrouted }

    /// 1xx to 5xx by their first digit; 0 is no answer at all: the client left.
    package static let statusClasses = 6

    /// TLS handshakes on one side.
    package struct Handshakes: Sendable {
        /// With an exchange of keys and certificates.
        package var full: UInt64 = 0
        package var resumed: UInt64 = 0
        package var failed: UInt64 = 0

        /// - Parameter isResumed: nil counts nothing: there was no TLS.
        mutating func count(_ isResumed: Bool?) {
            switch isResumed {
            case true?: resumed += 1
            case false?: full += 1
            case nil: break
            }
        }

        mutating func add(_ other: Handshakes) {
            full += other.full
            resumed += other.resumed
            failed += other.failed
        }
    }

    /// By route and status class.
    private var requests = InlineArray<18, UInt64>(repeating: 0)
    package private(set) var aliases = AliasCounts()
    package private(set) var decisions = DecisionCounts()
    package private(set) var history = RequestHistory()
    package private(set) var failures = RecentFailures()
    /// From accept to the answer's last byte, by route.
    package private(set) var totalTimes = InlineArray<3, Histogram>(repeating: Histogram())
    /// From the first attempt to the connection that worked.
    package private(set) var connectTimes = Histogram()
    /// From the connection to the answer's first byte.
    package private(set) var firstByteTimes = Histogram()
    package private(set) var causes = CauseCounts(Cause.allNames)
    /// By `RetryOutcome`.
    private var retries = InlineArray<5, UInt64>(repeating: 0)
    /// Answers of 401 that Sentry gave on the elevated route.
    package private(set) var unauthorized: UInt64 = 0
    package private(set) var bytesUp: UInt64 = 0
    package private(set) var bytesDown: UInt64 = 0
    /// Requests whose head has arrived and whose answer is not finished.
    package private(set) var inFlight: Int = 0
    /// Bytes held for clients.
    package var heldBytes = 0
    package var accepted: UInt64 = 0
    package var acceptErrors: UInt64 = 0
    /// Events that the state machine calls impossible; anything but 0 is a bug.
    package var impossibleSteps: UInt64 = 0
    /// With clients, when the proxy serves https.
    package var clientHandshakes = Handshakes()
    /// With the upstream.
    package var upstreamHandshakes = Handshakes()

    /// Connections with clients that TLS ended, by cause.
    package private(set) var clientTLSFailures = CauseCounts(Cause.tlsNames)
    /// Connections with the upstream that TLS ended, by cause.
    package private(set) var upstreamTLSFailures = CauseCounts(Cause.tlsNames)

    package init() {}

    mutating func clientTLSFailed(_ failure: TLSFailure) {
        clientTLSFailures.count(failure.logName)
    }

    mutating func upstreamTLSFailed(_ failure: TLSFailure) {
        upstreamTLSFailures.count(failure.logName)
    }

    package func requests(_ route: RouteLabel, statusClass: Int) -> UInt64 {
        requests[route.rawValue * Self.statusClasses + statusClass]
    }

    func retries(_ outcome: RetryOutcome) -> UInt64 { retries[Int(outcome.rawValue)] }

    /// The slots under which a table's first aliases are counted, by their index; the others have slot 0.
    mutating func aliasSlots(_ table: AliasTable?) -> [Int] {
        guard let table else { return [] }
        let slots = aliases.slots(for: (0..<min(table.count, AliasCounts.mostSlots)).map { table.name(at: $0) })
        if table.rights != nil { decisions.reserve(slots: aliases.names.count) }
        return slots
    }

    /// A request is in.
    mutating func requestBegan(alias slot: Int?) {
        inFlight += 1
        if let slot { aliases.began(slot: slot) }
    }

    /// Its answer is out, or will never be.
    mutating func requestEnded(alias slot: Int?) {
        inFlight -= 1
        if let slot { aliases.ended(slot: slot) }
    }

    /// Counts an exchange whose answer is out, or will never be.
    /// - Parameter record: not changed; `inout`, since it would be copied otherwise.
    mutating func count(_ record: inout AccessRecord) {
        // A connection on which nothing was asked is no request.
        guard record.isRouted || record.status != 0 else { return }
        let route: RouteLabel = record.isRouted ? record.route.isElevated ? .elevated : .bypass : .unrouted
        let statusClass = min(max(record.status, 0) / 100, Self.statusClasses - 1)
        requests[route.rawValue * Self.statusClasses + statusClass] &+= 1
        if let slot = record.aliasSlot {
            aliases.record(slot: slot, statusClass: statusClass)
            if let rights = record.rights { decisions.record(slot: slot, rights) }
        }
        history.record(at: record.endedAt, statusClass: statusClass)
        if !record.isFine, let failure = record.failure(route) { failures.note(failure) }
        totalTimes[route.rawValue].record(record.endedAt - record.acceptedAt)
        if record.connectedAt != .never {
            connectTimes.record(record.connectedAt - record.dialedAt)
            if record.firstByteAt != .never {
                firstByteTimes.record(record.firstByteAt - record.connectedAt)
            }
        }
        retries[Int(record.retry.rawValue)] &+= 1
        if !record.cause.isNone { causes.count(record.cause.name) }
        if record.isRefusedByUpstream { unauthorized &+= 1 }
        bytesUp &+= record.bytesUp
        bytesDown &+= record.bytesDown
    }

    /// A copy for another thread. It shares no memory with this one, so that counting continues without allocating.
    func snapshot() -> Counters {
        var copy = self
        copy.aliases.detach()
        copy.decisions.detach()
        copy.history.detach()
        copy.failures.detach()
        copy.causes.detach()
        copy.clientTLSFailures.detach()
        copy.upstreamTLSFailures.detach()
        return copy
    }

    package mutating func add(_ other: Counters) {
        for index in requests.indices { requests[index] += other.requests[index] }
        aliases.add(other.aliases)
        let slots = aliases.slots(of: other.aliases)
        decisions.add(other.decisions, slots: slots)
        history.add(other.history)
        failures.add(other.failures, slots: slots)
        for index in totalTimes.indices { totalTimes[index].add(other.totalTimes[index]) }
        connectTimes.add(other.connectTimes)
        firstByteTimes.add(other.firstByteTimes)
        causes.add(other.causes)
        for index in retries.indices { retries[index] += other.retries[index] }
        unauthorized += other.unauthorized
        bytesUp += other.bytesUp
        bytesDown += other.bytesDown
        inFlight += other.inFlight
        heldBytes += other.heldBytes
        accepted += other.accepted
        acceptErrors += other.acceptErrors
        impossibleSteps += other.impossibleSteps
        clientHandshakes.add(other.clientHandshakes)
        upstreamHandshakes.add(other.upstreamHandshakes)
        clientTLSFailures.add(other.clientTLSFailures)
        upstreamTLSFailures.add(other.upstreamTLSFailures)
    }
}
