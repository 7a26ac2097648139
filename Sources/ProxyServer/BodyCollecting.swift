internal import AccessPolicy
internal import EventLoop
internal import HTTP1

/// A chunked request body, read into the replay buffer before anything is sent: what fits goes out with a
/// Content-Length, because Sentry's application servers lose chunked bodies without a word (ADR 0004).
extension Exchange {
    func collectBody(_ worker: Worker) {
        if keptBody == nil, !collectPrefix(worker) { return }
        for _ in 0..<Bounds.readsPerTurn {
            switch client.transport.receive(into: worker.scratch.inbound) {
            case .wouldBlock:
                watchClient(.incoming, worker)
                return
            case .endOfStream, .failed:
                advance(.clientLeft, worker)
                return
            case .bytes(let count):
                setDeadline(worker.now + worker.configuration.timeouts.body, worker)
                guard collect(worker.scratch.inbound.part(0..<count), worker) else { return }
            }
        }
        postpone(Side.client, .readable, worker)
    }

    /// What came together with the head.
    /// - Returns: false when an event was reported.
    private func collectPrefix(_ worker: Worker) -> Bool {
        keptBody = worker.pool.take(atLeast: 8_192)
        setDeadline(worker.now + worker.configuration.timeouts.body, worker)
        guard let heldHead, let headParser else { return true }
        let start = headParser.head.length
        return collect(heldHead.bytes.part(start..<heldHeadCount), worker)
    }

    /// - Returns: false when an event was reported.
    private func collect(_ received: UnsafeMutableRawBufferPointer, _ worker: Worker) -> Bool {
        let piece: BodyReader.Piece
        do throws(ParseError) {
            piece = try requestBody.read(received)
        } catch {
            record.cause = .badRequest(error)
            clientSentMore = true
            refuse(ErrorAnswer(error))
            advance(.requestRefused, worker)
            return false
        }
        if piece.consumed < received.count { clientSentMore = true }
        record.bytesUp += UInt64(piece.payload)
        if let limit = worker.policy.maxBodyBytes, record.bytesUp > limit {
            refuse(.contentTooLarge)
            advance(.requestRefused, worker)
            return false
        }
        worker.pool.append(
            UnsafeRawBufferPointer(received.part(0..<piece.payload)), to: &keptBody!, count: &keptBodyCount)
        let isLong = keptBodyCount > worker.configuration.replayBufferBytes
        // Whether it came in one piece or in many: the same body gets the same answer.
        if isLong, worker.configuration.longChunkedBody == .refuse {
            refuse(.lengthRequired)
            advance(.requestRefused, worker)
            return false
        }
        if requestBody.isWhole {
            requestFraming = .length(UInt64(keptBodyCount))
            advance(.bodyCollected, worker)
            return false
        }
        if isLong {
            requestFraming = .chunked
            keepsBody = false
            let mustRenew = forward.route == .elevated && worker.token.isRenewable && worker.token.suspect
            advance(mustRenew ? .renewalWanted : .bodyOutgrewBuffer, worker)
            return false
        }
        return true
    }
}
