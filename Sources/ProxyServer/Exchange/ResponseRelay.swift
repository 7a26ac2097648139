internal import AccessPolicy
internal import EventLoop
internal import HTTP1
internal import System

/// The answer's bytes on their way from the upstream to the client.
extension Exchange {
    /// Sends the staged head and first bytes, then whatever follows.
    func relayResponse(_ worker: Worker) -> Event? {
        setDeadline(worker.now + worker.configuration.timeouts.body, worker.reactor)
        // A rewritten answer is in the write buffer whole; any other has at least its head staged.
        guard let staged = response.staged.take() else { return flushClient(worker) }
        if response.body.isWhole, response.inflater == nil { note(ResponseInput.completed, &worker.counters) }
        if case .ends(let event) = sendToClient(worker.scratch.bytes(of: staged), worker) { return event }
        return relayBody(worker)
    }

    /// - Parameter more: more bytes follow at once, so that the kernel need not send a short segment now.
    func sendToClient(_ bytes: UnsafeRawBufferPointer, more: Bool = false, _ worker: Worker) -> Flow {
        switch client.send(bytes, more: more || response.isComplete, pool: &worker.pool) {
        case .bytes: return response.isComplete ? .ends(.responseSent) : .goesOn
        case .wouldBlock:
            watchClient(.anything, worker.reactor)
            return .ends(nil)
        case .endOfStream, .failed: return .ends(.clientLeft)
        }
    }

    func noteResponseBytes(_ payload: Int) {
        response.received += UInt64(payload)
        record.bytesDown += UInt64(payload)
    }

    func relayBody(_ worker: Worker) -> Event? {
        guard client.writeBuffer.isEmpty, !response.isComplete else { return nil }
        if response.inflater != nil, case .ends(let event) = inflateRest(worker) { return event }
        while mayMoveMore(worker.reactor) {
            let window = worker.window(client.window)
            switch upstream.side.transport.receive(into: worker.scratch.inbound(window)) {
            case .wouldBlock:
                watchUpstream(.incoming, worker.reactor)
                return nil
            case .endOfStream:
                return responseEnded(worker)
            case .failed(let error):
                record.cause = upstreamFailure(error, &worker.counters)
                return .responseBroken
            case .bytes(let count):
                setDeadline(worker.now + worker.configuration.timeouts.body, worker.reactor)
                moved(count)
                if case .ends(let event) = relayPiece(count, isFull: count == window, worker) { return event }
                // A short read has emptied the socket; what comes later is a new edge. Unless the FIN is in already:
                // then nothing comes later.
                if count < window, upstream.side.transport.isPlain, !upstream.side.hasEnded {
                    watchUpstream(.incoming, worker.reactor)
                    return nil
                }
            }
        }
        postpone(Side.upstream, .readable, worker.reactor)
        return nil
    }

    /// - Parameter isFull: the read took all that it was let, so more bytes lie behind.
    private func relayPiece(_ count: Int, isFull: Bool, _ worker: Worker) -> Flow {
        let scratch = worker.scratch
        let piece: BodyReader.Piece
        do throws(ParseError) {
            piece = try response.body.read(scratch.inbound(count))
        } catch {
            record.cause = .badResponse(error)
            return .ends(.responseBroken)
        }
        noteResponseBytes(piece.payload)
        if response.inflater != nil {
            return inflate(UnsafeRawBufferPointer(scratch.inbound(piece.payload)), worker)
        }
        if response.body.isWhole { note(ResponseInput.completed, &worker.counters) }
        let framed = scratch.framedInbound(
            piece.payload, isChunked: response.framing.isChunked, isLast: response.isComplete)
        // With more behind, and without the hint, each would end in a segment of a few bytes.
        let flow = sendToClient(framed, more: isFull, worker)
        if isFull, case .goesOn = flow { client.widenWindow() }
        return flow
    }

    /// The upstream's stream is over.
    private func responseEnded(_ worker: Worker) -> Event? {
        guard response.body.streamEnded() else {
            record.cause = .truncatedResponse
            return .responseBroken
        }
        guard response.inflater == nil else { return inflateRest(worker).event }
        note(ResponseInput.completed, &worker.counters)
        let end = worker.scratch.framedInbound(0, isChunked: response.framing.isChunked, isLast: true)
        return sendToClient(end, worker).event
    }

    /// The client's socket takes bytes again.
    func flushClient(_ worker: Worker) -> Event? {
        switch client.flush(to: &worker.pool, more: response.isComplete) {
        case .bytes: break
        case .wouldBlock:
            setDeadline(worker.now + worker.configuration.timeouts.body, worker.reactor)
            watchClient(.anything, worker.reactor)
            return nil
        case .endOfStream, .failed:
            return .clientLeft
        }
        if response.isComplete { return .responseSent }
        guard phase == .relaying || phase == .relayingEarly else { return nil }
        setDeadline(worker.now + worker.configuration.timeouts.body, worker.reactor)
        return relayBody(worker)
    }
}
