package import AccessPolicy
package import DeviceFlow
package import EventLoop
internal import Synchronization
package import System
package import TokenStore

/// Where the admin listener's pages come from.
package final class AdminFacts: Sendable {
    /// What does not change while the process runs.
    package struct Fixed: Sendable {
        package var version: String
        /// The proxy's own address, as the start-up log shows it.
        package var listen: String
        /// Scheme, authority and path prefix of the upstream.
        package var upstream: String
        /// The upstream's certificate is not checked.
        package var skipsVerification: Bool
        package var descriptorLimit: Int
        /// Names by which the admin listener is asked, besides addresses and `localhost`.
        package var adminHosts: [String]
        /// Only this machine can connect to the proxy.
        package var isOnLoopback: Bool
        /// Only this machine can connect to the admin listener.
        package var isAdminOnLoopback: Bool

        package init(
            version: String, listen: String, upstream: String, skipsVerification: Bool, descriptorLimit: Int,
            adminHosts: [String] = [], isOnLoopback: Bool, isAdminOnLoopback: Bool = false
        ) {
            self.version = version
            self.listen = listen
            self.upstream = upstream
            self.skipsVerification = skipsVerification
            self.descriptorLimit = descriptorLimit
            self.adminHosts = adminHosts
            self.isOnLoopback = isOnLoopback
            self.isAdminOnLoopback = isAdminOnLoopback
        }
    }

    /// How long a page waits for workers that are busy.
    static let collect: Duration = .milliseconds(500)

    let fixed: Fixed
    let server: Server
    let tokens: TokenPublisher
    let tokenCounts: TokenCounts
    let policy: Published<PolicyConfiguration>
    let addresses: Published<ResolvedAddresses>
    let tls: Published<TLSContexts>
    let log: LogWriter
    /// Nil when it is off.
    let device: DeviceAuthorizer?
    let startedWall = Clock.wall
    let startedAt = Clock.now
    private let draining = Atomic<Bool>(false)
    private let upstreamSilent = Atomic<Bool>(false)
    private let reloads = Mutex((succeeded: UInt64(0), failed: UInt64(0)))

    package init(
        _ fixed: Fixed, server: Server, tokens: TokenPublisher, tokenCounts: TokenCounts,
        policy: Published<PolicyConfiguration>, addresses: Published<ResolvedAddresses>,
        tls: Published<TLSContexts>, log: LogWriter, device: DeviceAuthorizer? = nil
    ) {
        self.fixed = fixed
        self.server = server
        self.tokens = tokens
        self.tokenCounts = tokenCounts
        self.policy = policy
        self.addresses = addresses
        self.tls = tls
        self.log = log
        self.device = device
    }

    package var isDraining: Bool { draining.load(ordering: .relaxed) }

    /// Whoever reaches this machine gets Sentry's token: there is no alias, and the listener is not on loopback.
    var isOpen: Bool { policy.current().value.isOpen && !fixed.isOnLoopback }

    /// The process is about to end: it is not ready any more.
    package func beginDraining() {
        draining.store(true, ordering: .relaxed)
    }

    /// Whether the upstream has answered recently, if `/readyz` requires that.
    package func upstreamIs(silent: Bool) {
        upstreamSilent.store(silent, ordering: .relaxed)
    }

    /// A SIGHUP was followed, or the old state was kept.
    package func reloaded(succeeded: Bool) {
        reloads.withLock { if succeeded { $0.succeeded += 1 } else { $0.failed += 1 } }
    }

    var reloadCounts: (succeeded: UInt64, failed: UInt64) { reloads.withLock { $0 } }

    /// Why no request should be sent here; nil when the proxy is ready.
    var unreadiness: String? {
        if isDraining { return "draining" }
        let token = tokens.current()
        // A login is this proxy's own affair: whoever sees it refused can sign in again.
        if token.health == .degraded(.refused(.login)) { return TokenSourceError.refused(.login).logMessage }
        guard token.token == nil else {
            return upstreamSilent.load(ordering: .relaxed) ? "the upstream does not answer" : nil
        }
        return "no token: \(token.health.reason?.logMessage ?? "unknown reason")"
    }

    /// Why the process should be started anew; nil while it is alive.
    var illness: String? {
        !isDraining && server.hasLostWorkers ? "a worker has ended" : nil
    }
}
