internal import AccessPolicy
internal import DeviceFlow
internal import EventLoop
internal import Glibc
internal import ProxyServer
internal import TokenStore

/// The device flow as it was set; nil in the plan when it is off.
struct DeviceSettings {
    static let longestSeconds: Int64 = 30 * 86_400

    private let policy: Given
    private let approval: DeviceApproval
    private let lifetime: Int64
    private let hasRefresh: Bool
    private let from: TrustedProxies
    private let fromText: String
    private let approversFile: Given?
    private let adminTokenFile: Given?

    /// - Returns: nil when it is off.
    static func load(_ options: DeviceOptions) throws(Failure) -> DeviceSettings? {
        let isOn =
            try Setting("--device-flow", "DEVICE_FLOW")
            .parsed(options.deviceFlow, expected: "on or off", Quantities.switched) ?? false
        let settings = try DeviceSettings(options)
        return isOn ? settings : nil
    }

    private init(_ options: DeviceOptions) throws(Failure) {
        policy =
            Setting("--device-policy", "DEVICE_POLICY").given(options.devicePolicy)
            ?? Given(value: "read-only", name: "--device-policy", status: .usage)
        approval =
            try Setting("--device-approval", "DEVICE_APPROVAL")
            .parsed(options.deviceApproval, expected: "admin, code or none", Quantities.word) ?? .admin
        lifetime =
            try Setting("--device-lifetime", "DEVICE_LIFETIME")
            .parsed(options.deviceLifetime, expected: "a time such as 30m, 12h or 7d, at most 30d", Self.seconds)
            ?? 43_200
        hasRefresh =
            try Setting("--device-refresh", "DEVICE_REFRESH")
            .parsed(options.deviceRefresh, expected: "on or off", Quantities.switched) ?? false
        let fromSetting = Setting("--device-from", "DEVICE_FROM")
        from =
            try fromSetting.parsed(
                options.deviceFrom, expected: "addresses and networks such as 10.0.0.0/8, with commas between them"
            ) { text -> TrustedProxies? in
                var networks = TrustedProxies()
                for part in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
                    guard networks.add(String(part)) else { return nil }
                }
                return networks.isEmpty ? nil : networks
            } ?? TrustedProxies()
        fromText = fromSetting.given(options.deviceFrom)?.value ?? "everybody"
        approversFile = Setting("--approvers-file", "APPROVERS_FILE").given(options.approversFile)
        adminTokenFile = AdminToken.setting.given(options.adminTokenFile)
    }

    /// Seconds with a unit: `s`, `m`, `h` or `d`.
    static func seconds(_ text: String) -> Int64? {
        let units: [(Character, Int64)] = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)]
        guard let unit = units.first(where: { text.last == $0.0 }), let number = Int64(text.dropLast()),
            1...longestSeconds ~= number, 60...longestSeconds ~= number * unit.1
        else { return nil }
        return number * unit.1
    }

    // MARK: What must be so

    /// What keeps the flow from starting: it would hand out what it should not, or could not be used.
    /// - Parameters:
    ///   - listen: where the proxy listens.
    ///   - admin: where the admin listener is, or `off`.
    func problems(_ plan: ServePlan, listen: String, admin: String) -> [Failure] {
        var found: [String] = []
        if approval == .none, from.isEmpty {
            found.append(
                "--device-approval none: without --device-from everybody who can connect would get an alias")
        }
        if approversFile != nil, approval != .code {
            found.append("--approvers-file: approval codes are for --device-approval code")
        }
        if !plan.aliases.areConfigured {
            found.append(
                "--device-flow: without an alias every client gets the token, and needs no login; set --alias-file")
        }
        if !Sockets.isOnLoopback(listen), plan.publicURL?.isSecure != true {
            found.append(
                "--device-flow: \(listen) is not on loopback, where codes and aliases need https: set --public-url to the https:// base that clients use"
            )
        }
        let isAdminSafe = Sockets.isOnLoopback(admin) || admin != "off" && adminTokenFile != nil
        if !isAdminSafe, approval == .admin {
            found.append(
                "--device-approval admin: \(admin == "off" ? "--admin-listen is off" : "the admin listener is not on loopback"), so nobody could approve safely; set --admin-listen to loopback or unix:PATH, or give --admin-token-file"
            )
        }
        return found.map { Failure(.usage, $0) }
    }

    /// Reads all that a start with the flow reads.
    func check(noting mistakes: inout Mistakes, _ plan: ServePlan, _ loaded: LoadedAliases?) {
        for problem in problems(plan, listen: plan.listenAddress.text, admin: plan.admin.address?.text ?? "off") {
            mistakes.note(problem)
        }
        // What is wrong with the policy file was told with the aliases.
        if let policy = loaded?.policy {
            _ = mistakes.trying { () throws(Failure) in try ceiling(policy) }
        }
        _ = mistakes.trying { () throws(Failure) in try approvers() }
        _ = mistakes.trying { () throws(Failure) in try adminToken() }
        _ = mistakes.trying { () throws(Failure) in try Self.store(plan) }
    }

    /// What is set, in words.
    var text: String {
        let way = approval == .none ? "granted to \(fromText) without approval" : "approved by \(approval.rawValue)"
        let who = approval == .none || from.isEmpty ? "" : ", asked from \(fromText)"
        return "at most \(policy.value), for \(lifetimeText), \(way)\(who)\(hasRefresh ? ", with refresh tokens" : "")"
    }

    private var lifetimeText: String {
        let units: [(Int64, String)] = [(86_400, "d"), (3_600, "h"), (60, "m")]
        let unit = units.first { lifetime % $0.0 == 0 } ?? (1, "s")
        return "\(lifetime / unit.0)\(unit.1)"
    }

    /// What weakens its guard, one line each.
    var weaknesses: [String] {
        adminTokenFile.map { FileAccess.weaknesses($0.value, named: $0.name) } ?? []
    }

    /// What operators must show; nil when reaching the admin listener is enough.
    func adminToken() throws(Failure) -> TokenDigest? {
        guard let file = adminTokenFile else { return nil }
        return try AdminToken(file).digest
    }

    /// The ceiling of all grants.
    func ceiling(_ policy: Policy) throws(Failure) -> GrantCeiling {
        do throws(AliasWords.Problem) {
            return try GrantCeiling(
                self.policy.value.split(whereSeparator: \.isWhitespace).map(String.init), policy)
        } catch {
            throw Failure(self.policy.status, "\(self.policy.name): \(error.message)")
        }
    }

    /// Those with approval codes of their own.
    func approvers() throws(Failure) -> [Approver] {
        guard let file = approversFile else { return [] }
        let text = try TextFile.read(file.value, mostBytes: 1_048_576, named: file.name)
        var approvers: [Approver] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            guard words.count == 2, words[1].hasPrefix("sha256:"),
                let digest = TokenDigest(hexadecimal: String(words[1].dropFirst(7)))
            else {
                throw Failure(
                    .configuration,
                    "\(file.name): '\(file.value)', line \(index + 1): expected a name and sha256: with 64 hexadecimal digits"
                )
            }
            approvers.append(Approver(name: String(first), digest: digest))
        }
        return approvers
    }

    /// What the flow is told, once the listeners are there.
    func flow(_ plan: ServePlan, _ sockets: Sockets) -> DeviceFlowSettings {
        let base =
            sockets.text.hasPrefix("unix:")
            ? "localhost" : sockets.text.split(separator: ",").first.map(String.init) ?? ""
        return DeviceFlowSettings(
            approval: approval, lifetime: lifetime, hasRefresh: hasRefresh, from: from,
            publicURL: plan.publicURL?.text,
            listenBase: (plan.tls.isServer ? "https://" : "http://") + base)
    }

    /// Where grants are: beside the logins.
    static func store(_ plan: ServePlan) throws(Failure) -> any DeviceStore {
        switch plan.loginStore {
        case let file as FileLoginStore: return FileDeviceStore(folder: file.folder)
        case is PostgresLoginStore:
            // A store in PostgreSQL was made with a connection in hand.
            return PostgresDeviceStore(plan.connection!)
        default: throw Failure(.configuration, "--device-flow: no place for the grants is known; set --state-dir")
        }
    }
}
