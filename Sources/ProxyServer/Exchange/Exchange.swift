internal import AccessPolicy
internal import EventLoop
internal import HTTP1
internal import System

/// One request on its way and its answer on the way back: the sockets, buffers and counts that the machine in
/// `ExchangeState` is about.
///
/// An exchange lives in a slot of its worker, is used on the worker's thread only and is reused when it is vacant. What
/// it does in each part of its life is in the other files of this folder; ARCHITECTURE.md walks through them.
final class Exchange {
    /// The sides of an event token.
    enum Side {
        static let client: UInt8 = 0
        static let upstream: UInt8 = 1
        /// The upstream's second attempt.
        static let secondAttempt: UInt8 = 2
    }

    let slot: Int
    var generation: UInt32 = 0
    private(set) var phase = Phase.vacant

    // The parts. Each is set anew when the slot is given back, so nothing outlives its request.
    var client = ConnectionSide()
    var upstream = UpstreamConnection()
    var request = RequestState()
    var replay = Replay()
    var response = ResponseState()
    var local = LocalResponse()
    var timer = ExchangeTimer()

    /// What the log and the counters will say. It is written only: nothing is decided by it.
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
        case .relayResponse: return relayResponse(worker)
        case .relayHeldResponse: return relayHeldResponse(worker)
        case .respondLocally: return respondLocally(worker)
        case .consult: return consult(worker)
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
        request.expectsProxyHeader = worker.configuration.expectsProxyHeader(from: peer)
        client.transport = request.expectsProxyHeader ? Transport(socket) : worker.clientTransport(socket)
        identify(peer, worker)
        setDeadline(worker.now + worker.configuration.timeouts.head, worker.reactor)
        report(.accepted, worker)
    }

    /// A connection was accepted that there is no room for.
    func refuseAtOnce(
        _ socket: consuming Socket, from peer: ClientAddress, _ answer: ErrorAnswer, generation: UInt32,
        _ worker: Worker
    ) {
        self.generation = generation
        client.transport = worker.clientTransport(socket)
        identify(peer, worker)
        client.noteMore()
        refuse(answer)
        phase = .readingHead
        report(.requestRefused, worker)
    }

    private func identify(_ peer: ClientAddress, _ worker: Worker) {
        (request.facts.id, request.facts.client) = (worker.nextRequestID(), peer)
        record = AccessRecord(id: request.facts.id, acceptedAt: worker.now)
    }

    // MARK: Readiness

    func clientReady(_ readiness: Readiness, _ worker: Worker) {
        // An event of the batch in which this side was closed is nobody's.
        guard client.isOpen else { return }
        if readiness.intersects(.broken), phase != .closing {
            report(.clientLeft, worker)
            return
        }
        if readiness.contains(.peerClosed) { client.noteEnd() }
        if readiness.contains(.writable), !client.writeBuffer.isEmpty {
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
        case .renewingFirst, .dialing, .awaitingResponse, .renewing, .relaying, .respondingLocally, .consulting:
            clientSpoke(worker.reactor)
        case .vacant: break
        }
    }

    func upstreamReady(_ side: UInt8, _ readiness: Readiness, _ worker: Worker) {
        if side != upstream.attempts.side, case .ends(let event) = secondAttemptReady(readiness, worker) {
            report(event, worker)
            return
        }
        guard upstream.side.isOpen else { return }
        if readiness.contains(.peerClosed) { upstream.side.noteEnd() }
        switch phase {
        case .dialing:
            guard advance(finishAttempt(worker), worker) else { return }
            // The event may have told of an answer too, and is used up: unless what TLS read has emptied the socket.
            guard phase != .dialing, readiness != .writable else { return }
            if upstream.side.hasEnded || upstream.side.transport.mayHaveMore { report(readResponse(worker), worker) }
        case .sendingRequest, .relayingEarly:
            // What the upstream said comes first: it may be the reason why it takes no more.
            if readiness != .writable {
                guard advance(readResponse(worker), worker) else { return }
            }
            if phase == .sendingRequest || phase == .relayingEarly, readiness.contains(.writable) {
                report(sendRequest(worker), worker)
            }
        case .awaitingResponse, .relaying:
            report(readResponse(worker), worker)
        case .closing:
            if readiness != .writable { report(upstreamEnded(worker), worker) }
        case .vacant, .readingHead, .collectingBody, .renewingFirst, .renewing, .respondingLocally, .consulting:
            break
        }
    }

    // MARK: Watching

    func watchClient(_ asked: Readiness, _ reactor: Reactor) {
        if client.transport.isPaused { postpone(Side.client, .readable, reactor) }
        let interest = client.transport.wantsWritable ? asked.union(.writable) : asked
        guard client.isOpen, !client.interest.contains(interest) else { return }
        let token = EventToken(generation: generation, slot: slot, side: Side.client)
        reactor.watch(client.transport.descriptor, interest, over: &client.interest, token)
    }

    func watchUpstream(_ asked: Readiness, _ reactor: Reactor) {
        if upstream.side.transport.isPaused { postpone(Side.upstream, .readable, reactor) }
        let interest = upstream.side.transport.wantsWritable ? asked.union(.writable) : asked
        guard upstream.side.isOpen, !upstream.side.interest.contains(interest) else { return }
        let token = EventToken(generation: generation, slot: slot, side: upstream.attempts.side)
        reactor.watch(upstream.side.transport.descriptor, interest, over: &upstream.side.interest, token)
    }

    /// Whether this iteration's share allows another piece. The first one is always allowed.
    func mayMoveMore(_ reactor: Reactor) -> Bool {
        timer.share.mayMoveMore(inIteration: reactor.iteration, began: reactor.now)
    }

    /// Counts a piece that was moved, inflated or rewritten.
    func moved(_ bytes: Int) {
        timer.share.moved += max(bytes, Bounds.relayBytes)
    }

    /// Goes on in the next iteration, because this iteration's share is used up.
    func postpone(_ side: UInt8, _ readiness: Readiness, _ reactor: Reactor) {
        // However many events ask for it, each side has one entry.
        guard timer.share.postpones(side, inIteration: reactor.iteration) else { return }
        let current = side == Side.client ? side : upstream.attempts.side
        reactor.postpone(EventToken(generation: generation, slot: slot, side: current), readiness)
    }

    /// Chooses the proxy's own answer; the event that leads to it follows.
    func refuse(_ answer: ErrorAnswer) {
        local.answer = answer
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
        closeSecondAttempt(worker)
        worker.finished(self)
        client.writeBuffer.release(to: &worker.pool)
        releaseHeld(worker)
        if timer.armedFor != .never { worker.reactor.timers.disarm(slot: slot) }
        client = ConnectionSide()
        upstream = UpstreamConnection()
        request = RequestState()
        replay = Replay()
        response = ResponseState()
        local = LocalResponse()
        timer = ExchangeTimer()
        worker.release(slot: slot)
    }

    /// Gives back what no answer needs any more.
    func releaseHeld(_ worker: Worker) {
        upstream.side.writeBuffer.release(to: &worker.pool)
        releaseHeldHead(&worker.pool, &worker.spares)
        releaseHeldResponse(&worker.pool, &worker.spares)
        releaseReplay(&worker.pool, &worker.counters)
        releaseSpool(worker)
        releaseTransformation(&worker.pool, &worker.spares)
    }

    func releaseHeldHead(_ pool: inout BufferPool, _ spares: inout SpareParts) {
        request.heldHead.release(to: &pool)
        if let parser = request.headParser.take() { spares.giveBack(parser) }
    }

    func releaseHeldResponse(_ pool: inout BufferPool, _ spares: inout SpareParts) {
        response.held.release(to: &pool)
        if let parser = response.parser.take() { spares.giveBack(parser) }
    }

    private func releaseReplay(_ pool: inout BufferPool, _ counters: inout Counters) {
        replay.head.release(to: &pool)
        replay.body.release(to: &pool)
        replay.tokenPlace = nil
        note(RecordingInput.released, &counters)
    }
}
