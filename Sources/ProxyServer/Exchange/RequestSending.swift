internal import AccessPolicy
internal import EventLoop
internal import HTTP1

/// The request's bytes on their way from the client to the upstream.
extension Exchange {
    /// Moves what can be moved. A full upstream socket stops the reading of the client, so that memory stays bounded.
    func sendRequest(_ worker: Worker) {
        guard !isUploadBroken else { return }
        while mayMoveMore(worker) {
            switch upstream.flush(to: &worker.pool, more: false) {
            case .bytes: break
            case .wouldBlock:
                watchUpstream(.anything, worker)
                return
            case .endOfStream, .failed:
                uploadBroke(worker)
                return
            }
            guard isSpoolSent else {
                if phase == .sendingRequest { setDeadline(worker.now + worker.configuration.timeouts.body, worker) }
                watchUpstream(.incoming, worker)
                readSpool(worker)
                return
            }
            if requestBody.isWhole {
                requestSent(worker)
                return
            }
            if phase == .sendingRequest { setDeadline(worker.now + worker.configuration.timeouts.body, worker) }
            let window = worker.window(upstream.window)
            switch client.transport.receive(into: worker.scratch.inbound(window)) {
            case .wouldBlock:
                watchClient(.incoming, worker)
                watchUpstream(.incoming, worker)
                return
            case .endOfStream, .failed:
                // Half a request is none: the upstream must not take it for whole.
                advance(.clientLeft, worker)
                return
            case .bytes(let count):
                moved(count)
                guard forwardPiece(count, isFull: count == window, worker) else { return }
            }
        }
        postpone(Side.client, .readable, worker)
        watchClient(.incoming, worker)
        watchUpstream(.incoming, worker)
    }

    /// Sends one received piece on.
    /// - Parameter isFull: the read took all that it was let, so more bytes lie behind.
    /// - Returns: false when an event was reported.
    private func forwardPiece(_ count: Int, isFull: Bool, _ worker: Worker) -> Bool {
        let scratch = worker.scratch
        let piece: BodyReader.Piece
        do throws(ParseError) {
            piece = try requestBody.read(scratch.inbound(count))
        } catch {
            record.cause = .badRequest(error)
            clientSentMore = true
            refuse(ErrorAnswer(error))
            advance(.requestRefused, worker)
            return false
        }
        if piece.consumed < count { clientSentMore = true }
        // One that drips is not kept for as long as it likes.
        if keepsBody, worker.now > collectingEnds { dropKeptBody(worker) }
        keep(UnsafeRawBufferPointer(scratch.inbound(piece.payload)))
        record.bytesUp += UInt64(piece.payload)
        if let limit = worker.policy.maxBodyBytes, record.bytesUp > limit {
            refuse(.contentTooLarge)
            advance(.requestRefused, worker)
            return false
        }
        let framed = scratch.framedInbound(
            piece.payload, isChunked: requestFraming == .chunked, isLast: requestBody.isWhole)
        // With more behind, and without the hint, each would end in a segment of a few bytes.
        switch upstream.send(framed, more: isFull && !requestBody.isWhole, pool: &worker.pool) {
        case .bytes:
            if isFull { upstream.widenWindow() }
            return true
        case .wouldBlock: return true
        case .endOfStream, .failed:
            uploadBroke(worker)
            return false
        }
    }

    private func requestSent(_ worker: Worker) {
        if phase == .sendingRequest { setDeadline(worker.now + worker.configuration.timeouts.response, worker) }
        watchUpstream(.incoming, worker)
        advance(.requestSent, worker)
        noteEarlyFIN(worker)
    }

    /// The upstream takes no more. It may have answered before it closed: what it said is still to be read.
    func uploadBroke(_ worker: Worker) {
        isUploadBroken = true
        clientSentMore = true
        upstream.backlog.release(to: &worker.pool)
        if phase == .sendingRequest { setDeadline(worker.now + worker.configuration.timeouts.response, worker) }
        watchUpstream(.incoming, worker)
        if phase == .sendingRequest { readAnswer(worker) }
    }
}
