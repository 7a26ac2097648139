internal import AccessPolicy
internal import Glibc
internal import Logging
internal import ProxyServer
internal import System
internal import TokenStore

/// One run of the proxy, from the checked plan to the last request.
///
/// Everything that can be wrong is found out before the first request is accepted: startup is all-or-nothing.
struct Service {
    private let plan: ServePlan

    init(_ plan: ServePlan) {
        self.plan = plan
    }

    /// - Parameter signals: made before the settings were read.
    func run(_ signals: SignalInbox) throws(Failure) {
        let watcher = FileWatcher(plan.watchedFiles)
        let live = LiveAliases()
        let loaded = try plan.aliases.load()
        let warnings = try plan.security.weaknesses(plan.aliases, loaded.aliases, plan.token, plan.device)
        let notes = plan.aliases.notes(loaded)
        try live.take(loaded, plan)
        let tls = Published(try plan.tls.load())
        ProcessLimits.ignoreBrokenPipes()
        let descriptorLimit = try Self.descriptorLimit()
        let writer = try Self.named("log") { () throws(SystemError) in
            try LogWriter(descriptor: STDERR_FILENO, format: plan.logFormat)
        }
        let handler = ProxyLogHandler(writer, level: plan.logLevel)
        let log = Logger(label: "sentry-api-proxy") { _ in handler }

        let tokens = Tokens(plan, log)
        try tokens.loadFirst()
        let sockets = try Sockets(plan)
        let device = try DeviceService(plan, sockets, live, log)
        let policy = Published(plan.policy(live.all.aliases, endpoints: live.endpointsVersion))
        let upstream =
            if let proxy = plan.upstreamProxy { try Upstream(proxy.uri, named: proxy.name) } else {
                try Upstream(plan.uri, named: plan.uriName)
            }
        let server = try Self.named("server") { () throws(SystemError) in
            try Server(
                configuration: configuration(descriptorLimit), listeners: sockets.takeProxyListeners(),
                tokens: tokens.publisher, policy: policy, addresses: upstream.addresses, tls: tls, log: writer,
                deviceFlow: device?.flow,
                renew: { [broker = tokens.broker] in await broker.renew(ifStill: $0) })
        }
        let (identifiersDue, scopesDue) = (Latch(), Latch())
        tokens.onChange { [weak server] in
            server?.publishedChanged()
            identifiersDue.open()
            scopesDue.open()
        }
        upstream.onChange { [weak server] in server?.publishedChanged() }
        try Self.named("threads") { () throws(SystemError) in
            try writer.start()
            try upstream.start()
            signals.beginServing()
            try server.start()
        }
        // The threads are there now, and what is left of the address space is left for what they hold.
        if !plan.bodies.isMemoryGiven, let left = MemoryLimits.addressSpaceLeft {
            server.memory.lower(to: max(left / 2, 1_048_576))
        }
        tokens.start()
        let facts = AdminFacts(
            AdminFacts.Fixed(
                version: Version.text, listen: sockets.text, upstream: "\(plan.uri.origin)\(plan.uri.pathPrefix)",
                skipsVerification: plan.tls.isInsecure, descriptorLimit: descriptorLimit,
                adminHosts: plan.security.adminHosts, isOnLoopback: sockets.areOnLoopback,
                isAdminOnLoopback: sockets.isAdminOnLoopback),
            server: server, tokens: tokens.publisher, tokenCounts: tokens.counts, policy: policy,
            addresses: upstream.addresses, tls: tls, log: writer, device: device?.flow)
        let reloader = Reloader(
            plan, live, server: server, policy: policy, tls: tls, watcher: watcher,
            rightsChanged: identifiersDue, log: log)
        device?.publishes { [reloader] in reloader.granted() }
        try Self.named("threads") { () throws(SystemError) in
            if let device {
                try device.flow.start()
                try TokenScopeWatch(
                    tokens: tokens.publisher, client: plan.client, log: log, due: scopesDue, note: { live.note($0) }
                ).start()
            }
            if plan.ready.asksUpstream {
                try UpstreamWatch(server: server, facts: facts, client: plan.client, log: log).start()
            }
            try sockets.startAdmin(facts)
            try reloader.start { facts.reloaded(succeeded: $0) }
            // Without a list, a file and the device flow there is never an alias.
            if plan.aliases.areConfigured || device != nil {
                try IdentifierResolver(
                    policy: policy, tokens: tokens.publisher, client: plan.client, log: log, due: identifiersDue,
                    replace: { [reloader] in reloader.replace($0, with: $1) }
                ).start()
                try AliasExpiryWatch(policy: policy, isGranted: { live.isGranted($0) }, log: log).start()
            }
            if tls.current().value.server != nil { try CertificateWatch(tls: tls, log: log).start() }
        }
        for warning in warnings { log.warning("\(warning)") }
        for note in notes { log.log(level: note.isWarning ? .warning : .notice, "\(note.text)") }
        logStart(log, sockets, server, descriptorLimit)
        let notifier = ServiceNotifier()
        notifier.ready()
        ProcessLimits.releaseStartupPages()

        var isDraining = false
        while let signal = signals.next() {
            switch signal {
            case .hangUp:
                notifier.reloading()
                // The broker tells by itself what becomes of the token, and keeps the old one if its source fails.
                tokens.reload()
                facts.reloaded(succeeded: reloader.reload(because: "SIGHUP"))
                notifier.ready()
            case .terminate, .interrupt:
                guard !isDraining else {
                    log.warning("ended by a second signal")
                    end(sockets, writer, status: 0)
                }
                isDraining = true
                facts.beginDraining()
                notifier.stopping()
                log.info(
                    "draining",
                    metadata: [
                        "delay_s": "\(plan.drainDelay.seconds)",
                        "timeout_s": "\(plan.drainTimeout.seconds)",
                    ])
                try Self.named("threads") { () throws(SystemError) in try drain(server, sockets, writer, log) }
            }
        }
    }

    // MARK: Start

    /// Raises the limit of descriptors as far as it goes.
    static func descriptorLimit() throws(Failure) -> Int {
        let limit = try named("descriptor limit") { () throws(SystemError) in
            try ProcessLimits.raiseDescriptorLimit()
        }
        guard limit >= ServerConfiguration.leastDescriptors else {
            throw Failure(
                .system,
                "descriptor limit: \(limit) is too low, at least \(ServerConfiguration.leastDescriptors) are needed: raise it with ulimit -n or LimitNOFILE="
            )
        }
        return limit
    }

    private static func named<Value: ~Copyable>(
        _ what: String, _ body: () throws(SystemError) -> Value
    ) throws(Failure) -> Value {
        do throws(SystemError) {
            return try body()
        } catch {
            throw Failure(.system, "\(what): \(error.summary)")
        }
    }

    private func configuration(_ descriptorLimit: Int) -> ServerConfiguration {
        var configuration = ServerConfiguration(
            target: UpstreamTarget(
                authority: Array(plan.uri.authority.utf8), pathPrefix: Array(plan.uri.pathPrefix.utf8),
                acceptEncoding: plan.encoding,
                absoluteBase: plan.upstreamProxy != nil && plan.uri.scheme == .http ? Array(plan.uri.origin.utf8) : []),
            rewriter: LinkRewriter(
                publicURL: plan.publicURL, upstreamAuthority: Array(plan.uri.authority.utf8),
                upstreamIsSecure: plan.uri.scheme == .https, upstreamPrefix: Array(plan.uri.pathPrefix.utf8)),
            hasPublicURL: plan.publicURL != nil,
            headLimits: plan.headLimits, answerFields: plan.answerFields, timeouts: plan.timeouts,
            replayBufferBytes: plan.replayBuffer,
            maxRequests: plan.maxRequests, descriptorLimit: descriptorLimit, accessLog: plan.accessLog,
            accessLogSample: plan.accessLogSample, bodies: plan.bodies.limits,
            trustedProxies: plan.clientAddress.trusted, proxyProtocol: plan.clientAddress.proxyProtocol)
        configuration.upstreamProxy = plan.upstreamProxy?.proxy
        configuration.tellsClientOnBypass = plan.routes.tellsClientOnBypass
        configuration.publicPath = plan.publicURL?.path ?? []
        return configuration
    }

    /// Without aliases the network alone decides who is elevated.
    private func warnIfOpen(_ log: Logger, _ sockets: Sockets) {
        guard !plan.aliases.areConfigured, !sockets.areOnLoopback else { return }
        log.warning(
            "everybody who can connect gets Sentry's token: no alias is configured and the listener is not on loopback. Set --alias-file, or --listen 127.0.0.1:8080",
            metadata: ["addr": "\(sockets.text)"])
    }

    private func logStart(_ log: Logger, _ sockets: Sockets, _ server: Server, _ descriptorLimit: Int) {
        if plan.isUpstreamDefault, Environment.value("SENTRY_URL") != nil {
            log.warning(
                "SENTRY_URL is set and is not read here: SENTRY_URI names the upstream, and without it the default is used",
                metadata: ["upstream": "\(plan.uri.origin)"])
        }
        if plan.tls.isInsecure {
            log.warning(
                "the upstream's certificate is not checked: anybody on the way can read the token (--insecure-skip-verify)"
            )
        }
        if plan.routes.elevatedPaths.isPrefixBarred {
            log.warning(
                "nothing is elevated: the upstream's path is not in plain form, or leads to /oauth/ or ingest (--sentry-uri)"
            )
        }
        if let proxy = plan.upstreamProxy {
            log.info("the upstream is reached through a forward proxy", metadata: ["proxy": "\(proxy.uri.origin)"])
        } else if !UpstreamProxySettings.foreign.isEmpty {
            // Not its value: that may hold a password.
            log.notice(
                "set, but not used: a forward proxy is named by --upstream-proxy (and NO_PROXY is not read)",
                metadata: ["variables": "\(UpstreamProxySettings.foreign.joined(separator: ","))"])
        }
        warnIfOpen(log, sockets)
        var token: Logger.Metadata = ["source": "\(plan.token.winner.rawValue)"]
        if !plan.token.shadowed.isEmpty {
            token["shadowed"] = "\(plan.token.shadowed.map(\.rawValue).joined(separator: ","))"
        }
        log.info("token", metadata: token)
        plan.logConnection(log)
        log.info(
            "listening",
            metadata: [
                "addr": "\(sockets.text)", "admin": "\(sockets.adminText)", "inherited": "\(sockets.areInherited)",
                "upstream": "\(plan.uri.origin)\(plan.uri.pathPrefix)",
                "threads": "\(plan.threads)", "descriptors": "\(descriptorLimit)", "memory": "\(server.memory.bytes)",
                "version": "\(Version.text)",
            ])
    }

    // MARK: Signals

    /// Lets the requests in flight finish, on threads of its own: this one waits for the second signal.
    private func drain(
        _ server: Server, _ sockets: Sockets, _ writer: LogWriter, _ log: Logger
    ) throws(SystemError) {
        let drained = Latch()
        let draining = try Thread(name: "drain") { [self] in
            // Balancers that ask /readyz have this long to send their clients elsewhere.
            if plan.drainDelay > .zero { _ = Latch().wait(within: plan.drainDelay) }
            sockets.unlinkProxyPath()
            server.drain()
            server.join()
            drained.open()
        }
        draining.detach()
        let limiting = try Thread(name: "drain-limit") { [self] in
            if drained.wait(within: plan.drainDelay + plan.drainTimeout) {
                log.info("drained")
            } else {
                log.warning("requests were still in flight when the drain timeout passed")
            }
            end(sockets, writer, status: 0)
        }
        limiting.detach()
    }

    private func end(_ sockets: Sockets, _ writer: LogWriter, status: Int32) -> Never {
        sockets.unlinkAdminPath()
        writer.stop()
        exit(status)
    }
}
