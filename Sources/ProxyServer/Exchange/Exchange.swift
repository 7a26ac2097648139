internal import AccessPolicy
internal import EventLoop
internal import HTTP1

/// One request on its way and its answer on the way back: the sockets, buffers and counts that the machine in
/// `ExchangeState` is about.
///
/// An exchange lives in a slot of its worker, is used on the worker's thread only and is reused when it is vacant. What
/// it does in each part of its life is in the files named for it: `RequestHeadReading`, `BodyCollecting`, `Dialing`,
/// `Racing`, `RequestSending`, `Renewing`, `AnswerHeadReading`, `AnswerRelaying`, `OwnAnswer`, `Closing`; besides these there
/// are `HalfClosing` and `ExchangeDeadlines`.
final class Exchange {
    /// The sides of an event token.
    enum Side {
        static let client: UInt8 = 0
        static let upstream: UInt8 = 1
        /// The upstream's second attempt.
        static let rival: UInt8 = 2
    }

    let slot: Int
    var generation: UInt32 = 0
    private(set) var phase = Phase.vacant

    var client = Peer()
    var upstream = Peer()

    // The request.
    var request = RequestFacts()
    /// The connection begins with the PROXY header of a balancer.
    var expectsProxyHeader = false
    /// The head's bytes while it is incomplete, or while the body is collected.
    var heldHead: PooledBuffer?
    var heldHeadCount = 0
    /// Reads the held head.
    var headParser: RequestHeadParser?
    var requestBody = BodyReader()
    var requestFraming = OutgoingFraming.none
    /// The upstream's socket takes no more of the request: it may have answered already.
    var isUploadBroken = false
    /// The client sent bytes behind its request, or may have.
    var clientSentMore = false

    // What a second sending needs.
    var forward = Forward(route: .bypass)
    /// The upstream's request head as it was written, when it may have to be sent again.
    var keptHead: PooledBuffer?
    var keptHeadCount = 0
    /// Where the token lies in it.
    var tokenPlace: ByteSlice?
    /// The request's body from its start, when it may have to be sent again or is being collected.
    var keptBody: PooledBuffer?
    var keptBodyCount = 0
    var keepsBody = false
    /// Until when the body must be whole to be collected, or to be kept any longer.
    var collectingEnds: UInt64 = 0
    /// The body, when it was too long to be held.
    var spool: Spool?
    var tokenVersion: UInt64 = 0
    var retry = RetryOutcome.none

    // The rights of the alias, when it is a bounded one.
    var rights: RightsInForce?
    var verdict = AccessPolicy.Verdict()
    var refusal: Refusal?
    /// Where the request counts as one of its alias in flight.
    var cell: AliasCell?
    /// When a request of the alias may come again, in seconds.
    var retryAfterSeconds: Int?
    /// The proxy says itself who the alias is.
    var identity: OperationTreatment?

    // The attempts to connect.
    var tried = TriedAddresses()
    var upstreamAddress = AttemptedAddress()
    /// The side of the upstream's events; the other one of the two is the rival's.
    var upstreamSide = Side.upstream
    var rival = Rival()

    // The answer.
    var answerParser: ResponseHeadParser?
    /// Bytes of an answer whose head is incomplete, or that waits for a renewal.
    var heldAnswer: PooledBuffer?
    var heldAnswerCount = 0
    var interimAnswers = 0
    var answerBody = BodyReader()
    var answerFraming = OutgoingFraming.none
    /// Takes gzip off the answer, for a client that does not accept it.
    var inflater: PooledInflater?
    /// Bytes of the answer that wait to be inflated.
    var compressed = Backlog()
    /// The answer's JSON, while it is read whole to be rewritten.
    var collectedBody: PooledBuffer?
    var collectedCount = 0
    /// How far its rewriting has come, and what was written of it.
    var bodyRewrite: BodyRewrite?
    var rewrittenBody: PooledBuffer?
    var rewrittenCount = 0
    /// The answer's last byte is sent or in the backlog.
    var isAnswerWhole = false
    /// What the proxy answers when it answers by itself.
    var ownAnswer = ErrorAnswer.internalError
    var ownAnswerFormat = AnswerFormat.text
    /// What the client is told in place of the answer's own message.
    var answerMessage: String?

    /// What this turn allows.
    private var share = TurnShare()

    // Time, in nanoseconds of the monotonic clock.
    /// When the current phase must have got on; 0 is never.
    var deadline: UInt64 = 0
    /// When a client whose FIN is in is asked whether it is still there; 0 is never, `.max` is done.
    var probeAt: UInt64 = 0
    /// When the wheel fires; 0 is not armed.
    var armedFor: UInt64 = 0
    var record = AccessRecord()

    init(slot: Int) {
        self.slot = slot
    }

    // MARK: The machine

    /// Does what follows from an event, and from those that this leads to, until one has to come from outside.
    ///
    /// Only what the loop calls may call it. Everything else returns its event, so that nothing goes on with an exchange
    /// that it has ended.
    /// - Returns: whether the exchange is still in hand; if not, its slot may soon be another's.
    func advance(_ reported: Event?, _ worker: Worker) -> Bool {
        var reported = reported
        while let event = reported {
            guard case .next(let following, let action) = step(phase, event) else {
                worker.counters.impossibleSteps += 1
                // A vacant slot was given back already: once more, and two connections would share it.
                guard phase != .vacant else { return false }
                phase = .vacant
                abandon(worker)
                return false
            }
            phase = following
            reported = perform(action, worker)
        }
        return phase != .vacant
    }

    /// The same, as the last thing that is done with the exchange for now.
    func report(_ event: Event?, _ worker: Worker) {
        _ = advance(event, worker)
    }

    /// - Returns: the event that the action led to at once.
    private func perform(_ action: Action, _ worker: Worker) -> Event? {
        switch action {
        case .nothing: return nil
        case .readHead: return readHead(worker)
        case .collectBody: return collectBody(worker)
        case .renewToken: return askForRenewal(worker)
        case .dial: return dial(worker)
        case .replay: return replay(worker)
        case .sendRequest: return sendRequest(worker)
        case .relayAnswer: return relayAnswer(worker)
        case .relayHeldAnswer: return relayHeldAnswer(worker)
        case .answer: return answer(worker)
        case .close: return close(worker)
        case .abort: return abort(worker)
        case .abandon: abandon(worker)
        case .release: release(worker)
        }
        return nil
    }

    /// A connection was accepted into this slot.
    func begin(_ socket: consuming Socket, from peer: ClientAddress, generation: UInt32, _ worker: Worker) {
        self.generation = generation
        expectsProxyHeader = worker.configuration.expectsProxyHeader(from: peer)
        client.transport = expectsProxyHeader ? Transport(socket) : worker.clientTransport(socket)
        request = RequestFacts()
        record = AccessRecord(id: worker.nextRequestID(), client: peer, acceptedAt: worker.now)
        setDeadline(worker.now + worker.configuration.timeouts.head, worker)
        report(.accepted, worker)
    }

    /// A connection was accepted that there is no room for.
    func refuseAtOnce(
        _ socket: consuming Socket, from peer: ClientAddress, _ answer: ErrorAnswer, generation: UInt32,
        _ worker: Worker
    ) {
        self.generation = generation
        client.transport = worker.clientTransport(socket)
        request = RequestFacts()
        record = AccessRecord(id: worker.nextRequestID(), client: peer, acceptedAt: worker.now)
        clientSentMore = true
        refuse(answer)
        phase = .readingHead
        report(.requestRefused, worker)
    }

    // MARK: Readiness

    func clientReady(_ readiness: Readiness, _ worker: Worker) {
        // An event of the batch in which this side was closed is nobody's.
        guard client.isOpen else { return }
        if readiness.intersects(.broken), phase != .closing {
            report(.clientLeft, worker)
            return
        }
        if readiness.contains(.peerClosed) { client.hasEnded = true }
        if readiness.contains(.writable), !client.backlog.isEmpty {
            guard advance(flushClient(worker), worker) else { return }
        }
        // TLS may have to write before it can read.
        let mayRead = readiness.intersects(.incomingOrBroken)
        guard mayRead || !client.transport.isPlain else { return }
        switch phase {
        case .readingHead: report(readHead(worker), worker)
        case .collectingBody: report(collectBody(worker), worker)
        case .sendingRequest, .relayingEarly: report(sendRequest(worker), worker)
        case .closing: report(drainClient(worker), worker)
        case .renewingFirst, .dialing, .awaitingAnswer, .renewing, .relaying, .answering: clientSpoke(worker)
        case .vacant: break
        }
    }

    func upstreamReady(_ side: UInt8, _ readiness: Readiness, _ worker: Worker) {
        if side != upstreamSide, case .ends(let event) = rivalReady(readiness, worker) {
            report(event, worker)
            return
        }
        guard upstream.isOpen else { return }
        if readiness.contains(.peerClosed) { upstream.hasEnded = true }
        switch phase {
        case .dialing:
            guard advance(finishAttempt(worker), worker) else { return }
            // The event may have told of an answer too, and is used up.
            if phase != .dialing, readiness != .writable { report(readAnswer(worker), worker) }
        case .sendingRequest, .relayingEarly:
            // What the upstream said comes first: it may be the reason why it takes no more.
            if readiness != .writable {
                guard advance(readAnswer(worker), worker) else { return }
            }
            if phase == .sendingRequest || phase == .relayingEarly, readiness.contains(.writable) {
                report(sendRequest(worker), worker)
            }
        case .awaitingAnswer, .relaying:
            report(readAnswer(worker), worker)
        case .closing:
            if readiness != .writable { report(upstreamParted(worker), worker) }
        case .vacant, .readingHead, .collectingBody, .renewingFirst, .renewing, .answering:
            break
        }
    }

    // MARK: Watching

    func watchClient(_ asked: Readiness, _ worker: Worker) {
        if client.transport.isPaused { postpone(Side.client, .readable, worker) }
        let interest = client.transport.wantsWritable ? asked.union(.writable) : asked
        guard client.isOpen, !client.interest.isSuperset(of: interest) else { return }
        let token = EventToken(generation: generation, slot: slot, side: Side.client)
        worker.watch(client.transport.descriptor, interest, over: &client.interest, token)
    }

    func watchUpstream(_ asked: Readiness, _ worker: Worker) {
        if upstream.transport.isPaused { postpone(Side.upstream, .readable, worker) }
        let interest = upstream.transport.wantsWritable ? asked.union(.writable) : asked
        guard upstream.isOpen, !upstream.interest.isSuperset(of: interest) else { return }
        let token = EventToken(generation: generation, slot: slot, side: upstreamSide)
        worker.watch(upstream.transport.descriptor, interest, over: &upstream.interest, token)
    }

    /// Whether this turn's share allows another piece. The first one is always allowed.
    func mayMoveMore(_ worker: Worker) -> Bool {
        share.mayMoveMore(inTurn: worker.reactor.turn, began: worker.now)
    }

    /// Counts a piece that was moved, inflated or rewritten.
    func moved(_ bytes: Int) {
        share.moved += max(bytes, Bounds.relayBytes)
    }

    /// Goes on in the next turn, because this turn's share is used up.
    func postpone(_ side: UInt8, _ readiness: Readiness, _ worker: Worker) {
        // However many events ask for it, each side has one entry.
        guard share.postpones(side, inTurn: worker.reactor.turn) else { return }
        let current = side == Side.client ? side : upstreamSide
        worker.reactor.postpone(EventToken(generation: generation, slot: slot, side: current), readiness)
    }

    /// Chooses the proxy's own answer; the event that leads to it follows.
    func refuse(_ answer: ErrorAnswer) {
        ownAnswer = answer
    }

    // MARK: The end

    /// Drops the upstream at once and gives the slot back.
    private func abandon(_ worker: Worker) {
        closeUpstream(worker, byReset: true)
        release(worker)
    }

    /// Gives everything back; the slot may have another tenant when this returns.
    private func release(_ worker: Worker) {
        closeClient(worker)
        closeUpstream(worker, byReset: true)
        closeRival(worker)
        worker.finished(self)
        client.backlog.release(to: &worker.pool)
        releaseHeld(worker)
        share = TurnShare()
        requestBody = BodyReader()
        answerBody = BodyReader()
        isUploadBroken = false
        clientSentMore = false
        probeAt = 0
        retry = .none
        rights = nil
        refusal = nil
        identity = nil
        retryAfterSeconds = nil
        verdict = AccessPolicy.Verdict()
        interimAnswers = 0
        isAnswerWhole = false
        answerFraming = .none
        answerMessage = nil
        ownAnswerFormat = .text
        deadline = 0
        if armedFor != 0 { worker.reactor.timers.disarm(slot: slot) }
        armedFor = 0
        worker.release(slot: slot)
    }

    /// Gives back what no answer needs any more.
    func releaseHeld(_ worker: Worker) {
        upstream.backlog.release(to: &worker.pool)
        releaseHeldHead(worker)
        releaseHeldAnswer(worker)
        releaseKept(worker)
        releaseSpool(worker)
        releaseTransformation(worker)
    }

    func releaseHeldHead(_ worker: Worker) {
        if let heldHead { worker.pool.give(heldHead, used: heldHeadCount) }
        heldHead = nil
        heldHeadCount = 0
        if var parser = headParser.take() { worker.giveBack(&parser) }
    }

    func releaseHeldAnswer(_ worker: Worker) {
        if let heldAnswer { worker.pool.give(heldAnswer, used: heldAnswerCount) }
        heldAnswer = nil
        heldAnswerCount = 0
        if var parser = answerParser.take() { worker.giveBack(&parser) }
    }

    func releaseKept(_ worker: Worker) {
        if let keptHead { worker.pool.give(keptHead, used: keptHeadCount) }
        if let keptBody { worker.pool.give(keptBody, used: keptBodyCount) }
        (keptHead, keptHeadCount, tokenPlace) = (nil, 0, nil)
        (keptBody, keptBodyCount, keepsBody) = (nil, 0, false)
    }
}
