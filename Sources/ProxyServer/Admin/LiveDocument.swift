internal import AccessPolicy
internal import EventLoop
internal import System
internal import TokenStore

/// What the live page shows: texts, states, paths of the chart and rows of tables, each under the name that the page has for
/// it. The page and its JSON are made of the same, so that a script is needed for nothing but newer values.
///
/// Nothing here may hold a token, an alias or what a client asked for.
struct LiveDocument {
    enum State: String {
        case good, warn, bad
        /// What is not there is not shown.
        case on, off
    }

    private static let mostAliases = 200

    private(set) var texts: [(String, String)] = []
    private(set) var states: [(String, State)] = []
    private(set) var paths: [(String, String)] = []
    private(set) var rows: [(String, [[String]])] = []

    private let facts: AdminFacts
    private let now: Instant
    /// Seconds since 1970.
    private let wall: Int64

    /// - Parameter recent: what was seen lately, by whoever looked.
    init(_ facts: AdminFacts, _ reports: [WorkerReport], recent: LiveSamples, now: Instant, wall: Int64) {
        (self.facts, self.now, self.wall) = (facts, now, wall)
        var total = Counters()
        for report in reports { total.add(report.counters) }
        let token = facts.tokens.current()
        writeHead(reports)
        writeRequests(total, recent)
        writeToken(token)
        writeUpstream(recent)
        writeProcess()
        writeWaiting()
        writeAliases(total)
        writeFailures(total)
        rows.append(("workers", reports.enumerated().map(Self.row)))
    }

    private mutating func text(_ name: String, _ text: String, _ state: State? = nil) {
        texts.append((name, text))
        if let state { states.append((name, state)) }
    }

    private mutating func writeHead(_ reports: [WorkerReport]) {
        text("version", facts.fixed.version)
        text("uptime", LiveText.age(now - facts.startedAt))
        if let illness = facts.illness {
            text("verdict", "Unhealthy: \(illness). Restart the process.", .bad)
        } else if let reason = facts.unreadiness {
            text("verdict", "Not ready: \(reason)", .bad)
        } else if facts.tokens.current().health != .ready {
            text("verdict", "Ready, but the token needs attention: see below.", .warn)
        } else if reports.contains(where: { !$0.isCurrent }) {
            text("verdict", "Ready, but a worker does not answer: see below.", .warn)
        } else {
            text("verdict", "Ready: requests are served.", .good)
        }
    }

    private mutating func writeRequests(_ total: Counters, _ recent: LiveSamples) {
        let classes = LiveSamples.classes(total)
        text("requests.rate", LiveText.rate(recent.rate))
        text("requests.inFlight", "\(max(0, total.inFlight))")
        text("requests.total", "\(classes.reduce(0, +))")
        for (name, index) in [("none", 0), ("2xx", 2), ("3xx", 3), ("4xx", 4), ("5xx", 5)] {
            text("requests.\(name)", "\(classes[index])")
        }
        let slots = total.history.slots(until: now)
        let all = slots.map { $0.reduce(0, +) }
        let failed = slots.map { $0[0] + $0[4] + $0[5] }
        let most = all.max() ?? 0
        paths += [("spark.all", LiveText.path(all, most: most)), ("spark.failed", LiveText.path(failed, most: most))]
        let seconds = RequestHistory.slot.inSeconds
        text(
            "spark.text",
            "The last 15 minutes: at most \(LiveText.rate(Double(most) / seconds)) requests a second, \(all.reduce(0, +)) in all, of which \(failed.reduce(0, +)) with 4xx, 5xx or no answer."
        )
        for (name, share) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
            text("latency.\(name)", LiveText.duration(recent.total.quantile(share)))
        }
        text("latency.span", "\(recent.span), from accept to the answer's last byte")
    }

    private mutating func writeToken(_ token: TokenSnapshot) {
        switch token.health {
        case .ready: text("token.health", token.suspect ? "suspect" : "ready", token.suspect ? .warn : .good)
        case .degraded: text("token.health", "degraded", .warn)
        case .missing: text("token.health", "missing", .bad)
        }
        let why =
            token.health.reason?.logMessage
            ?? (token.suspect
                ? "Sentry answered 401 and the token is being renewed."
                : "Its source answered. There is nothing to do.")
        let cut = facts.device?.tokenWarning.map { " \($0) The device flow grants no more than that." } ?? ""
        text("token.why", why + cut)
        text("token.kind", token.kind.rawValue)
        text("token.source", token.source.rawValue)
        text(
            "token.age",
            token.obtainedAt.map { "\(LiveText.age(now - $0.monotonic)) ago" } ?? "never")
        text(
            "token.next",
            token.nextRefresh.map {
                "in \(LiveText.age($0.monotonic - now))"
            }
                ?? (token.isRenewable ? "when it is needed" : "never: this kind is not refreshed"))
    }

    private mutating func writeUpstream(_ recent: LiveSamples) {
        let resolved = facts.addresses.current().value
        text("upstream.base", facts.fixed.upstream)
        text(
            "upstream.addresses",
            resolved.addresses.isEmpty ? "none" : resolved.addresses.map(\.text).joined(separator: ", "))
        if let failure = resolved.failure {
            let state: State = resolved.addresses.isEmpty ? .bad : .warn
            text("upstream.lookup", "\(failure.summary); the last addresses are used", state)
        } else {
            text("upstream.lookup", "fine", .good)
        }
        text("upstream.connect", LiveText.quantiles(recent.connect))
        text("upstream.firstByte", LiveText.quantiles(recent.firstByte))
        if facts.fixed.skipsVerification {
            text("upstream.verify", "off: anybody on the way can read the token", .bad)
        } else {
            text(
                "upstream.verify", facts.fixed.upstream.hasPrefix("https:") ? "on" : "none: the upstream is plain http",
                .good)
        }
    }

    private mutating func writeProcess() {
        text("process.listen", facts.fixed.listen)
        let isOpen = facts.policy.current().value.isOpen
        text(
            "process.open",
            facts.isOpen
                ? "everybody who can connect: set --alias-file, or listen on loopback"
                : isOpen ? "everybody on this machine" : "clients with an alias", facts.isOpen ? .bad : .good)
        if let end = facts.tls.current().value.server?.certificateEndSeconds {
            let days = (Int64(end) - wall) / 86_400
            let state: State = Int64(end) <= wall ? .bad : days < 30 ? .warn : .good
            text(
                "process.certificate",
                Int64(end) <= wall
                    ? "ended at \(Timestamp.text(Int64(end))): renew it"
                    : "ends in \(days == 1 ? "1 day" : "\(days) days"), at \(Timestamp.text(Int64(end)))",
                state)
        } else {
            text("process.certificate", "none: clients speak plain http", .good)
        }
        text("process.dropped", "\(facts.log.droppedLines)", facts.log.droppedLines > 0 ? .warn : .good)
        let reloads = facts.reloadCounts
        text("process.reloads", "\(reloads.succeeded) done, \(reloads.failed) failed")
    }

    private mutating func writeWaiting() {
        guard let device = facts.device else {
            for name in ["device.how", "device.caption"] { text(name, "--device-flow is off.") }
            states += [("device.flow", .off), ("device.decide", .off)]
            rows.append(("waiting", []))
            return
        }
        let decides = facts.fixed.isAdminOnLoopback && device.adminToken == nil
        states += [("device.flow", .on), ("device.decide", decides ? .on : .off)]
        text(
            "device.how",
            "Approve only what you started yourself. One that asks for more may do so because it was refused something."
                + (decides ? "" : " Decide with: sentry-api-proxy device approve CODE"))
        let waiting = device.proposals()
        text(
            "device.caption",
            waiting.isEmpty
                ? "Nobody waits."
                : "\(waiting.count), the first to ask first; each ends ten minutes after it was asked.")
        rows.append(
            (
                "waiting",
                waiting.map {
                    [
                        "\($0.shown)-….", "\($0.client) (\($0.program))", $0.address,
                        $0.isApproved ? "\($0.age) s ago, approved" : "\($0.age) s ago", $0.asks, $0.gets, $0.leavesOut,
                    ]
                }
            ))
    }

    private mutating func writeAliases(_ total: Counters) {
        let policy = facts.policy.current().value
        guard let aliases = policy.aliases, !aliases.isEmpty else {
            text("aliases.caption", "No alias is configured.")
            rows.append(("aliases", []))
            return
        }
        var slots: [String: Int] = [:]
        for (slot, name) in total.aliases.names.enumerated() where slot > 0 { slots[name] = slot }
        var found: [(requests: UInt64, cells: [String])] = []
        for index in 0..<aliases.count {
            let summary = AliasSummary(aliases, at: index)
            let slot = slots[summary.name]
            let requests =
                slot.map { slot in
                    (0..<Counters.statusClasses).reduce(0) { $0 + total.aliases.count(slot: slot, statusClass: $1) }
                } ?? 0
            let limits = policy.rights?.limits(of: index)
            let used = limits?.rate.flatMap { rate in
                policy.rights?.cell(of: index).map {
                    "\($0.used(rate, now: now)) of \(rate.burst) (\(rate.words))"
                }
            }
            found.append(
                (
                    requests,
                    [
                        summary.name, summary.may, "\(requests)", "\(slot.map(total.decisions.refused) ?? 0)",
                        "\(slot.map { max(0, total.aliases.inFlight(slot: $0)) } ?? 0)", used ?? "no limit",
                        limits?.expires.map(Timestamp.text) ?? "never",
                    ]
                ))
        }
        // Those that are busy first; among equals the order of the file.
        let shown = found.enumerated().sorted { ($1.element.requests, $0.offset) < ($0.element.requests, $1.offset) }
            .prefix(Self.mostAliases)
        text(
            "aliases.caption",
            shown.count < found.count
                ? "The \(shown.count) busiest of \(found.count)." : "\(found.count), the busiest first.")
        rows.append(("aliases", shown.map(\.element.cells)))
    }

    private mutating func writeFailures(_ total: Counters) {
        let failures = total.failures.latestFirst
        text(
            "failures.caption",
            failures.isEmpty
                ? "None since the start." : "The last \(failures.count); the access log has more under the same id.")
        rows.append(
            (
                "failures",
                failures.map { failure in
                    let ago = now - failure.at
                    return [
                        LiveText.hexadecimal(failure.id), Timestamp.text(wall - Int64(ago.seconds)),
                        failure.status == 0 ? "none" : "\(failure.status)", "\(failure.cause)",
                        failure.detail.map { "\($0)" } ?? "–", failure.aliasSlot.map { total.aliases.names[$0] } ?? "–",
                        "\(failure.route)",
                    ]
                }
            ))
    }

    private static func row(_ index: Int, _ report: WorkerReport) -> [String] {
        [
            "\(index)", "\(max(0, report.counters.inFlight))", "\(report.counters.accepted)",
            report.isCurrent ? "answers" : "does not answer",
        ]
    }

    /// What the page's script asks for.
    var json: JSONValue {
        .object([
            ("texts", .object(texts.map { ($0, .string($1)) })),
            ("states", .object(states.map { ($0, .string($1.rawValue)) })),
            ("paths", .object(paths.map { ($0, .string($1)) })),
            ("rows", .object(rows.map { ($0, .array($1.map { .array($0.map(JSONValue.string)) })) })),
        ])
    }
}
