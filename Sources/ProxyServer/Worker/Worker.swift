internal import AccessPolicy
internal import EventLoop
internal import HTTP1
internal import System
internal import TLS
internal import TokenStore

/// One thread of the proxy: a reactor, its listeners and the exchanges it has in hand.
final class Worker {
    let reactor: Reactor
    let shared: ServerState
    let configuration: ServerConfiguration
    let target: UpstreamTarget
    let identityTarget: UpstreamTarget
    let scratch = Scratch()
    var pool: BufferPool
    /// What a client's and an upstream's connection hold besides pooled buffers, in bytes.
    let clientBytes: Int
    let upstreamBytes: Int
    /// What is spooled counts as held.
    let spoolsToMemory: Bool
    var counters = Counters()

    // Copies of what was published, renewed when a version has changed.
    private(set) var token: TokenSnapshot
    private(set) var policy: PolicyConfiguration
    var addresses: AddressTable
    private var tls: TLSContexts
    private var policyVersion: UInt64
    /// Where the aliases of `policy` are counted, by their index.
    var aliasSlots: [Int] = []
    /// What aliases in shadow mode use.
    var lessons = Lessons()
    private var tlsVersion: UInt64
    private var addressesVersion: UInt64

    var exchanges = Slab<Exchange> { Exchange(slot: $0) }
    var spares: SpareParts
    private var renewals = ParkedExchanges()
    /// Refusals before this are not told to the broker.
    private var refusalNotedUntil = Instant.distantPast
    private var unresolved: [EventToken] = []

    let listeners: Listeners
    var accepting = AcceptQuota()
    /// Nil when it is not.
    var acceptPausedUntil: Instant?
    var isDraining = false
    /// When draining: the moment at which the listeners may be closed.
    var listenersCloseAt: Instant?
    private var mustStop = false
    let mailbox: Mailbox<WorkerMail>
    let log: ByteRing
    private var requestIDs: RequestIDs
    private var wall: Int64 = 0
    private var wallReadAt = Instant.never
    /// Ordinary requests since the last one that got an access line.
    var unlogged = 0

    init(_ shared: ServerState, listeners: Listeners, mailbox: Mailbox<WorkerMail>) throws(SystemError) {
        self.shared = shared
        configuration = shared.configuration
        self.listeners = listeners
        self.mailbox = mailbox
        reactor = try Reactor()
        pool = BufferPool(shared.memory)
        spares = SpareParts(requests: configuration.headLimits, responses: configuration.responseLimits)
        token = shared.tokens.current()
        (policyVersion, policy) = shared.policy.current()
        let resolved = shared.addresses.current()
        (addressesVersion, addresses) = (resolved.version, AddressTable(resolved.value))
        (tlsVersion, tls) = shared.tls.current()
        spoolsToMemory = configuration.bodies.spoolPlace == .memory
        clientBytes = Bounds.exchangeBytes + (tls.server == nil ? 0 : Bounds.sessionBytes)
        upstreamBytes = tls.client == nil ? 0 : Bounds.sessionBytes
        target = configuration.target
        identityTarget = configuration.identityTarget
        log = shared.log.makeRing()
        aliasSlots = counters.aliasSlots(policy.aliases)
        lessons.follow(policy.rights, now: Clock.wall.seconds)
        func random() throws(SystemError) -> UInt64 { try Entropy.bytes(8).reduce(0) { $0 << 8 | UInt64($1) } }
        requestIDs = RequestIDs(key0: try random(), key1: try random())
        try reactor.watch(mailbox: mailbox.descriptor)
        try listeners.watch(with: reactor)
    }

    /// Serves until it is told to stop.
    func run() {
        reactor.run(self)
    }

    var now: Instant { reactor.now }

    /// Seconds since 1970, read once an iteration by whoever asks first.
    var wallSeconds: Int64 {
        if wallReadAt != now { (wallReadAt, wall) = (now, Clock.wall.seconds) }
        return wall
    }

    // MARK: Connections

    func clientTransport(_ socket: consuming Socket) -> Transport {
        guard let context = tls.server else { return Transport(socket) }
        return Transport(socket, accepting: context)
    }

    /// The client's connection goes on with TLS, when that is what clients speak here.
    func beginClientTLS(_ transport: inout Transport) {
        if let context = tls.server { transport.beginTLS(accepting: context) }
    }

    func upstreamTransport(_ socket: consuming Socket, isWatched: Bool) -> Transport {
        guard let context = tls.client else { return Transport(socket) }
        let connect = configuration.upstreamProxy?.connect
        return Transport(socket, connecting: context, through: connect, isWatched: isWatched)
    }

    /// The scheme that clients use here.
    var clientScheme: ClientScheme { tls.server == nil ? .http : .https }

    // MARK: Bounds

    /// Whether another request may be in flight; counts it if so.
    func admitRequest(_ exchange: Exchange) -> Bool {
        exchange.record.isRouted = true
        noteAlias(exchange.request.forward.aliasIndex, &exchange.request.facts, &exchange.record)
        guard shared.requestBegan() else { return false }
        exchange.request.isInFlight = true
        counters.requestBegan(alias: exchange.record.aliasSlot)
        return true
    }

    var mayOpenDescriptor: Bool { shared.mayDial }

    /// - Parameter bytes: what the connection holds besides pooled buffers.
    func connectionOpened(holding bytes: Int) {
        shared.descriptorOpened()
        pool.memory.hold(bytes)
    }

    func connectionClosed(holding bytes: Int) {
        shared.descriptorClosed()
        pool.memory.release(bytes)
    }

    /// How many bytes to read at once for a receiver that may not take them: few when memory is short.
    func window(_ wanted: Int) -> Int {
        pool.mayTake(atLeast: wanted, for: .relay) ? wanted : min(wanted, Bounds.narrowRelayBytes)
    }

    // MARK: Exchanges

    func nextRequestID() -> UInt64 { requestIDs.next() }

    func release(slot: Int) {
        exchanges.release(slot: slot)
    }

    func waitForAddresses(_ exchange: Exchange) {
        unresolved.append(EventToken(generation: exchange.generation, slot: exchange.slot, side: 0))
    }

    private func addressesChanged() {
        let waiting = unresolved
        unresolved.removeAll(keepingCapacity: true)
        for token in waiting {
            guard let exchange = exchanges.element(for: token), exchange.phase == .dialing,
                exchange.upstream.attempts.state == .awaitingAddresses
            else { continue }
            if addresses.addresses.isEmpty, addresses.failure == nil {
                unresolved.append(token)
            } else {
                if addresses.addresses.isEmpty { exchange.record.cause = .unresolved }
                exchange.report(exchange.tryNextAddress(self), self)
            }
        }
    }

    // MARK: Renewals

    /// Has the token renewed for those who come later.
    func renewInBackground(_ version: UInt64) {
        guard token.version == version, renewals.isIdle(version: version) else { return }
        shared.renew(ifStill: version, answerTo: mailbox)
    }

    /// A token that cannot be renewed was refused. The broker finds out whether that is about the token; to be told of
    /// one 401 a second is enough for it.
    func noteRefusal(_ version: UInt64) {
        guard now >= refusalNotedUntil else { return }
        refusalNotedUntil = now + Bounds.refusal
        shared.renew(ifStill: version, answerTo: mailbox)
    }

    /// Parks the exchange, and asks the broker unless it was asked for this version already.
    func askForRenewal(_ exchange: Exchange) {
        let isFirst = renewals.park(
            EventToken(generation: exchange.generation, slot: exchange.slot, side: 0),
            version: exchange.replay.tokenVersion)
        if isFirst { shared.renew(ifStill: exchange.replay.tokenVersion, answerTo: mailbox) }
    }

    private func renewalEnded(_ version: UInt64, _ outcome: RenewalOutcome) {
        refreshPublished()
        let retry: RetryOutcome =
            switch outcome {
            case .renewed: .renewed
            case .unchanged: .unchanged
            case .unavailable: .unavailable
            }
        for token in renewals.take(version: version) {
            guard let exchange = exchanges.element(for: token) else { continue }
            exchange.report(exchange.renewalEnded(retry), self)
        }
    }

    private func refreshPublished() {
        if shared.tokens.version != token.version { token = shared.tokens.current() }
        if shared.policy.version != policyVersion {
            (policyVersion, policy) = shared.policy.current()
            aliasSlots = counters.aliasSlots(policy.aliases)
            lessons.follow(policy.rights, now: Clock.wall.seconds)
        }
        if shared.tls.version != tlsVersion { (tlsVersion, tls) = shared.tls.current() }
        if shared.addresses.version != addressesVersion {
            let resolved = shared.addresses.current()
            addressesVersion = resolved.version
            addresses.replace(resolved.value)
            addressesChanged()
        }
    }
}

// MARK: - The loop

extension Worker: ReactorHandler {
    func iterationBegan(now: Instant) {
        refreshPublished()
        if let pause = acceptPausedUntil, now >= pause {
            acceptPausedUntil = nil
            try? listeners.watch(with: reactor)
            wakeForListeners()
        }
        if let close = listenersCloseAt, now >= close, !listeners.isClosed { acceptTheLast() }
    }

    func ready(_ token: EventToken, _ readiness: Readiness, now: Instant) {
        guard let exchange = exchanges.element(for: token) else { return }
        if token.side == Exchange.Side.client {
            exchange.clientReady(readiness, self)
        } else {
            exchange.upstreamReady(token.side, readiness, self)
        }
    }

    func timerExpired(slot: Int, now: Instant) {
        exchanges[slot].timerExpired(self)
    }

    func mailReady(now: Instant) {
        for mail in mailbox.takeAll() {
            switch mail {
            case .publishedChanged: refreshPublished()
            case .spooled(let job):
                if let exchange = exchanges.element(for: job.token) {
                    exchange.report(exchange.spooled(job, self), self)
                }
                pool.give(job.buffer, used: job.count)
            case .consulted(let token, let answer): exchanges.element(for: token)?.consulted(answer, self)
            case .renewalEnded(let version, let outcome): renewalEnded(version, outcome)
            case .drain: drain()
            case .stop: mustStop = true
            case .report(let answer):
                counters.heldBytes = pool.memory.held
                answer(counters.snapshot(), reactor.takeLongestIteration())
            case .lessons(let answer): answer(lessons.detached())
            }
        }
    }

    func iterationEnded(now: Instant) -> Bool {
        mustStop || isDraining && listeners.isClosed && exchanges.count == 0
    }
}
