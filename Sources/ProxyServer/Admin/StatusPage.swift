internal import AccessPolicy
internal import System
internal import TokenStore

/// `/status`: how the process is, for people and their scripts. Nothing here may hold a token.
struct StatusPage {
    let facts: AdminFacts

    var json: JSONValue {
        let now = Clock.now
        let reports = facts.server.collect(within: AdminFacts.collect)
        let unreadiness = facts.unreadiness
        let (addresses, failure) = { ($0.addresses, $0.failure) }(facts.addresses.current().value)
        return .object([
            ("version", .string(facts.fixed.version)),
            ("endpoints", .string(facts.policy.current().value.endpointsVersion)),
            ("uptime_seconds", .number((now - facts.startedAt).seconds)),
            ("ready", .bool(unreadiness == nil)),
            ("reason", unreadiness.map(JSONValue.string) ?? .null),
            ("draining", .bool(facts.isDraining)),
            ("listen", .string(facts.fixed.listen)),
            ("token", token(facts.tokens.current(), now)),
            (
                "upstream",
                .object([
                    ("base", .string(facts.fixed.upstream)),
                    ("addresses", .array(addresses.map { .string($0.text) })),
                    ("resolve_error", failure.map { .string($0.summary) } ?? .null),
                    ("insecure_skip_verify", .bool(facts.fixed.skipsVerification)),
                ])
            ),
            ("aliases", .number(UInt64(facts.policy.current().value.aliases?.count ?? 0))),
            ("open", .bool(facts.isOpen)),
            ("rights", rights(facts.policy.current().value.rights)),
            ("requests_in_flight", .number(UInt64(max(0, reports.reduce(0) { $0 + $1.counters.inFlight })))),
            ("workers", .array(reports.map(worker))),
            ("log_lines_dropped", .number(facts.log.droppedLines)),
        ])
    }

    /// Of aliases with rights: `degraded` while a name that they are held to is another's by now.
    private func rights(_ rights: RightsInForce?) -> JSONValue {
        guard let identifiers = rights?.identifiers else { return .null }
        return .object([
            ("health", .string(identifiers.refusedCount > 0 ? "degraded" : "ready")),
            ("names_refused", .number(UInt64(identifiers.refusedCount))),
            ("names_unknown", .number(UInt64(identifiers.unknownCount))),
        ])
    }

    private func worker(_ report: WorkerReport) -> JSONValue {
        .object([
            ("requests_in_flight", .number(UInt64(max(0, report.counters.inFlight)))),
            ("connections_accepted", .number(report.counters.accepted)),
            ("responsive", .bool(report.isCurrent)),
        ])
    }

    private func token(_ token: TokenSnapshot, _ now: Instant) -> JSONValue {
        .object([
            ("kind", .string(token.kind.rawValue)),
            ("source", .string(token.source.rawValue)),
            ("health", .string(token.health.name)),
            ("reason", token.health.reason.map { .string($0.logMessage) } ?? .null),
            (
                "age_seconds",
                token.obtainedAt.map { .number((now - $0.monotonic).seconds) } ?? .null
            ),
            (
                "next_refresh_in_seconds",
                token.nextRefresh.map {
                    .number(($0.monotonic - now).seconds)
                } ?? .null
            ),
            ("renewable", .bool(token.isRenewable)),
            ("suspect", .bool(token.suspect)),
        ])
    }
}
