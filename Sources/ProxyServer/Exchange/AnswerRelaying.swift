internal import AccessPolicy
internal import EventLoop
internal import HTTP1

/// The answer's bytes on their way from the upstream to the client.
extension Exchange {
    /// Sends the staged head and first bytes, then whatever follows.
    func relayAnswer(_ worker: Worker) {
        setDeadline(worker.now + worker.configuration.timeouts.body, worker)
        // A rewritten answer is in the backlog whole; any other has at least its head staged.
        guard worker.stagedCount > 0 else {
            flushClient(worker)
            return
        }
        let staged = UnsafeRawBufferPointer(worker.scratch.staging.part(0..<worker.stagedCount))
        worker.stagedCount = 0
        isAnswerWhole = answerBody.isWhole && inflater == nil
        guard sendToClient(staged, worker) else { return }
        relayBody(worker)
    }

    /// - Returns: false when the socket is full, or an event was reported.
    /// - Parameter more: more bytes follow at once, so that the kernel need not send a short segment now.
    func sendToClient(_ bytes: UnsafeRawBufferPointer, more: Bool = false, _ worker: Worker) -> Bool {
        switch client.send(bytes, more: more || isAnswerWhole, pool: &worker.pool) {
        case .bytes:
            guard isAnswerWhole else { return true }
            advance(.answerSent, worker)
            return false
        case .wouldBlock:
            watchClient(.anything, worker)
            return false
        case .endOfStream, .failed:
            advance(.clientLeft, worker)
            return false
        }
    }

    func relayBody(_ worker: Worker) {
        guard client.backlog.isEmpty, !isAnswerWhole else { return }
        if inflater != nil, !inflateRest(worker) { return }
        while mayMoveMore(worker) {
            let window = worker.window(client.window)
            switch upstream.transport.receive(into: worker.scratch.inbound(window)) {
            case .wouldBlock:
                watchUpstream(.incoming, worker)
                return
            case .endOfStream:
                answerEnded(worker)
                return
            case .failed(let error):
                record.cause = upstreamFailure(error, worker)
                advance(.answerBroken, worker)
                return
            case .bytes(let count):
                setDeadline(worker.now + worker.configuration.timeouts.body, worker)
                moved(count)
                guard relayPiece(count, isFull: count == window, worker) else { return }
                // A short read has emptied the socket; what comes later is a new edge. Unless the FIN is in already:
                // then nothing comes later.
                if count < window, upstream.transport.isPlain, !upstream.hasEnded {
                    watchUpstream(.incoming, worker)
                    return
                }
            }
        }
        postpone(Side.upstream, .readable, worker)
    }

    /// - Parameter isFull: the read took all that it was let, so more bytes lie behind.
    private func relayPiece(_ count: Int, isFull: Bool, _ worker: Worker) -> Bool {
        let scratch = worker.scratch
        let piece: BodyReader.Piece
        do throws(ParseError) {
            piece = try answerBody.read(scratch.inbound(count))
        } catch {
            record.cause = .badAnswer(error)
            advance(.answerBroken, worker)
            return false
        }
        record.bytesDown += UInt64(piece.payload)
        if inflater != nil {
            return inflate(UnsafeRawBufferPointer(scratch.inbound(piece.payload)), worker)
        }
        isAnswerWhole = answerBody.isWhole
        let framed = scratch.framedInbound(
            piece.payload, isChunked: answerFraming == .chunked, isLast: isAnswerWhole)
        // With more behind, and without the hint, each would end in a segment of a few bytes.
        guard sendToClient(framed, more: isFull, worker) else { return false }
        if isFull { client.widenWindow() }
        return true
    }

    /// The upstream's stream is over.
    private func answerEnded(_ worker: Worker) {
        guard answerBody.streamEnded() else {
            record.cause = .truncatedAnswer
            advance(.answerBroken, worker)
            return
        }
        guard inflater == nil else {
            _ = inflateRest(worker)
            return
        }
        isAnswerWhole = true
        let end = worker.scratch.framedInbound(0, isChunked: answerFraming == .chunked, isLast: true)
        _ = sendToClient(end, worker)
    }

    /// The client's socket takes bytes again.
    func flushClient(_ worker: Worker) {
        switch client.flush(to: &worker.pool, more: isAnswerWhole) {
        case .bytes: break
        case .wouldBlock:
            setDeadline(worker.now + worker.configuration.timeouts.body, worker)
            watchClient(.anything, worker)
            return
        case .endOfStream, .failed:
            advance(.clientLeft, worker)
            return
        }
        if isAnswerWhole {
            advance(.answerSent, worker)
        } else if phase == .relaying || phase == .relayingEarly {
            setDeadline(worker.now + worker.configuration.timeouts.body, worker)
            relayBody(worker)
        }
    }
}
