internal import DeviceFlow
internal import System
internal import TokenStore

/// All metrics of the process. `docs/operations.md` has a row for each family, and a test compares the two.
struct Metrics {
    static let prefix = "sentry_api_proxy_"
    private static let statusNames = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"]
    private static let retryNames: [(RetryOutcome, String)] = [
        (.renewed, "renewed"), (.unchanged, "unchanged"), (.unavailable, "unavailable"),
        (.bodyTooLarge, "body_too_large"),
    ]

    private let facts: AdminFacts
    private var out = Exposition()

    init(_ facts: AdminFacts) {
        self.facts = facts
    }

    /// Asks the workers, and writes it all down.
    static func text(_ facts: AdminFacts) -> [UInt8] {
        let reports = facts.server.collect(within: AdminFacts.collect)
        let longestIterations = facts.server.takeLongestIterations()
        var total = Counters()
        for report in reports { total.add(report.counters) }
        var metrics = Metrics(facts)
        metrics.writeRequests(total)
        metrics.writeConnections(total)
        metrics.writeWorkers(reports, longestIterations)
        metrics.writeToken(facts.tokens.current(), facts.tokenCounts.current)
        metrics.writeDevice(facts.device?.counts ?? DeviceCounts())
        metrics.writeProcess()
        return metrics.out.text
    }

    private mutating func family(_ name: String, _ kind: Exposition.Kind, _ help: String) {
        out.family(Self.prefix + name, kind, help)
    }

    private mutating func writeDevice(_ counts: DeviceCounts) {
        family("device_events_total", .counter, "What became of codes and grants of the device flow.")
        for (index, kind) in DeviceEvent.Kind.allCases.enumerated() {
            out.sample(counts.events[index], [("event", kind.rawValue)])
        }
        family("device_polls_total", .counter, "Polls for what was approved.")
        out.sample(counts.polls)
        family("device_overload_total", .counter, "Requests turned away because too many waited for the device flow.")
        out.sample(counts.overload)
        family("device_grants", .gauge, "Grants that hold.")
        out.sample(UInt64(counts.grants))
    }

    private mutating func writeRequests(_ total: Counters) {
        family("requests_total", .counter, "Requests by route and by the class of the status that the client got.")
        for route in Counters.RouteLabel.allCases {
            for (statusClass, status) in Self.statusNames.enumerated() {
                out.sample(
                    total.requests(route, statusClass: statusClass), [("route", "\(route)"), ("status", status)])
            }
        }
        family("alias_requests_total", .counter, "Requests by the name of the alias that the client showed.")
        for (slot, name) in total.aliases.names.enumerated() {
            for (statusClass, status) in Self.statusNames.enumerated() {
                let count = total.aliases.count(slot: slot, statusClass: statusClass)
                if count > 0 { out.sample(count, [("alias", name), ("status", status)]) }
            }
        }
        family("policy_decisions_total", .counter, "Verdicts over requests of aliases with rights or limits.")
        for (slot, verdict, reason, count) in total.decisions.all {
            out.sample(
                count, [("alias", total.aliases.names[slot]), ("verdict", verdict), ("reason", reason)])
        }
        family("alias_expires_timestamp_seconds", .gauge, "When an alias ends, for those that do.")
        if let rights = facts.policy.current().value.rights {
            for index in rights.table.aliases.indices {
                guard let expires = rights.limits(of: index).expires, expires > 0 else { continue }
                out.sample(UInt64(expires), [("alias", rights.name(at: index))])
            }
        }
        let identifiers = facts.policy.current().value.rights?.identifiers
        family("alias_names_refused", .gauge, "Organizations and projects of aliases whose slug is another's by now.")
        out.sample(UInt64(identifiers?.refusedCount ?? 0))
        family("alias_names_unknown", .gauge, "Organizations and projects of aliases whose id is not known.")
        out.sample(UInt64(identifiers?.unknownCount ?? 0))
        family("request_duration_seconds", .histogram, "Time from accept to the answer's last byte.")
        for route in Counters.RouteLabel.allCases {
            out.sample(total.totalTimes[route.rawValue], [("route", "\(route)")])
        }
        family("upstream_connect_duration_seconds", .histogram, "Time until the upstream connection was there.")
        out.sample(total.connectTimes)
        family(
            "upstream_first_byte_duration_seconds", .histogram, "Time from that connection to the answer's first byte.")
        out.sample(total.firstByteTimes)
        family("request_failures_total", .counter, "Requests that did not go as they should, by cause.")
        for (name, count) in zip(total.causes.names, total.causes.counts) { out.sample(count, [("cause", "\(name)")]) }
        family("token_retries_total", .counter, "Answers of 401 that a token renewal might fix, by outcome.")
        for (outcome, name) in Self.retryNames { out.sample(total.retries(outcome), [("outcome", name)]) }
        family("upstream_unauthorized_total", .counter, "Answers of 401 that Sentry gave to elevated requests.")
        out.sample(total.unauthorized)
        family("requests_in_flight", .gauge, "Requests whose head is in and whose answer is not out.")
        out.sample(UInt64(max(0, total.inFlight)))
        family("held_memory_bytes", .gauge, "Bytes held for clients.")
        out.sample(UInt64(max(0, total.heldBytes)))
        family("held_memory_limit_bytes", .gauge, "The most bytes that are held for clients.")
        out.sample(UInt64(facts.server.memory.bytes))
        family("spooled_bytes", .gauge, "Bytes of request bodies that are spooled.")
        out.sample(UInt64(max(0, facts.server.spooledBytes)))
        family("request_body_bytes_total", .counter, "Bytes of request bodies sent upstream.")
        out.sample(total.bytesUp)
        family("response_body_bytes_total", .counter, "Bytes of answers' bodies sent to clients.")
        out.sample(total.bytesDown)
    }

    private mutating func writeConnections(_ total: Counters) {
        family("connections_accepted_total", .counter, "Connections that clients made.")
        out.sample(total.accepted)
        family("accept_errors_total", .counter, "Times that accept(2) failed.")
        out.sample(total.acceptErrors)
        family("tls_handshakes_total", .counter, "TLS handshakes by side and kind.")
        for (side, counts) in [("client", total.clientHandshakes), ("upstream", total.upstreamHandshakes)] {
            out.sample(counts.full, [("side", side), ("kind", "full")])
            out.sample(counts.resumed, [("side", side), ("kind", "resumed")])
            out.sample(counts.failed, [("side", side), ("kind", "failed")])
        }
        family("tls_failures_total", .counter, "Connections that TLS ended, by side and cause.")
        for (side, counts) in [("client", total.clientTLSFailures), ("upstream", total.upstreamTLSFailures)] {
            for (name, count) in zip(counts.names, counts.counts) {
                out.sample(count, [("side", side), ("cause", "\(name)")])
            }
        }
        family(
            "tls_certificate_end_timestamp_seconds", .gauge, "When the listener's certificate ends; absent without TLS."
        )
        if let end = facts.tls.current().value.server?.certificateEndSeconds { out.sample(UInt64(max(0, end))) }
        family("impossible_steps_total", .counter, "Events that the state machine calls impossible: each is a bug.")
        out.sample(total.impossibleSteps)
    }

    private mutating func writeWorkers(_ reports: [WorkerReport], _ longestIterations: [Duration]) {
        family("loop_turn_max_seconds", .gauge, "Longest iteration of the worker's loop since the last scrape.")
        for (index, iteration) in longestIterations.enumerated() { out.sample(iteration, [("worker", "\(index)")]) }
        family("workers_unresponsive", .gauge, "Workers that did not answer this scrape in time.")
        out.sample(UInt64(reports.count { !$0.isCurrent }))
        family("log_lines_dropped_total", .counter, "Log lines lost: standard error was too slow, closed or full.")
        out.sample(facts.log.droppedLines)
        family("draining", .gauge, "1 once the process was told to end.")
        out.sample(facts.isDraining)
        family("open", .gauge, "1 while no alias is configured and the listener is not on loopback.")
        out.sample(facts.isOpen)
        family("reloads_total", .counter, "Reloads by result, on SIGHUP or because a watched file changed.")
        let reloads = facts.reloadCounts
        out.sample(reloads.succeeded, [("result", "succeeded")])
        out.sample(reloads.failed, [("result", "failed")])
    }

    private mutating func writeToken(_ token: TokenSnapshot, _ counts: TokenCounts.Values) {
        family("token_info", .gauge, "Kind and source of the token; always 1.")
        out.sample(1, [("kind", token.kind.rawValue), ("source", token.source.rawValue)])
        family("token_health", .gauge, "1 for the state that the token is in.")
        for state in ["ready", "degraded", "missing"] { out.sample(state == token.health.name, [("state", state)]) }
        family("token_refused", .gauge, "1 while Sentry answers 401 to the token itself and its source has no other.")
        if case .degraded(.refused) = token.health { out.sample(1) } else { out.sample(0) }
        family("token_age_seconds", .gauge, "Time since the source last gave or confirmed the token.")
        if let obtained = token.obtainedAt {
            out.sample(Clock.now - obtained.monotonic)
        }
        family("token_next_refresh_timestamp_seconds", .gauge, "When the source is asked next; absent for never.")
        if let next = token.nextRefresh { out.sample(UInt64(max(0, next.wallSeconds))) }
        family("token_fetches_total", .counter, "Questions to the token's source by cause and outcome.")
        for (cause, outcomes) in counts.fetches.sorted(by: { $0.key < $1.key }) {
            for (outcome, count) in outcomes.sorted(by: { $0.key < $1.key }) {
                out.sample(count, [("cause", cause), ("outcome", outcome)])
            }
        }
        family("token_renewals_total", .counter, "Renewals that a 401 asked for, by outcome.")
        for (outcome, count) in counts.renewals.sorted(by: { $0.key < $1.key }) {
            out.sample(count, [("outcome", outcome)])
        }
        family("token_questions_total", .counter, "Times that Sentry was asked about the token after a 401, by answer.")
        for (answer, count) in counts.standings.sorted(by: { $0.key < $1.key }) {
            out.sample(count, [("answer", answer)])
        }
    }

    private mutating func writeProcess() {
        family("build_info", .gauge, "Version of the program; always 1.")
        out.sample(1, [("version", facts.fixed.version)])
        let process = ProcessFacts()
        out.family("process_start_time_seconds", .gauge, "Start of the process, seconds since 1970.")
        out.sample(facts.startedWall)
        if let cpu = process.cpuTime {
            out.family("process_cpu_seconds_total", .counter, "CPU time of the process, user and system.")
            out.sample(cpu)
        }
        if let resident = process.residentBytes {
            out.family("process_resident_memory_bytes", .gauge, "Resident memory.")
            out.sample(resident)
        }
        if let open = process.openDescriptors {
            out.family("process_open_fds", .gauge, "Open descriptors.")
            out.sample(open)
        }
        out.family("process_max_fds", .gauge, "Limit of open descriptors.")
        out.sample(UInt64(facts.fixed.descriptorLimit))
    }
}

extension TokenHealth {
    var name: String {
        switch self {
        case .ready: "ready"
        case .degraded: "degraded"
        case .missing: "missing"
        }
    }
}
