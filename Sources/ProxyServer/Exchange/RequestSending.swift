internal import AccessPolicy
internal import EventLoop
internal import HTTP1

/// The request's bytes on their way from the client to the upstream.
extension Exchange {
    /// Moves what can be moved. A full upstream socket stops the reading of the client, so that memory stays bounded.
    func sendRequest(_ worker: Worker) -> Event? {
        guard !isUploadBroken else { return nil }
        while mayMoveMore(worker) {
            switch upstream.flush(to: &worker.pool, more: false) {
            case .bytes: break
            case .wouldBlock:
                watchUpstream(.anything, worker)
                return nil
            case .endOfStream, .failed:
                return uploadBroke(worker)
            }
            guard isSpoolSent else {
                if phase == .sendingRequest { setDeadline(worker.now + worker.configuration.timeouts.body, worker) }
                watchUpstream(.incoming, worker)
                readSpool(worker)
                return nil
            }
            if requestBody.isWhole { return requestSent(worker) }
            if phase == .sendingRequest { setDeadline(worker.now + worker.configuration.timeouts.body, worker) }
            let window = worker.window(upstream.window)
            switch client.transport.receive(into: worker.scratch.inbound(window)) {
            case .wouldBlock:
                watchClient(.incoming, worker)
                watchUpstream(.incoming, worker)
                return nil
            case .endOfStream, .failed:
                // Half a request is none: the upstream must not take it for whole.
                return .clientLeft
            case .bytes(let count):
                moved(count)
                if case .ends(let event) = forwardPiece(count, isFull: count == window, worker) { return event }
            }
        }
        postpone(Side.client, .readable, worker)
        watchClient(.incoming, worker)
        watchUpstream(.incoming, worker)
        return nil
    }

    /// Sends one received piece on.
    /// - Parameter isFull: the read took all that it was let, so more bytes lie behind.
    private func forwardPiece(_ count: Int, isFull: Bool, _ worker: Worker) -> Flow {
        let scratch = worker.scratch
        let piece: BodyReader.Piece
        do throws(ParseError) {
            piece = try requestBody.read(scratch.inbound(count))
        } catch {
            record.cause = .badRequest(error)
            clientSentMore = true
            refuse(ErrorAnswer(error))
            return .ends(.requestRefused)
        }
        if piece.consumed < count { clientSentMore = true }
        // One that drips is not kept for as long as it likes.
        if keepsBody, worker.now > collectingEnds { dropKeptBody(worker) }
        keep(UnsafeRawBufferPointer(scratch.inbound(piece.payload)))
        record.bytesUp += UInt64(piece.payload)
        if let limit = worker.policy.maxBodyBytes, record.bytesUp > limit {
            refuse(.contentTooLarge)
            return .ends(.requestRefused)
        }
        let framed = scratch.framedInbound(
            piece.payload, isChunked: requestFraming == .chunked, isLast: requestBody.isWhole)
        // With more behind, and without the hint, each would end in a segment of a few bytes.
        switch upstream.send(framed, more: isFull && !requestBody.isWhole, pool: &worker.pool) {
        case .bytes:
            if isFull { upstream.widenWindow() }
            return .goesOn
        case .wouldBlock: return .goesOn
        case .endOfStream, .failed: return .ends(uploadBroke(worker))
        }
    }

    private func requestSent(_ worker: Worker) -> Event {
        watchUpstream(.incoming, worker)
        if phase == .sendingRequest {
            setDeadline(worker.now + worker.configuration.timeouts.response, worker)
            noteEarlyFIN(worker)
        }
        return .requestSent
    }

    /// The upstream takes no more. It may have answered before it closed: what it said is still to be read.
    func uploadBroke(_ worker: Worker) -> Event? {
        isUploadBroken = true
        clientSentMore = true
        upstream.backlog.release(to: &worker.pool)
        watchUpstream(.incoming, worker)
        guard phase == .sendingRequest else { return nil }
        setDeadline(worker.now + worker.configuration.timeouts.response, worker)
        return readAnswer(worker)
    }
}
