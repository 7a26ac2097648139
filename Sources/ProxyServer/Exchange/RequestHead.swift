internal import AccessPolicy
internal import EventLoop
internal import HTTP1
internal import System
internal import TokenStore

/// The request's head: read and judged.
extension Exchange {
    /// What the head led to, and whether its bytes are needed once more.
    private struct HeadOutcome {
        var event: Event
        var keepsHead = false
    }

    /// Reads until the head is whole. Most heads come in one piece and are parsed where they were received.
    func readHead(_ worker: Worker) -> Event? {
        if request.expectsProxyHeader, case .ends(let event) = readProxyHeader(worker) { return event }
        for _ in 0..<Bounds.readsPerIteration {
            let window =
                request.heldHead.buffer.map { $0.bytes.part(request.heldHead.count..<$0.capacity) }
                ?? worker.scratch.inbound(worker.window(Bounds.relayBytes))
            switch client.transport.receive(into: window) {
            case .wouldBlock:
                watchClient(.incoming, worker.reactor)
                return nil
            case .endOfStream, .failed:
                noteClientTLSFailure(&worker.counters)
                return client.transport.tlsFailure == .plainHTTP ? refusePlainHTTP(&worker.counters) : .clientLeft
            case .bytes(let count):
                let outcome =
                    request.heldHead.buffer == nil ? parseFirstPiece(count, worker) : parseNextPiece(count, worker)
                if let outcome { return outcome.event }
            }
        }
        postpone(Side.client, .readable, worker.reactor)
        return nil
    }

    /// Somebody typed http:// for https://: told so in the only way that it understands.
    private func refusePlainHTTP(_ counters: inout Counters) -> Event {
        record.cause = .tls(.plainHTTP)
        counters.clientTLSFailed(.plainHTTP)
        client.transport.abandonTLS()
        // OpenSSL has read some of the request, and no one knows how much more there is.
        client.noteMore()
        refuse(.plainHTTP)
        return .requestRefused
    }

    /// The connection ends before its request is whole. One that TLS ended has a line in the log, unless the client just
    /// left: checks of the port do that every few seconds.
    private func noteClientTLSFailure(_ counters: inout Counters) {
        guard let failure = client.transport.tlsFailure else { return }
        if client.transport.isResumed == nil { counters.clientHandshakes.failed += 1 }
        switch failure {
        case .closed, .reset: break
        default: record.cause = .tls(failure)
        }
    }

    private func parseFirstPiece(_ count: Int, _ worker: Worker) -> HeadOutcome? {
        worker.counters.clientHandshakes.count(client.transport.isResumed)
        let parser = worker.spares.takeRequestParser()
        let bytes = worker.scratch.inbound.bytes(count)
        let outcome = parse(parser, bytes, worker)
        if let outcome, !outcome.keepsHead {
            worker.spares.giveBack(parser)
        } else if !worker.pool.mayTake(atLeast: max(2_048, count + 1), for: .request) {
            worker.spares.giveBack(parser)
            return shortage()
        } else {
            // The bytes are needed after this iteration: out of the shared buffer with them.
            let buffer = worker.pool.take(atLeast: max(2_048, count + 1))
            buffer.bytes.copyMemory(from: UnsafeRawBufferPointer(bytes))
            (request.heldHead.buffer, request.heldHead.count) = (buffer, count)
            request.headParser = parser
        }
        return outcome
    }

    private func parseNextPiece(_ count: Int, _ worker: Worker) -> HeadOutcome? {
        guard let buffer = request.heldHead.buffer, let parser = request.headParser.take() else { return nil }
        request.heldHead.count += count
        let outcome = parse(parser, buffer.bytes.bytes(request.heldHead.count), worker)
        request.headParser = parser
        if let outcome, !outcome.keepsHead {
            releaseHeldHead(&worker.pool, &worker.spares)
        } else if request.heldHead.count == buffer.capacity {
            guard worker.pool.mayTake(atLeast: buffer.capacity * 2, for: .request) else {
                releaseHeldHead(&worker.pool, &worker.spares)
                return shortage()
            }
            growHeldHead(buffer, &worker.pool)
        }
        return outcome
    }

    /// There is no memory to hold what came; more of it may be on its way.
    private func shortage() -> HeadOutcome {
        client.noteMore()
        return refusal(.memoryShort)
    }

    private func growHeldHead(_ old: PooledBuffer, _ pool: inout BufferPool) {
        let larger = pool.take(atLeast: old.capacity * 2)
        larger.bytes.copyMemory(from: UnsafeRawBufferPointer(old.bytes.part(0..<request.heldHead.count)))
        pool.give(old, used: request.heldHead.count)
        request.heldHead.buffer = larger
    }

    /// - Returns: nil while the head is incomplete.
    private func parse(
        _ parser: RequestHeadParser, _ bytes: UnsafeBufferPointer<UInt8>, _ worker: Worker
    ) -> HeadOutcome? {
        do throws(ParseError) {
            guard try parser.parse(bytes.span) else { return nil }
        } catch {
            record.cause = .badRequest(error)
            // What follows is of no known length, so it is drained rather than trusted to be nothing.
            client.noteMore()
            noteRequest(parser.head, bytes, pathBytes: nil, worker)
            local.format = preferredFormat(ofRefused: bytes.span)
            return refusal(ErrorAnswer(error))
        }
        let publicPath = worker.configuration.publicPath
        if !publicPath.isEmpty { parser.takeOff(publicPath.span, from: bytes.span) }
        return judge(parser.head, bytes, worker)
    }

    private func refusal(_ answer: ErrorAnswer) -> HeadOutcome {
        refuse(answer)
        return HeadOutcome(event: .requestRefused)
    }

    /// - Parameter pathBytes: bytes of the path without its query, when that is known.
    private func noteRequest(
        _ head: RequestHead, _ bytes: UnsafeBufferPointer<UInt8>, pathBytes: Int?, _ worker: Worker
    ) {
        (request.method, request.version, request.isLast) = (head.method, head.version, head.isLastRequest)
        request.acceptsGzip = acceptsGzip(head, bytes.span)
        request.namedScheme = head.targetIsSecure(bytes.span).map { $0 ? .https : .http }
        local.format = preferredFormat(head, bytes.span)
        worker.noteClient(head, bytes, &request.facts)
        worker.noteRequestLine(head, bytes, pathBytes: pathBytes, &request.facts)
    }

    /// Decides what becomes of the request, and makes everything ready for it.
    private func judge(_ head: RequestHead, _ bytes: UnsafeBufferPointer<UInt8>, _ worker: Worker) -> HeadOutcome {
        let target = bytes.span.extracting(head.path.range)
        let plain = PlainPath(target)
        noteRequest(head, bytes, pathBytes: plain?.end, worker)
        // It is the reader of no body yet.
        if !head.framing.isNone { request.body = BodyReader(head.framing, limits: worker.configuration.headLimits) }
        if let event = recognizeConsultation(head, bytes, worker) {
            return HeadOutcome(event: event, keepsHead: event == .bodyWanted)
        }
        switch decide(head, bytes.span, plain, worker.policy) {
        case .refuse(let decided):
            // A client forgets its login at a 401, so that is said only when it is known which aliases were granted.
            let isUndecided = decided == .aliasUnknown && worker.shared.deviceFlow?.hasReadGrants() == false
            let answer = isUndecided ? .grantsUnread : decided
            if answer == .aliasMisplaced { request.facts.blot(path: false) }
            record.cause = Cause(refusedBy: answer)
            return refusal(answer)
        case .refuseSecretTarget:
            request.facts.blot(path: true)
            record.cause = Cause(refusedBy: .aliasMisplaced)
            return refusal(.aliasMisplaced)
        case .forward(let forward):
            request.forward = forward
            record.route = forward.route
            guard checkRights(head, bytes, plain, worker) else { return HeadOutcome(event: .requestRefused) }
            // What is elevated has a plain form, or no path.
            if let plain, request.forward.route.isElevated, head.method.isGetOrHead {
                request.endpoint = RewrittenEndpoint(plain, target)
            }
        }
        guard worker.admitRequest(self) else { return refusal(.overloaded) }
        guard worker.pool.mayTake(atLeast: Bounds.requestBytes, for: .request) else { return refusal(.memoryShort) }
        if request.forward.route.isElevated, worker.token.token == nil, !worker.token.isAwaited {
            local.message = worker.token.health.reason?.clientMessage
            return refusal(.tokenUnavailable)
        }
        if head.expectsContinue, !request.body.isWhole, head.length == bytes.count { sendContinue(&worker.pool) }

        let isRenewable = request.forward.route.isElevated && worker.token.isRenewable
        replay.tokenVersion = worker.token.version
        if request.verdict.body != nil {
            note(RecordingInput.began, &worker.counters)
            return HeadOutcome(event: .bodyWanted, keepsHead: true)
        }
        switch head.framing {
        case .chunked:
            note(RecordingInput.began, &worker.counters)
            return HeadOutcome(event: .bodyWanted, keepsHead: true)
        case .length(let count) where count > 0:
            request.framing = .length(count)
            // Without memory for it the request goes out all the same, and a 401 is final.
            let isKept =
                isRenewable && count <= UInt64(worker.configuration.replayBufferBytes)
                && worker.pool.mayTake(atLeast: Int(count), for: .body)
            request.collectingEnds = worker.now + worker.configuration.bodies.collect
            if isKept {
                note(RecordingInput.began, &worker.counters)
                replay.body.buffer = worker.pool.take(atLeast: Int(count))
            }
            if isRenewable, !isKept, worker.token.suspect {
                return HeadOutcome(event: .renewalWanted, keepsHead: true)
            }
        case .length: request.framing = .length(0)
        case .none, .untilClose: request.framing = .none
        }
        if mustAwaitToken(worker.token) { return HeadOutcome(event: .renewalWanted, keepsHead: true) }
        guard let staged = stageHead(head, bytes, worker) else { return refusal(.headerFieldsTooLarge) }
        return stageBodyPrefix(bytes, from: head.length, behind: staged, worker.scratch, &worker.counters)
    }

    /// The body's first bytes often come with the head; they go out with it, in one call.
    private func stageBodyPrefix(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, behind head: consuming StagedBytes, _ scratch: Scratch,
        _ counters: inout Counters
    ) -> HeadOutcome {
        let rest = UnsafeMutableRawBufferPointer(mutating: UnsafeRawBufferPointer(bytes)).part(start..<bytes.count)
        if request.body.isWhole {
            if !rest.isEmpty { client.noteMore() }
            request.staged = consume head
            return HeadOutcome(event: .headAccepted)
        }
        // Only a body of known length comes here, and reading that cannot fail.
        guard let piece = try? request.body.read(rest) else { return refusal(.badRequest) }
        if piece.consumed < rest.count { client.noteMore() }
        let payload = UnsafeRawBufferPointer(rest.part(0..<piece.payload))
        keep(payload, &counters)
        noteReceived(piece.payload)
        if !payload.isEmpty { scratch.room(behind: head).part(0..<payload.count).copyMemory(from: payload) }
        head.extend(by: payload.count)
        request.staged = consume head
        return HeadOutcome(event: .headAccepted)
    }

    func noteReceived(_ payload: Int) {
        request.received += UInt64(payload)
        record.bytesUp += UInt64(payload)
    }

    /// Keeps body bytes for a second sending, while they fit.
    func keep(_ payload: UnsafeRawBufferPointer, _ counters: inout Counters) {
        guard replay.recording == .recording, let keptBody = replay.body.buffer, !payload.isEmpty else { return }
        guard replay.body.count + payload.count <= keptBody.capacity else {
            note(RecordingInput.overflowed, &counters)
            return
        }
        keptBody.bytes.part(replay.body.count..<replay.body.count + payload.count).copyMemory(from: payload)
        replay.body.count += payload.count
    }
}
