internal import AccessPolicy
internal import Logging
internal import ProxyServer
internal import Synchronization
internal import System

/// Picks up changes in files: on SIGHUP, and by itself when a watched file has changed.
final class Reloader: Sendable {
    private let plan: ServePlan
    private let live: LiveAliases
    private let server: Server
    private let policy: Published<PolicyConfiguration>
    private let tls: Published<TLSContexts>
    private let log: Logger
    private let watcher: FileWatcher
    /// Opened when the rights have changed.
    private let rightsChanged: Latch
    /// A signal and a changed file may come together: one after the other.
    private let turn = Mutex(())

    init(
        _ plan: ServePlan, _ live: LiveAliases, server: Server, policy: Published<PolicyConfiguration>,
        tls: Published<TLSContexts>,
        watcher: FileWatcher, rightsChanged: Latch, log: Logger
    ) {
        self.plan = plan
        self.live = live
        self.server = server
        self.policy = policy
        self.tls = tls
        self.watcher = watcher
        self.rightsChanged = rightsChanged
        self.log = log
    }

    /// Starts to watch the files.
    /// - Parameter ended: told of each reload whether it succeeded.
    func start(_ ended: @escaping @Sendable (Bool) -> Void) throws(SystemError) {
        try watcher.start { [self] in ended(reload(because: "a file has changed")) }
    }

    /// Publishes rights with other numbers of organizations and projects.
    /// - Returns: false when a reload was faster: `old` is no longer what holds.
    func replace(_ old: RightsInForce, with new: RightsInForce) -> Bool {
        turn.withLock { _ in
            let current = policy.current().value
            guard current.rights === old else { return false }
            policy.publish(PolicyConfiguration(current, rights: new))
            tellOfRights()
            return true
        }
    }

    private func tellOfRights() {
        server.publishedChanged()
        rightsChanged.open()
    }

    /// The device flow has granted something, or withdrawn it.
    func granted() {
        turn.withLock { _ in
            let all = live.all
            for name in all.leftOut {
                log.error(
                    "a grant is left out: another alias has its name, or nothing is left of its rights",
                    metadata: ["alias": "\(name)"])
            }
            policy.publish(
                plan.policy(
                    all.aliases, endpoints: live.endpointsVersion, after: policy.current().value.rights))
            tellOfRights()
        }
    }

    /// All or nothing: what is broken keeps the old state of the rest as well.
    /// - Returns: whether it was taken over.
    func reload(because cause: String) -> Bool {
        turn.withLock { _ in
            // Before they are read: what is written meanwhile is found as a change.
            watcher.markRead()
            do throws(Failure) {
                let contexts = try plan.tls.load()
                let loaded = try plan.aliases.load()
                let warnings = try plan.security.weaknesses(plan.aliases, loaded.aliases, plan.token, plan.device)
                let notes = plan.aliases.notes(loaded)
                try live.take(loaded, plan)
                policy.publish(
                    plan.policy(
                        live.all.aliases, endpoints: live.endpointsVersion, after: policy.current().value.rights))
                tls.publish(contexts)
                tellOfRights()
                for warning in warnings { log.warning("\(warning)") }
                for note in notes { log.log(level: note.isWarning ? .warning : .notice, "\(note.text)") }
                log.notice("reloaded", metadata: ["cause": "\(cause)", "aliases": "\(live.files?.count ?? 0)"])
                return true
            } catch {
                log.error(
                    "not reloaded, the old aliases and certificates stay",
                    metadata: ["cause": "\(cause)", "error": "\(error.message)"])
                return false
            }
        }
    }
}
