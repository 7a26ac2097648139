internal import AccessPolicy
internal import EventLoop
internal import HTTP1

/// A chunked request body, read into the replay buffer before anything is sent: what fits goes out with a
/// Content-Length, because Sentry's application servers lose chunked bodies without a word (ADR 0004).
extension Exchange {
    func collectBody(_ worker: Worker) -> Event? {
        guard spool?.isBusy != true else { return nil }
        if keptBody == nil, case .ends(let event) = collectPrefix(worker) { return event }
        for _ in 0..<Bounds.readsPerTurn {
            switch client.transport.receive(into: worker.scratch.inbound(collectingWindow)) {
            case .wouldBlock:
                watchClient(.incoming, worker)
                return nil
            case .endOfStream, .failed:
                return .clientLeft
            case .bytes(let count):
                setDeadline(min(worker.now + worker.configuration.timeouts.body, collectingEnds), worker)
                if case .ends(let event) = collect(worker.scratch.inbound.part(0..<count), worker) { return event }
            }
        }
        postpone(Side.client, .readable, worker)
        return nil
    }

    /// A spooled body's pieces have to fit their blocks.
    private var collectingWindow: Int {
        spool == nil ? Bounds.relayBytes : Bounds.spooledBytes - keptBodyCount
    }

    /// What came together with the head.
    private func collectPrefix(_ worker: Worker) -> Flow {
        keptBody = worker.pool.take(atLeast: spool == nil ? 8_192 : Bounds.spooledBytes)
        guard spool == nil else { return .goesOn }
        collectingEnds = worker.now + worker.configuration.bodies.collectNanoseconds
        setDeadline(min(worker.now + worker.configuration.timeouts.body, collectingEnds), worker)
        guard let heldHead, let headParser else { return .goesOn }
        let start = headParser.head.length
        if case .ends(let event) = collect(heldHead.bytes.part(start..<heldHeadCount), worker) { return .ends(event) }
        shrinkHeldHead(to: start, worker)
        return .goesOn
    }

    /// What came behind the head is collected by now: a smaller block will do for the head.
    private func shrinkHeldHead(to count: Int, _ worker: Worker) {
        guard let old = heldHead, heldHeadCount > count else { return }
        let smaller = worker.pool.take(atLeast: count)
        smaller.bytes.copyMemory(from: UnsafeRawBufferPointer(old.bytes.part(0..<count)))
        worker.pool.give(old, used: heldHeadCount)
        (heldHead, heldHeadCount) = (smaller, count)
    }

    private func collect(_ received: UnsafeMutableRawBufferPointer, _ worker: Worker) -> Flow {
        let piece: BodyReader.Piece
        do throws(ParseError) {
            piece = try requestBody.read(received)
        } catch {
            record.cause = .badRequest(error)
            clientSentMore = true
            refuse(ErrorAnswer(error))
            return .ends(.requestRefused)
        }
        if piece.consumed < received.count { clientSentMore = true }
        record.bytesUp += UInt64(piece.payload)
        if let limit = worker.policy.maxBodyBytes, record.bytesUp > limit {
            refuse(.contentTooLarge)
            return .ends(.requestRefused)
        }
        let isShort = !worker.pool.mayAppend(piece.payload, to: keptBody!, count: keptBodyCount, for: .body)
        if isShort, worker.configuration.bodies.longChunked == .refuse {
            clientSentMore = true
            refuse(.memoryShort)
            return .ends(.requestRefused)
        }
        worker.pool.append(
            UnsafeRawBufferPointer(received.part(0..<piece.payload)), to: &keptBody!, count: &keptBodyCount)
        let isLong = keptBodyCount > worker.configuration.replayBufferBytes
        if verdict.body != nil, isLong || isShort || requestBody.isWhole, isLong || isShort || !checkBody(worker) {
            if isLong { refuseBody(worker) } else if isShort { refuse(.memoryShort) }
            if !requestBody.isWhole { clientSentMore = true }
            return .ends(.requestRefused)
        }
        // Whether it came in one piece or in many: the same body gets the same answer.
        if isLong, worker.configuration.bodies.longChunked == .refuse {
            refuse(.lengthRequired)
            return .ends(.requestRefused)
        }
        let mustSpool = (isLong || isShort) && !requestBody.isWhole && worker.configuration.bodies.longChunked == .spool
        if spool != nil || mustSpool {
            return spoolCollected(worker)
        }
        if requestBody.isWhole {
            requestFraming = .length(UInt64(keptBodyCount))
            return .ends(mustAwaitToken(worker) ? .renewalWanted : .bodyCollected)
        }
        if isLong || isShort {
            requestFraming = .chunked
            keepsBody = false
            let mustRenew = forward.route == .elevated && worker.token.isRenewable && worker.token.suspect
            return .ends(mustRenew || mustAwaitToken(worker) ? .renewalWanted : .bodyOutgrewBuffer)
        }
        return .goesOn
    }
}
