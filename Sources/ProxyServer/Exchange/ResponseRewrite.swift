internal import AccessPolicy
internal import EventLoop
internal import HTTP1
internal import System

/// Answers whose JSON names Sentry's own address: read whole, rewritten, and sent with their new length.
extension Exchange {
    /// Whether the answer at hand is one of those.
    func mustRewrite(_ head: ResponseHead, _ bytes: Span<UInt8>, _ framing: BodyFraming) -> Bool {
        guard request.endpoint != nil, head.status == 200, framing != .none, framing != .length(0), isJSON(head, bytes)
        else { return false }
        switch ContentCoding(head, bytes) {
        // gzip was not asked for, but what stands before Sentry may send it all the same.
        case .identity, .gzip: break
        case .unsupported: return false
        }
        if case .length(let count) = framing { return count <= UInt64(Bounds.rewrittenBodyBytes) }
        return true
    }

    /// Whether something has to be taken out of the answer at hand before the alias may see it.
    func mustFilter(_ head: ResponseHead, _ framing: BodyFraming) -> Bool {
        !request.verdict.filter.isNone && 200..<300 ~= head.status && framing != .none
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
            response.inflater = worker.spares.takeInflater(&worker.pool.memory)
            guard response.inflater != nil else { return failForMemory() }
        }
        note(request.verdict.filter.isNone ? ResponseInput.rewrites : .filters, &worker.counters)
        response.collected.buffer = worker.pool.take(atLeast: max(8_192, prefix.count))
        // The head is there; from now on it is the body that is waited for.
        setDeadline(worker.now + worker.configuration.timeouts.body, worker.reactor)
        if case .ends(let event) = collect(prefix, worker) { return event }
        return collectResponse(worker)
    }

    func collectResponse(_ worker: Worker) -> Event? {
        switch response.rework {
        case .filtering: return filterRest(worker)
        case .rewriting: return rewriteRest(worker)
        case .none: break
        }
        while mayMoveMore(worker.reactor) {
            switch upstream.side.transport.receive(into: worker.scratch.inbound) {
            case .wouldBlock:
                watchUpstream(.incoming, worker.reactor)
                return nil
            case .endOfStream:
                guard response.body.streamEnded() else {
                    record.cause = .truncatedResponse
                    return failUpstream()
                }
                return endCollecting(worker)
            case .failed(let error):
                record.cause = upstreamFailure(error, &worker.counters)
                return failUpstream()
            case .bytes(let count):
                setDeadline(worker.now + worker.configuration.timeouts.body, worker.reactor)
                moved(count)
                if case .ends(let event) = collect(worker.scratch.inbound.part(0..<count), worker) { return event }
            }
        }
        postpone(Side.upstream, .readable, worker.reactor)
        return nil
    }

    private func collect(_ received: UnsafeMutableRawBufferPointer, _ worker: Worker) -> Flow {
        let piece: BodyReader.Piece
        do throws(ParseError) {
            piece = try response.body.read(received)
        } catch {
            record.cause = .badResponse(error)
            return .ends(failUpstream())
        }
        let payload = UnsafeRawBufferPointer(received.part(0..<piece.payload))
        let flow = response.inflater == nil ? append(payload, &worker.pool) : inflateCollected(payload, worker)
        guard case .goesOn = flow else { return flow }
        if response.body.isWhole { return .ends(endCollecting(worker)) }
        return response.collected.count > Bounds.rewrittenBodyBytes ? .ends(sendUnchanged(worker)) : .goesOn
    }

    private func append(_ bytes: UnsafeRawBufferPointer, _ pool: inout BufferPool) -> Flow {
        guard
            pool.mayAppend(
                bytes.count, to: response.collected.buffer!, count: response.collected.count, for: .request)
        else {
            return .ends(failForMemory())
        }
        response.collected.append(bytes, from: &pool)
        return .goesOn
    }

    private func inflateCollected(_ payload: UnsafeRawBufferPointer, _ worker: Worker) -> Flow {
        guard let inflater = response.inflater else { return .goesOn }
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
            let flow = append(UnsafeRawBufferPointer(output.part(0..<step.produced)), &worker.pool)
            guard case .goesOn = flow else { return flow }
            if response.collected.count > Bounds.rewrittenBodyBytes {
                response.compressed.store(rest, from: &worker.pool)
                response.framing = request.version == .http11 ? .chunked : .untilClose
                return .ends(sendUnchanged(worker))
            }
        } while !rest.isEmpty || inflater.mayHaveMore
        return .goesOn
    }

    /// The body is whole, if its gzip is.
    private func endCollecting(_ worker: Worker) -> Event? {
        if let inflater = response.inflater {
            let end = inflater.inflater.inflate(
                UnsafeRawBufferPointer(start: nil, count: 0), into: worker.scratch.inflated)
            guard end.state == .finished, end.produced == 0 else {
                record.cause = .truncatedResponse
                return failUpstream()
            }
        }
        return beginRewriting(worker)
    }

    /// The body is whole: what the alias may not see is taken out, and its URLs are changed, both a slice at a time.
    private func beginRewriting(_ worker: Worker) -> Event? {
        request.verdict.filter.isNone ? rewriteCollected(worker) : beginFiltering(worker)
    }

    func rewriteCollected(_ worker: Worker) -> Event? {
        guard let endpoint = request.endpoint else {
            guard let collectedBody = response.collected.buffer else { return nil }
            response.framing = .length(UInt64(response.collected.count))
            return send(
                UnsafeRawBufferPointer(collectedBody.bytes.part(0..<response.collected.count)), isWhole: true, worker)
        }
        guard worker.pool.mayTake(atLeast: response.collected.count + Bounds.rewritingMargin, for: .request) else {
            return failForMemory()
        }
        response.rework = .rewriting(worker.configuration.rewriter.beginBody(of: endpoint))
        response.rewritten.buffer = worker.pool.take(atLeast: response.collected.count + Bounds.rewritingMargin)
        return rewriteRest(worker)
    }

    /// Goes on until the body is rewritten or the iteration's share used up.
    private func rewriteRest(_ worker: Worker) -> Event? {
        guard let body = response.collected.buffer, case .rewriting(var state) = response.rework,
            let rewrittenBody = response.rewritten.buffer
        else { return nil }
        let bytes = body.bytes.bytes(response.collected.count)
        var sink = PooledSink(worker: worker, buffer: rewrittenBody, count: response.rewritten.count)
        while mayMoveMore(worker.reactor) {
            let progress = worker.configuration.rewriter.rewrite(
                bytes.span, next: Bounds.rewritingSliceBytes, &state,
                scheme: request.namedScheme ?? worker.clientScheme,
                host: request.facts.host.span, into: &sink)
            (response.rewritten.buffer, response.rewritten.count) = (sink.buffer, sink.count)
            moved(Bounds.relayBytes)
            switch progress {
            case .more:
                guard worker.pool.mayTake(atLeast: 1, for: .request) else { return failForMemory() }
            case .done:
                response.framing = .length(UInt64(sink.count))
                return send(UnsafeRawBufferPointer(sink.buffer.bytes.part(0..<sink.count)), isWhole: true, worker)
            case .notJSON:
                response.framing = .length(UInt64(response.collected.count))
                return send(
                    UnsafeRawBufferPointer(body.bytes.part(0..<response.collected.count)), isWhole: true, worker)
            }
        }
        response.rework = .rewriting(state)
        postpone(Side.upstream, .readable, worker.reactor)
        return nil
    }

    /// The body is too long to be rewritten.
    private func sendUnchanged(_ worker: Worker) -> Event? {
        // What a filter has not read does not go on.
        guard request.verdict.filter.isNone else {
            return failUpstream()
        }
        guard let body = response.collected.buffer else { return nil }
        return send(UnsafeRawBufferPointer(body.bytes.part(0..<response.collected.count)), isWhole: false, worker)
    }

    /// Queues the held head and `body` for the client and goes over to relaying.
    private func send(_ body: UnsafeRawBufferPointer, isWhole: Bool, _ worker: Worker) -> Event? {
        guard let heldResponse = response.held.buffer, let parser = response.parser.take() else { return nil }
        let written = stageResponseHead(parser.head, heldResponse.bytes.part(0..<response.held.count), worker)
        worker.spares.giveBack(parser)
        guard let staged = written else { return failUpstream() }
        let head = worker.scratch.bytes(of: staged)
        noteResponseBytes(body.count)
        client.writeBuffer.reserve(head.count + body.count + 2 * Bounds.chunkMargin, from: &worker.pool)
        client.writeBuffer.append(head)
        if response.framing.isChunked {
            withUnsafeTemporaryAllocation(byteCount: ChunkedCoding.mostHeaderBytes, alignment: 1) { header in
                var writer = HeadWriter(header)
                writer.appendChunkHeader(body.count)
                client.writeBuffer.append(UnsafeRawBufferPointer(header.part(0..<writer.count)))
            }
        }
        client.writeBuffer.append(body)
        if response.framing.isChunked { client.writeBuffer.append(ChunkedCoding.chunkEnd) }
        note(isWhole ? .completed : response.inflater == nil ? ResponseInput.passes : .inflates, &worker.counters)
        releaseHeldResponse(&worker.pool, &worker.spares)
        // The rest of a long body is inflated as it comes.
        if isWhole { releaseTransformation(&worker.pool, &worker.spares) } else { releaseCollected(&worker.pool) }
        return .responseBegan
    }

    func releaseTransformation(_ pool: inout BufferPool, _ spares: inout SpareParts) {
        if let inflater = response.inflater.take() { spares.giveBack(inflater, &pool.memory) }
        response.compressed.release(to: &pool)
        releaseCollected(&pool)
    }

    private func releaseCollected(_ pool: inout BufferPool) {
        response.collected.release(to: &pool)
        response.rewritten.release(to: &pool)
        response.rework = .none
    }
}

/// A rewritten body, in a block that grows.
struct PooledSink: ByteSink {
    let worker: Worker
    var buffer: PooledBuffer
    var count: Int

    mutating func append(_ bytes: Span<UInt8>) {
        bytes.withUnsafeBytes { worker.pool.append($0, to: &buffer, count: &count) }
    }
}
