internal import AccessPolicy
internal import EventLoop
internal import HTTP1
internal import System
internal import TokenStore

/// A chunked request body, read into the replay buffer before anything is sent: what fits goes out with a
/// Content-Length, because Sentry's application servers lose chunked bodies without a word (ADR 0004).
extension Exchange {
    func collectBody(_ worker: Worker) -> Event? {
        guard request.spool?.isBusy != true else { return nil }
        guard request.reading == nil else { return readCollected(worker) }
        if replay.body.buffer == nil, case .ends(let event) = collectPrefix(worker) { return event }
        for _ in 0..<Bounds.readsPerIteration {
            switch client.transport.receive(into: worker.scratch.inbound(collectingWindow)) {
            case .wouldBlock:
                watchClient(.incoming, worker.reactor)
                return nil
            case .endOfStream, .failed:
                return .clientLeft
            case .bytes(let count):
                setDeadline(
                    min(worker.now + worker.configuration.timeouts.body, request.collectingEnds), worker.reactor)
                if case .ends(let event) = collect(worker.scratch.inbound.part(0..<count), worker) { return event }
            }
        }
        postpone(Side.client, .readable, worker.reactor)
        return nil
    }

    /// The body is whole, and the request may go out.
    func collected(_ token: TokenSnapshot) -> Event {
        request.framing = .length(UInt64(replay.body.count))
        return mustAwaitToken(token) ? .renewalWanted : .bodyCollected
    }

    /// A spooled body's pieces have to fit their blocks.
    private var collectingWindow: Int {
        request.spool == nil ? Bounds.relayBytes : Bounds.spooledBytes - replay.body.count
    }

    /// What came together with the head.
    private func collectPrefix(_ worker: Worker) -> Flow {
        replay.body.buffer = worker.pool.take(atLeast: request.spool == nil ? 8_192 : Bounds.spooledBytes)
        guard request.spool == nil else { return .goesOn }
        request.collectingEnds = worker.now + worker.configuration.bodies.collect
        setDeadline(min(worker.now + worker.configuration.timeouts.body, request.collectingEnds), worker.reactor)
        guard let heldHead = request.heldHead.buffer, let headParser = request.headParser else { return .goesOn }
        let start = headParser.head.length
        if case .ends(let event) = collect(heldHead.bytes.part(start..<request.heldHead.count), worker) {
            return .ends(event)
        }
        shrinkHeldHead(to: start, &worker.pool)
        return .goesOn
    }

    /// What came behind the head is collected by now: a smaller block will do for the head.
    private func shrinkHeldHead(to count: Int, _ pool: inout BufferPool) {
        guard let old = request.heldHead.buffer, request.heldHead.count > count else { return }
        let smaller = pool.take(atLeast: count)
        smaller.bytes.copyMemory(from: UnsafeRawBufferPointer(old.bytes.part(0..<count)))
        pool.give(old, used: request.heldHead.count)
        (request.heldHead.buffer, request.heldHead.count) = (smaller, count)
    }

    private func collect(_ received: UnsafeMutableRawBufferPointer, _ worker: Worker) -> Flow {
        let piece: BodyReader.Piece
        do throws(ParseError) {
            piece = try request.body.read(received)
        } catch {
            record.cause = .badRequest(error)
            client.noteMore()
            refuse(ErrorAnswer(error))
            return .ends(.requestRefused)
        }
        if piece.consumed < received.count { client.noteMore() }
        noteReceived(piece.payload)
        if let limit = worker.policy.maxBodyBytes, request.received > limit {
            refuse(.contentTooLarge)
            return .ends(.requestRefused)
        }
        let isShort = !worker.pool.mayAppend(
            piece.payload, to: replay.body.buffer!, count: replay.body.count, for: .body)
        if isShort, worker.configuration.bodies.longChunked == .refuse {
            client.noteMore()
            refuse(.memoryShort)
            return .ends(.requestRefused)
        }
        replay.body.append(UnsafeRawBufferPointer(received.part(0..<piece.payload)), from: &worker.pool)
        if local.consultation != nil { return collectedForm().map { .ends($0) } ?? .goesOn }
        let isLong = replay.body.count > worker.configuration.replayBufferBytes
        if let member = request.verdict.body {
            guard !isLong, !isShort else {
                if isLong { refuseBody() } else { refuse(.memoryShort) }
                if !request.body.isWhole { client.noteMore() }
                return .ends(.requestRefused)
            }
            guard !request.body.isWhole else {
                request.reading = BodyReading(member)
                return .ends(readCollected(worker))
            }
        }
        // Whether it came in one piece or in many: the same body gets the same answer.
        if isLong, worker.configuration.bodies.longChunked == .refuse {
            refuse(.lengthRequired)
            return .ends(.requestRefused)
        }
        let mustSpool =
            (isLong || isShort) && !request.body.isWhole && worker.configuration.bodies.longChunked == .spool
        if request.spool != nil || mustSpool {
            return spoolCollected(worker)
        }
        if request.body.isWhole { return .ends(collected(worker.token)) }
        if isLong || isShort {
            request.framing = .chunked
            note(RecordingInput.overflowed, &worker.counters)
            let mustRenew = request.forward.route.isElevated && worker.token.isRenewable && worker.token.suspect
            return .ends(mustRenew || mustAwaitToken(worker.token) ? .renewalWanted : .bodyOutgrewBuffer)
        }
        return .goesOn
    }
}
