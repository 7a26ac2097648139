internal import AccessPolicy
internal import EventLoop
internal import HTTP1
internal import System

/// The request's bytes on their way from the client to the upstream.
extension Exchange {
    /// Moves what can be moved. A full upstream socket stops the reading of the client, so that memory stays bounded.
    func sendRequest(_ worker: Worker) -> Event? {
        guard request.upload != .givenUp else { return nil }
        while mayMoveMore(worker.reactor) {
            switch upstream.side.flush(to: &worker.pool, more: false) {
            case .bytes: break
            case .wouldBlock:
                watchUpstream(.anything, worker.reactor)
                return nil
            case .endOfStream, .failed:
                return uploadBroke(worker)
            }
            guard isSpoolSent else {
                if phase == .sendingRequest {
                    setDeadline(worker.now + worker.configuration.timeouts.body, worker.reactor)
                }
                watchUpstream(.incoming, worker.reactor)
                readSpool(worker)
                return nil
            }
            if request.body.isWhole { return requestSent(worker) }
            if phase == .sendingRequest { setDeadline(worker.now + worker.configuration.timeouts.body, worker.reactor) }
            let window = worker.window(upstream.side.window)
            switch client.transport.receive(into: worker.scratch.inbound(window)) {
            case .wouldBlock:
                watchClient(.incoming, worker.reactor)
                watchUpstream(.incoming, worker.reactor)
                return nil
            case .endOfStream, .failed:
                // Half a request is none: the upstream must not take it for whole.
                return .clientLeft
            case .bytes(let count):
                moved(count)
                if case .ends(let event) = forwardPiece(count, isFull: count == window, worker) { return event }
            }
        }
        postpone(Side.client, .readable, worker.reactor)
        watchClient(.incoming, worker.reactor)
        watchUpstream(.incoming, worker.reactor)
        return nil
    }

    /// Sends one received piece on.
    /// - Parameter isFull: the read took all that it was let, so more bytes lie behind.
    private func forwardPiece(_ count: Int, isFull: Bool, _ worker: Worker) -> Flow {
        let scratch = worker.scratch
        let piece: BodyReader.Piece
        do throws(ParseError) {
            piece = try request.body.read(scratch.inbound(count))
        } catch {
            record.cause = .badRequest(error)
            client.noteMore()
            refuse(ErrorAnswer(error))
            return .ends(.requestRefused)
        }
        if piece.consumed < count { client.noteMore() }
        // One that drips is not kept for as long as it likes.
        if replay.recording == .recording, worker.now > request.collectingEnds {
            dropKeptBody(&worker.pool, &worker.counters)
        }
        keep(UnsafeRawBufferPointer(scratch.inbound(piece.payload)), &worker.counters)
        noteReceived(piece.payload)
        if let limit = worker.policy.maxBodyBytes, request.received > limit {
            refuse(.contentTooLarge)
            return .ends(.requestRefused)
        }
        let framed = scratch.framedInbound(
            piece.payload, isChunked: request.framing.isChunked, isLast: request.body.isWhole)
        // With more behind, and without the hint, each would end in a segment of a few bytes.
        switch upstream.side.send(framed, more: isFull && !request.body.isWhole, pool: &worker.pool) {
        case .bytes:
            if isFull { upstream.side.widenWindow() }
            return .goesOn
        case .wouldBlock: return .goesOn
        case .endOfStream, .failed: return .ends(uploadBroke(worker))
        }
    }

    private func requestSent(_ worker: Worker) -> Event {
        watchUpstream(.incoming, worker.reactor)
        if phase == .sendingRequest {
            setDeadline(worker.now + worker.configuration.timeouts.response, worker.reactor)
            noteEarlyFIN(worker.reactor)
        }
        note(UploadInput.lastByteSent, &worker.counters)
        note(RecordingInput.requestSent, &worker.counters)
        return .requestSent
    }

    /// The upstream takes no more. It may have answered before it closed: what it said is still to be read.
    func uploadBroke(_ worker: Worker) -> Event? {
        note(UploadInput.gaveUp, &worker.counters)
        client.noteMore()
        upstream.side.writeBuffer.release(to: &worker.pool)
        watchUpstream(.incoming, worker.reactor)
        guard phase == .sendingRequest else { return nil }
        setDeadline(worker.now + worker.configuration.timeouts.response, worker.reactor)
        return readResponse(worker)
    }
}
