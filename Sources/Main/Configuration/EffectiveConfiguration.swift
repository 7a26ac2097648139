internal import AccessPolicy
internal import TokenStore

/// What would be in force, route by route. It holds no secret.
struct EffectiveConfiguration {
    private static let mostAliases = 200

    private let plan: ServePlan
    private let loaded: LoadedAliases?
    private var aliases: AliasTable? { loaded?.aliases }

    init(_ plan: ServePlan, _ loaded: LoadedAliases?) {
        self.plan = plan
        self.loaded = loaded
    }

    var text: String {
        "sentry-api-proxy \(Version.text): no mistake found\n\n" + Report.table(settings) + "\n" + Report.table(routes)
            + (aliases.map { "\n" + Report.table(rights($0)) } ?? "")
    }

    private var settings: [[String]] {
        var rows = [
            ["listen", "\(plan.listen.value), \(plan.tls.servesTLS ? "https" : "http")"],
            ["admin", plan.admin.address == nil ? "off" : plan.admin.text],
            [
                "upstream",
                "\(plan.uri.origin)\(plan.uri.pathPrefix)\(plan.isUpstreamDefault ? ", the default" : "")\(trust)",
            ],
        ]
        if let proxy = plan.upstreamProxy { rows.append(["through", "the forward proxy \(proxy.uri.origin)"]) }
        rows.append(["token", token])
        if !plan.token.shadowed.isEmpty {
            rows.append(["", "not used: \(plan.token.shadowed.map(\.rawValue).joined(separator: ", "))"])
        }
        rows.append(["aliases", aliases.map { "\($0.count)" } ?? "none"])
        if let table = plan.aliases.endpointTable {
            rows.append([
                "endpoints", "\(loaded?.endpointsVersion ?? ""), from the file '\(table.value)' (\(table.name))",
            ])
        }
        if let device = plan.device { rows.append(["device flow", device.text]) }
        return rows
    }

    private var trust: String {
        guard plan.uri.scheme == .https else { return "" }
        if plan.tls.isInsecure { return ", its certificate not checked" }
        return ", checked against \(plan.tls.client?.caFile ?? "the system's authorities")"
    }

    private var token: String {
        switch plan.token.choice {
        case .given: "static, from \(plan.token.winner.rawValue)"
        case .file(let path): "static, from the file '\(path)' (\(plan.token.winner.rawValue))"
        case .storedLogin: "the stored login for \(plan.uri.origin) in \(plan.loginStore?.place ?? "")"
        case .system: "Sentry's system token, from PostgreSQL (\(plan.connection?.source ?? "libpq's defaults"))"
        }
    }

    private var routes: [[String]] {
        let paths =
            plan.routes.elevatedPaths.isPrefixBarred
            ? "nothing: the upstream's path is not in plain form"
            : plan.routes.chosenPaths.isEmpty
                ? "every path in plain form but /oauth/ and ingest" : plan.routes.chosenPaths.joined(separator: " ")
        var rows = [["route", "who", "credential", "paths"]]
        if aliases == nil {
            rows.append(["elevated", "everybody who can connect", "the token", paths])
            rows.append(["bypass", "everybody", "the client's own", "the others"])
        } else {
            rows.append(["elevated", "clients that show an alias, by its rights", "the token", paths])
            rows.append(
                plan.routes.hasBypass
                    ? ["bypass", "everybody else", "the client's own", "every path"]
                    : ["refused", "everybody else", "none: 401", "every path"])
        }
        return rows
    }

    private func rights(_ aliases: AliasTable) -> [[String]] {
        var rows = [["alias", "may", "limits"]]
        for index in 0..<min(aliases.count, Self.mostAliases) {
            let summary = AliasSummary(aliases, at: index)
            rows.append([
                summary.name, summary.may, summary.limits.isEmpty ? "none" : summary.limits.joined(separator: "; "),
            ])
        }
        if aliases.count > Self.mostAliases { rows.append(["… and \(aliases.count - Self.mostAliases) more"]) }
        return rows
    }
}
