internal import AccessPolicy
internal import EventLoop
internal import HTTP1

/// Answers whose JSON names Sentry's own address: read whole, rewritten, and sent with their new length.
extension Exchange {
    var isCollectingAnswer: Bool { collectedBody != nil }

    /// Whether the answer at hand is one of those.
    func mustRewrite(_ head: ResponseHead, _ bytes: Span<UInt8>, _ framing: BodyFraming) -> Bool {
        guard request.endpoint != nil, head.status == 200, framing != .none, framing != .length(0), isJSON(head, bytes)
        else { return false }
        switch ContentCoding(head, bytes) {
        // gzip was not asked for, but what stands before Sentry may send it all the same.
        case .identity, .gzip: break
        case .other: return false
        }
        if case .length(let count) = framing { return count <= UInt64(Bounds.rewrittenBodyBytes) }
        return true
    }

    /// Whether something has to be taken out of the answer at hand before the alias may see it.
    func mustFilter(_ head: ResponseHead, _ framing: BodyFraming) -> Bool {
        verdict.filter != .none && 200..<300 ~= head.status && framing != .none
    }

    /// Whether it can be: a filter reads all of a JSON body that is not too long, or nothing of it goes on.
    func canFilter(_ head: ResponseHead, _ bytes: Span<UInt8>, _ framing: BodyFraming) -> Bool {
        guard head.status != 206, isJSON(head, bytes), ContentCoding(head, bytes) == .identity else { return false }
        if case .length(let count) = framing { return count <= UInt64(Bounds.rewrittenBodyBytes) }
        return true
    }

    /// Starts with the body's bytes that came with the head; head and parser are held.
    func beginCollecting(_ prefix: UnsafeMutableRawBufferPointer, isGzip: Bool, _ worker: Worker) -> Event? {
        if isGzip {
            inflater = worker.takeInflater()
            guard inflater != nil else { return failForMemory() }
        }
        collectedBody = worker.pool.take(atLeast: max(8_192, prefix.count))
        // The head is there; from now on it is the body that is waited for.
        setDeadline(worker.now + worker.configuration.timeouts.body, worker)
        if case .ends(let event) = collect(prefix, worker) { return event }
        return collectAnswer(worker)
    }

    func collectAnswer(_ worker: Worker) -> Event? {
        guard bodyRewrite == nil else { return rewriteRest(worker) }
        while mayMoveMore(worker) {
            switch upstream.transport.receive(into: worker.scratch.inbound) {
            case .wouldBlock:
                watchUpstream(.incoming, worker)
                return nil
            case .endOfStream:
                guard answerBody.streamEnded() else {
                    record.cause = .truncatedAnswer
                    return failUpstream()
                }
                return endCollecting(worker)
            case .failed(let error):
                record.cause = upstreamFailure(error, worker)
                return failUpstream()
            case .bytes(let count):
                setDeadline(worker.now + worker.configuration.timeouts.body, worker)
                moved(count)
                if case .ends(let event) = collect(worker.scratch.inbound.part(0..<count), worker) { return event }
            }
        }
        postpone(Side.upstream, .readable, worker)
        return nil
    }

    private func collect(_ received: UnsafeMutableRawBufferPointer, _ worker: Worker) -> Flow {
        let piece: BodyReader.Piece
        do throws(ParseError) {
            piece = try answerBody.read(received)
        } catch {
            record.cause = .badAnswer(error)
            return .ends(failUpstream())
        }
        let payload = UnsafeRawBufferPointer(received.part(0..<piece.payload))
        let flow = inflater == nil ? append(payload, worker) : inflateCollected(payload, worker)
        guard case .goesOn = flow else { return flow }
        if answerBody.isWhole { return .ends(endCollecting(worker)) }
        return collectedCount > Bounds.rewrittenBodyBytes ? .ends(sendUnchanged(worker)) : .goesOn
    }

    private func append(_ bytes: UnsafeRawBufferPointer, _ worker: Worker) -> Flow {
        guard worker.pool.mayAppend(bytes.count, to: collectedBody!, count: collectedCount, for: .request) else {
            return .ends(failForMemory())
        }
        worker.pool.append(bytes, to: &collectedBody!, count: &collectedCount)
        return .goesOn
    }

    private func inflateCollected(_ payload: UnsafeRawBufferPointer, _ worker: Worker) -> Flow {
        guard let inflater else { return .goesOn }
        var rest = payload
        repeat {
            let output = worker.scratch.inflated
            let step = inflater.inflater.inflate(rest, into: output)
            rest = UnsafeRawBufferPointer(rebasing: rest[step.consumed...])
            inflater.mayHaveMore = step.produced == output.count
            moved(step.produced)
            guard step.state != .corrupt else {
                record.cause = .corruptGzip
                return .ends(failUpstream())
            }
            let flow = append(UnsafeRawBufferPointer(output.part(0..<step.produced)), worker)
            guard case .goesOn = flow else { return flow }
            if collectedCount > Bounds.rewrittenBodyBytes {
                compressed.store(rest, from: &worker.pool)
                answerFraming = request.version == .http11 ? .chunked : .untilClose
                return .ends(sendUnchanged(worker))
            }
        } while !rest.isEmpty || inflater.mayHaveMore
        return .goesOn
    }

    /// The body is whole, if its gzip is.
    private func endCollecting(_ worker: Worker) -> Event? {
        if let inflater {
            let end = inflater.inflater.inflate(
                UnsafeRawBufferPointer(start: nil, count: 0), into: worker.scratch.inflated)
            guard end.state == .finished, end.produced == 0 else {
                record.cause = .truncatedAnswer
                return failUpstream()
            }
        }
        return beginRewriting(worker)
    }

    /// The body is whole: its URLs are changed, a slice at a time.
    private func beginRewriting(_ worker: Worker) -> Event? {
        if verdict.filter != .none, case .ends(let event) = filterCollected(worker) { return event }
        guard let endpoint = request.endpoint else {
            guard let collectedBody else { return nil }
            answerFraming = .length(UInt64(collectedCount))
            return send(UnsafeRawBufferPointer(collectedBody.bytes.part(0..<collectedCount)), isWhole: true, worker)
        }
        guard worker.pool.mayTake(atLeast: collectedCount + Bounds.rewritingMargin, for: .request) else {
            return failForMemory()
        }
        bodyRewrite = worker.configuration.rewriter.beginBody(of: endpoint)
        rewrittenBody = worker.pool.take(atLeast: collectedCount + Bounds.rewritingMargin)
        return rewriteRest(worker)
    }

    /// Leaves of the collected body what the alias may see.
    private func filterCollected(_ worker: Worker) -> Flow {
        guard let rights, let alias = forward.aliasIndex, let body = collectedBody else {
            return .ends(failUpstream())
        }
        guard worker.pool.mayTake(atLeast: collectedCount + Bounds.rewritingMargin, for: .request) else {
            return .ends(failForMemory())
        }
        var sink = PooledSink(
            worker: worker, buffer: worker.pool.take(atLeast: collectedCount + Bounds.rewritingMargin), count: 0)
        let isFiltered = rights.filter(
            body.bytes.bytes(collectedCount).span, verdict.filter, alias: alias, into: &sink)
        moved(collectedCount)
        worker.pool.give(body, used: collectedCount)
        (collectedBody, collectedCount) = (sink.buffer, sink.count)
        return isFiltered ? .goesOn : .ends(failUpstream())
    }

    /// Goes on until the body is rewritten or the turn's share used up.
    private func rewriteRest(_ worker: Worker) -> Event? {
        guard let body = collectedBody, var state = bodyRewrite, let rewrittenBody else { return nil }
        let bytes = body.bytes.bytes(collectedCount)
        var sink = PooledSink(worker: worker, buffer: rewrittenBody, count: rewrittenCount)
        while mayMoveMore(worker) {
            let progress = worker.configuration.rewriter.rewrite(
                bytes.span, next: Bounds.rewritingSliceBytes, &state,
                scheme: request.namedScheme ?? worker.clientScheme,
                host: record.host.span, into: &sink)
            (self.rewrittenBody, rewrittenCount) = (sink.buffer, sink.count)
            moved(Bounds.relayBytes)
            switch progress {
            case .more:
                guard worker.pool.mayTake(atLeast: 1, for: .request) else { return failForMemory() }
            case .done:
                answerFraming = .length(UInt64(sink.count))
                return send(UnsafeRawBufferPointer(sink.buffer.bytes.part(0..<sink.count)), isWhole: true, worker)
            case .notJSON:
                answerFraming = .length(UInt64(collectedCount))
                return send(UnsafeRawBufferPointer(body.bytes.part(0..<collectedCount)), isWhole: true, worker)
            }
        }
        bodyRewrite = state
        postpone(Side.upstream, .readable, worker)
        return nil
    }

    /// The body is too long to be rewritten.
    private func sendUnchanged(_ worker: Worker) -> Event? {
        // What a filter has not read does not go on.
        guard verdict.filter == .none else {
            return failUpstream()
        }
        guard let body = collectedBody else { return nil }
        return send(UnsafeRawBufferPointer(body.bytes.part(0..<collectedCount)), isWhole: false, worker)
    }

    /// Queues the held head and `body` for the client and goes over to relaying.
    private func send(_ body: UnsafeRawBufferPointer, isWhole: Bool, _ worker: Worker) -> Event? {
        guard let heldAnswer, var parser = answerParser.take() else { return nil }
        let isStaged = stageAnswerHead(parser.head, heldAnswer.bytes.part(0..<heldAnswerCount), worker)
        worker.giveBack(&parser)
        guard isStaged else {
            return failUpstream()
        }
        let head = UnsafeRawBufferPointer(worker.scratch.staging.part(0..<worker.stagedCount))
        worker.stagedCount = 0
        record.bytesDown += UInt64(body.count)
        client.backlog.reserve(head.count + body.count + 2 * Bounds.chunkMargin, from: &worker.pool)
        client.backlog.append(head)
        if answerFraming == .chunked {
            withUnsafeTemporaryAllocation(byteCount: ChunkedCoding.mostHeaderBytes, alignment: 1) { header in
                var writer = HeadWriter(header)
                writer.appendChunkHeader(body.count)
                client.backlog.append(UnsafeRawBufferPointer(header.part(0..<writer.count)))
            }
        }
        client.backlog.append(body)
        if answerFraming == .chunked { client.backlog.append(ChunkedCoding.chunkEnd) }
        isAnswerWhole = isWhole
        releaseHeldAnswer(worker)
        // The rest of a long body is inflated as it comes.
        if isWhole { releaseTransformation(worker) } else { releaseCollected(worker) }
        return .answerBegan
    }

    func releaseTransformation(_ worker: Worker) {
        if let inflater { worker.giveBack(inflater) }
        inflater = nil
        compressed.release(to: &worker.pool)
        releaseCollected(worker)
    }

    private func releaseCollected(_ worker: Worker) {
        if let collectedBody { worker.pool.give(collectedBody, used: collectedCount) }
        (collectedBody, collectedCount) = (nil, 0)
        if let rewrittenBody { worker.pool.give(rewrittenBody, used: rewrittenCount) }
        (rewrittenBody, rewrittenCount, bodyRewrite) = (nil, 0, nil)
    }
}

/// A rewritten body, in a block that grows.
private struct PooledSink: ByteSink {
    let worker: Worker
    var buffer: PooledBuffer
    var count: Int

    mutating func append(_ bytes: Span<UInt8>) {
        bytes.withUnsafeBytes { worker.pool.append($0, to: &buffer, count: &count) }
    }
}
