internal import AccessPolicy
internal import DeviceFlow
internal import Synchronization
internal import System

/// The aliases of the files together with those that the device flow has granted.
final class LiveAliases: Sendable {
    private struct State {
        var files: AliasTable?
        var endpointsVersion = EndpointTable.builtInVersion
        /// Set with the device flow on. The table that is compiled in is not read for others: it takes longer than the rest of a start.
        var policy: Policy?
        var ceiling: GrantCeiling?
        var reach = TokenReach()
        var approvers: [Approver] = []
        var adminToken: TokenDigest?
        var grants: [Grant] = []
        var names: Set<String> = []
    }

    private let state = Mutex(State())

    /// What the files say now, with the ceiling and the approvers of the device flow.
    func take(_ loaded: LoadedAliases, _ plan: ServePlan) throws(Failure) {
        let (files, version) = (loaded.aliases, loaded.endpointsVersion)
        guard let device = plan.device else {
            return state.withLock { ($0.files, $0.endpointsVersion) = (files, version) }
        }
        let policy = loaded.policy
        let ceiling = try device.ceiling(policy)
        let approvers = try device.approvers()
        let adminToken = try device.adminToken()
        let names = Set((0..<(files?.count ?? 0)).map { files!.name(at: $0) })
        state.withLock { state in
            state.files = files
            state.endpointsVersion = version
            state.policy = policy
            state.ceiling = ceiling
            state.approvers = approvers
            state.adminToken = adminToken
            state.names = names
        }
    }

    func replace(_ grants: [Grant]) { state.withLock { $0.grants = grants } }

    /// All of them, and the names of the grants that had to be left out.
    var all: (aliases: AliasTable?, leftOut: [String]) {
        let state = state.withLock { $0 }
        guard let files = state.files, let policy = state.policy else { return (state.files, []) }
        let now = Clock.wall.seconds
        return files.adding(state.grants.flatMap { $0.entries(now) }, policy)
    }

    /// The version of the table of operations that their rights are of.
    var endpointsVersion: String { state.withLock { $0.endpointsVersion } }
    /// Those of the files alone.
    var files: AliasTable? { state.withLock { $0.files } }
    /// What may be granted; set once the files were loaded with the device flow on.
    var ceiling: GrantCeiling {
        state.withLock { state in
            var ceiling = state.ceiling!
            ceiling.reach = state.reach
            return ceiling
        }
    }

    /// What the proxy's own token can do.
    func note(_ reach: TokenReach) { state.withLock { $0.reach = reach } }
    var approvers: [Approver] { state.withLock { $0.approvers } }
    var adminToken: TokenDigest? { state.withLock { $0.adminToken } }

    /// Whether an alias of this name is one of the device flow.
    func isGranted(_ name: String) -> Bool {
        let grant = name.prefix { $0 != "~" }
        return state.withLock { $0.grants.contains { $0.name == grant } }
    }

    func isNameTaken(_ name: String) -> Bool { state.withLock { $0.names.contains(name) } }
}
