internal import AccessPolicy
internal import EventLoop
internal import HTTP1
internal import TLS
internal import TokenStore

/// One thread of the proxy: a reactor, its listeners and the exchanges it has in hand.
final class Worker {
    let reactor: Reactor
    let shared: ServerState
    let configuration: ServerConfiguration
    let target: UpstreamTarget
    let uncodedTarget: UpstreamTarget
    let scratch = Scratch()
    var pool = BufferPool()
    var counters = Counters()
    /// Bytes at the start of `scratch.staging` that wait to be sent, within one turn.
    var stagedCount = 0

    // Copies of what was published, renewed when a version has changed.
    private(set) var token: TokenSnapshot
    private(set) var policy: PolicyConfiguration
    private(set) var addresses: ResolvedAddresses
    private var tls: TLSContexts
    private var policyVersion: UInt64
    private var tlsVersion: UInt64
    private var addressesVersion: UInt64

    private var exchanges = Slab<Exchange> { Exchange(slot: $0) }
    private var requestParsers: [RequestHeadParser] = []
    private var inflaters: [PooledInflater] = []
    private var responseParsers: [ResponseHeadParser] = []
    private var renewals = ParkedExchanges()
    private var unresolved: [EventToken] = []

    private let listeners: Listeners
    private var accepting = AcceptQuota()
    private var acceptPausedUntil: UInt64 = 0
    private var isDraining = false
    private var mustStop = false
    let mailbox: Mailbox<WorkerMail>
    private let log: ByteRing
    private var lastRequestID: UInt64

    init(_ shared: ServerState, listeners: Listeners, mailbox: Mailbox<WorkerMail>) throws(SystemError) {
        self.shared = shared
        configuration = shared.configuration
        self.listeners = listeners
        self.mailbox = mailbox
        reactor = try Reactor()
        token = shared.tokens.current()
        (policyVersion, policy) = shared.policy.current()
        (addressesVersion, addresses) = shared.addresses.current()
        (tlsVersion, tls) = shared.tls.current()
        target = configuration.target
        uncodedTarget = configuration.uncodedTarget
        log = shared.log.makeRing()
        lastRequestID = try Entropy.bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Serves until it is told to stop.
    func run() throws(SystemError) {
        try reactor.watch(mailbox: mailbox.descriptor)
        try listeners.watch(with: reactor)
        reactor.run(self)
    }

    var now: UInt64 { reactor.now }

    // MARK: Parsers

    func takeRequestParser() -> RequestHeadParser {
        requestParsers.popLast() ?? RequestHeadParser(limits: configuration.headLimits)
    }

    func giveBack(_ parser: consuming RequestHeadParser) {
        var parser = parser
        parser.reset()
        requestParsers.append(parser)
    }

    func takeResponseParser() -> ResponseHeadParser {
        responseParsers.popLast() ?? ResponseHeadParser(limits: HeadLimits())
    }

    func giveBack(_ parser: consuming ResponseHeadParser) {
        var parser = parser
        parser.reset()
        responseParsers.append(parser)
    }

    /// Adds bytes behind those that are staged; they must fit.
    func appendToStaging(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        scratch.staging.part(stagedCount..<stagedCount + bytes.count).copyMemory(from: bytes)
        stagedCount += bytes.count
    }

    // MARK: Connections

    func clientTransport(_ socket: consuming Socket) -> Transport {
        guard let context = tls.server else { return Transport(socket) }
        return Transport(socket, accepting: context)
    }

    func upstreamTransport(_ socket: consuming Socket) -> Transport {
        guard let context = tls.client else { return Transport(socket) }
        return Transport(socket, connecting: context)
    }

    /// The scheme that clients use here.
    var clientScheme: ClientScheme { tls.server == nil ? .http : .https }

    /// - Returns: nil when there is no memory for another one.
    func takeInflater() -> PooledInflater? {
        inflaters.popLast() ?? PooledInflater()
    }

    func giveBack(_ inflater: PooledInflater) {
        guard inflaters.count < Bounds.keptInflaters else { return }
        inflater.inflater.reset()
        inflaters.append(inflater)
    }

    // MARK: Bounds

    /// Whether another request may be in flight; counts it if so.
    func admitRequest(_ exchange: Exchange) -> Bool {
        guard shared.requestBegan() else { return false }
        exchange.record.isRequest = true
        counters.inFlight += 1
        return true
    }

    var mayOpenDescriptor: Bool { shared.mayDial }

    func descriptorOpened() {
        shared.descriptorOpened()
    }

    func descriptorClosed() {
        shared.descriptorClosed()
    }

    func watch(_ fd: CInt, _ interest: Readiness, over current: inout Readiness, _ token: EventToken) {
        let wanted = current.union(interest)
        // Out of kernel memory for a watch: the exchange's deadline ends it.
        if current.isEmpty {
            try? reactor.watch(fd, wanted, token)
        } else {
            try? reactor.rewatch(fd, wanted, token)
        }
        current = wanted
    }

    // MARK: Exchanges

    func nextRequestID() -> UInt64 {
        // A Weyl sequence: every value once in 2^64, and neighbours look nothing alike.
        lastRequestID &+= 0x9e37_79b9_7f4a_7c15
        return lastRequestID
    }

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
            guard let exchange = exchanges.element(for: token), exchange.phase == .dialing, !exchange.upstream.isOpen
            else { continue }
            if addresses.addresses.isEmpty, addresses.failure == nil {
                unresolved.append(token)
            } else {
                if addresses.addresses.isEmpty { exchange.record.cause = .unresolved }
                exchange.tryNextAddress(self)
            }
        }
    }

    // MARK: Renewals

    /// Has the token renewed for those who come later.
    func renewInBackground(_ version: UInt64) {
        guard token.version == version, renewals.isIdle(version: version) else { return }
        shared.renew(ifStill: version, answerTo: mailbox)
    }

    /// Parks the exchange, and asks the broker unless it was asked for this version already.
    func askForRenewal(_ exchange: Exchange) {
        let isFirst = renewals.park(
            EventToken(generation: exchange.generation, slot: exchange.slot, side: 0), version: exchange.tokenVersion)
        if isFirst { shared.renew(ifStill: exchange.tokenVersion, answerTo: mailbox) }
    }

    func renewalTimedOut(_ exchange: Exchange) {
        exchange.renewalEnded(.unavailable, self)
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
            exchanges.element(for: token)?.renewalEnded(retry, self)
        }
    }

    private func refreshPublished() {
        if shared.tokens.version != token.version { token = shared.tokens.current() }
        if shared.policy.version != policyVersion { (policyVersion, policy) = shared.policy.current() }
        if shared.tls.version != tlsVersion { (tlsVersion, tls) = shared.tls.current() }
        if shared.addresses.version != addressesVersion {
            (addressesVersion, addresses) = shared.addresses.current()
            addressesChanged()
        }
    }

    // MARK: Records

    /// Keeps what the access log and the rewriting of URLs will need of the head.
    func noteRequestLine(_ head: RequestHead, _ bytes: UnsafeBufferPointer<UInt8>, _ record: inout AccessRecord) {
        let isLogged = configuration.accessLog != .off
        guard isLogged || !configuration.hasPublicURL, !head.methodName.isEmpty else { return }
        // The query is left out: it may hold what nobody wants in a log.
        let path = UnsafeBufferPointer(rebasing: bytes[head.path.range].prefix { $0 != UInt8(ascii: "?") })
        let method = UnsafeBufferPointer(rebasing: bytes[head.methodName.range].prefix(32))
        let host = configuration.hasPublicURL ? ByteSlice.empty : hostField(head, bytes.span)
        let lineCount = isLogged ? min(method.count + path.count, Bounds.loggedLineBytes) : 0
        let buffer = pool.take(atLeast: lineCount + Int(host.count))
        var writer = HeadWriter(buffer.bytes)
        if isLogged {
            writer.append(method.span)
            record.methodCount = writer.count
            writer.append(path.span.extracting(first: lineCount - writer.count))
        }
        record.lineCount = writer.count
        writer.append(bytes.span.extracting(host.range))
        record.hostCount = Int(host.count)
        record.line = buffer
    }

    private func hostField(_ head: RequestHead, _ bytes: Span<UInt8>) -> ByteSlice {
        for i in head.fields.indices where head.fields[i].isNamed("host", in: bytes) {
            let value = head.fields[i].value
            return Int(value.count) <= Bounds.notedHostBytes ? value : .empty
        }
        return .empty
    }

    /// The answer is out, or broke off: what is still to come does not count as the request's time.
    func answered(_ exchange: Exchange) {
        guard !exchange.record.isAnswered else { return }
        exchange.record.isAnswered = true
        exchange.record.endedAt = now
        guard exchange.record.isRequest else { return }
        exchange.record.isRequest = false
        counters.inFlight -= 1
        shared.requestEnded()
        switch exchange.record.route {
        case .elevated: counters.requestsElevated += 1
        case .bypass: counters.requestsBypass += 1
        }
    }

    /// The exchange is over.
    func finished(_ exchange: Exchange) {
        answered(exchange)
        counters.bytesUp += exchange.record.bytesUp
        counters.bytesDown += exchange.record.bytesDown
        writeAccessLine(exchange.record)
        if let line = exchange.record.line {
            pool.give(line, used: exchange.record.lineCount + exchange.record.hostCount)
        }
        exchange.record.line = nil
    }

    private func writeAccessLine(_ record: AccessRecord) {
        switch configuration.accessLog {
        case .off: return
        case .errors: guard record.status == 0 || record.status >= 500 || record.cause != .none else { return }
        case .all: break
        }
        guard record.lineCount > 0 || record.status != 0 else { return }
        // The staging buffer is free between two exchanges.
        var line = LogLine(scratch.staging, shared.log.format)
        line.write(record, policy, realtime: Clock.realtime)
        let count = line.end()
        guard count > 0 else { return }
        shared.log.write(UnsafeRawBufferPointer(scratch.staging.part(0..<count)), to: log)
    }
}

// MARK: - The loop

extension Worker: ReactorHandler {
    func turnBegan(now: UInt64) {
        refreshPublished()
        if acceptPausedUntil != 0, now >= acceptPausedUntil {
            acceptPausedUntil = 0
            try? listeners.watch(with: reactor)
        }
    }

    func acceptReady(listener: Int, now: UInt64) {
        var accepted = 0
        while accepted < accepting.quota {
            switch listeners.accept(listener) {
            case .none:
                accepting.foundNone(after: accepted)
                return
            case .aborted:
                accepted += 1
                counters.acceptErrors += 1
            case .exhausted:
                counters.acceptErrors += 1
                pauseAccepting()
                return
            case .socket(let descriptor):
                accepted += 1
                counters.accepted += 1
                begin(Socket(owning: descriptor))
            }
        }
        accepting.usedUp()
    }

    private func begin(_ socket: consuming Socket) {
        shared.descriptorOpened()
        guard let (exchange, _, generation) = exchanges.acquire() else {
            shared.descriptorClosed()
            return
        }
        guard shared.mayAccept else {
            exchange.refuseAtOnce(socket, generation: generation, self)
            return
        }
        exchange.begin(socket, generation: generation, self)
    }

    /// Trying again at once would spin: the queue keeps the connection.
    private func pauseAccepting() {
        listeners.unwatch(with: reactor)
        acceptPausedUntil = now + Bounds.acceptPauseNanoseconds
        reactor.wake(at: acceptPausedUntil)
    }

    func ready(_ token: EventToken, _ readiness: Readiness, now: UInt64) {
        guard let exchange = exchanges.element(for: token) else { return }
        if token.side == Exchange.Side.client {
            exchange.clientReady(readiness, self)
        } else {
            exchange.upstreamReady(readiness, self)
        }
    }

    func timerExpired(slot: Int, now: UInt64) {
        exchanges[slot].timerExpired(self)
    }

    func mailReady(now: UInt64) {
        for mail in mailbox.takeAll() {
            switch mail {
            case .publishedChanged: refreshPublished()
            case .renewalEnded(let version, let outcome): renewalEnded(version, outcome)
            case .drain: drain()
            case .stop: mustStop = true
            case .report(let answer): answer(counters, reactor.takeLongestTurn())
            }
        }
    }

    /// Accepts what is in the queue already, then no more.
    private func drain() {
        guard !isDraining else { return }
        isDraining = true
        accepting = .unbounded
        for listener in 0..<listeners.count { acceptReady(listener: listener, now: now) }
        listeners.unwatch(with: reactor)
        for slot in 0..<exchanges.slots { exchanges[slot].hurryHead(self) }
    }

    func turnEnded(now: UInt64) -> Bool {
        mustStop || isDraining && exchanges.count == 0
    }
}
