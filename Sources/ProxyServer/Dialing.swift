internal import AccessPolicy
internal import EventLoop
internal import HTTP1

/// The way to the upstream: every request has a connection of its own.
extension Exchange {
    /// Connects, with the request's first bytes staged or in the backlog.
    func dial(_ worker: Worker) {
        record.dialed(at: worker.now)
        if headParser != nil {
            guard stageHeldRequest(worker) else {
                refuse(.headerFieldsTooLarge)
                advance(.dialFailed, worker)
                return
            }
        }
        guard worker.mayOpenDescriptor else {
            refuse(.overloaded)
            advance(.dialFailed, worker)
            return
        }
        setDeadline(worker.now + worker.configuration.timeouts.connect, worker)
        nextAddress = 0
        guard !worker.addresses.addresses.isEmpty else {
            waitForAddresses(worker)
            return
        }
        tryNextAddress(worker)
    }

    /// A request whose head and body were held back: head, then what was collected.
    private func stageHeldRequest(_ worker: Worker) -> Bool {
        guard let parser = headParser.take(), let heldHead else { return false }
        let isStaged = stageHead(parser.head, heldHead.bytes.bytes(heldHeadCount), worker)
        headParser = parser
        guard isStaged else {
            releaseHeldHead(worker)
            return false
        }
        let head = UnsafeRawBufferPointer(worker.scratch.staging.part(0..<worker.stagedCount))
        worker.stagedCount = 0
        let bodyBytes = max(keptBodyCount, heldHeadCount) + Bounds.chunkMargin
        upstream.backlog.reserve(head.count + bodyBytes, from: &worker.pool)
        upstream.backlog.append(head)
        if case .length(let length) = requestFraming, !requestBody.isWhole, length > 0 {
            appendHeldPrefix(parser.head.length, heldHead)
        } else {
            appendKeptBody()
        }
        releaseHeldHead(worker)
        if requestFraming == .chunked { dropKeptBody(worker) }
        return true
    }

    /// The bytes of a sized body that came with a head which waited for a renewal.
    private func appendHeldPrefix(_ start: Int, _ heldHead: PooledBuffer) {
        let rest = heldHead.bytes.part(start..<heldHeadCount)
        guard let piece = try? requestBody.read(rest) else { return }
        if piece.consumed < rest.count { clientSentMore = true }
        record.bytesUp += UInt64(piece.payload)
        upstream.backlog.append(UnsafeRawBufferPointer(rest.part(0..<piece.payload)))
    }

    private func appendKeptBody() {
        guard let keptBody, keptBodyCount > 0 else { return }
        let body = UnsafeRawBufferPointer(keptBody.bytes.part(0..<keptBodyCount))
        guard requestFraming == .chunked else {
            upstream.backlog.append(body)
            return
        }
        withUnsafeTemporaryAllocation(byteCount: ChunkedCoding.mostHeaderBytes, alignment: 1) { header in
            var writer = HeadWriter(header)
            writer.appendChunkHeader(body.count)
            upstream.backlog.append(UnsafeRawBufferPointer(header.part(0..<writer.count)))
        }
        upstream.backlog.append(body)
        upstream.backlog.append(ChunkedCoding.chunkEnd)
    }

    private func dropKeptBody(_ worker: Worker) {
        if let keptBody { worker.pool.give(keptBody, used: keptBodyCount) }
        (keptBody, keptBodyCount, keepsBody) = (nil, 0, false)
    }

    private func waitForAddresses(_ worker: Worker) {
        if worker.addresses.failure != nil {
            record.cause = .unresolved
            refuse(.badGateway)
            advance(.dialFailed, worker)
            return
        }
        moveStagedToBacklog(worker)
        worker.waitForAddresses(self)
    }

    /// What could not be sent at once must survive this turn.
    private func moveStagedToBacklog(_ worker: Worker) {
        guard worker.stagedCount > 0 else { return }
        let staged = UnsafeRawBufferPointer(worker.scratch.staging.part(0..<worker.stagedCount))
        upstream.backlog.store(staged, from: &worker.pool)
        worker.stagedCount = 0
    }

    /// Tries the addresses that are left, one after the other.
    func tryNextAddress(_ worker: Worker) {
        let addresses = worker.addresses.addresses
        while nextAddress < addresses.count {
            let address = addresses[nextAddress]
            nextAddress += 1
            do throws(SystemError) {
                upstream.transport = worker.upstreamTransport(try Socket.connecting(to: address))
                upstream.interest = []
                upstream.hasEnded = false
                worker.descriptorOpened()
            } catch {
                record.cause = .connect(error)
                continue
            }
            // On loopback and fast networks the handshake is over by now, so the request goes out at once.
            switch sendFirstBytes(worker) {
            case .bytes:
                record.connected(at: worker.now)
                advance(.connected, worker)
                return
            case .wouldBlock, .failed(.notConnected):
                moveStagedToBacklog(worker)
                setAttemptDeadline(addresses.count - nextAddress, worker)
                watchUpstream([.readable, .peerClosed], worker)
                return
            case .failed(let error):
                record.cause = connectFailure(error)
                closeUpstream(worker, byReset: true)
            case .endOfStream:
                closeUpstream(worker, byReset: true)
            }
        }
        refuse(.badGateway)
        advance(.dialFailed, worker)
    }

    /// An address that does not answer must leave time for the others.
    private func setAttemptDeadline(_ others: Int, _ worker: Worker) {
        let end = record.dialedAt + worker.configuration.timeouts.connect
        let left = end > worker.now ? end - worker.now : 0
        setDeadline(worker.now + left / UInt64(others + 1), worker)
    }

    /// - Returns: `.wouldBlock` only when not a byte was taken.
    private func sendFirstBytes(_ worker: Worker) -> IOResult {
        guard worker.stagedCount > 0 else {
            let before = upstream.backlog.count
            let result = upstream.flush(to: &worker.pool, more: false)
            return result == .wouldBlock && upstream.backlog.count < before ? .bytes(0) : result
        }
        let staged = UnsafeRawBufferPointer(worker.scratch.staging.part(0..<worker.stagedCount))
        let result = upstream.transport.send(staged, more: false)
        guard case .bytes(let count) = result else { return result }
        worker.stagedCount = 0
        if count < staged.count {
            upstream.backlog.store(UnsafeRawBufferPointer(rebasing: staged[count...]), from: &worker.pool)
        }
        return result
    }

    /// The attempt under way has come to something.
    func finishAttempt(_ worker: Worker) {
        guard upstream.isOpen else { return }
        if upstream.transport.isPlain, let error = upstream.transport.pendingError {
            attemptFailed(.connect(error), worker)
            return
        }
        switch sendFirstBytes(worker) {
        case .bytes:
            record.connected(at: worker.now)
            advance(.connected, worker)
        case .wouldBlock:
            watchUpstream([.readable, .peerClosed], worker)
        case .failed(let error):
            attemptFailed(connectFailure(error), worker)
        case .endOfStream:
            attemptFailed(.connect(.reset), worker)
        }
    }

    private func connectFailure(_ error: SystemError) -> Cause {
        upstream.transport.tlsFailure.map { .tls($0) } ?? .connect(error)
    }

    private func attemptFailed(_ cause: Cause, _ worker: Worker) {
        record.cause = cause
        closeUpstream(worker, byReset: true)
        tryNextAddress(worker)
    }

    /// The attempt's share of the time is used up, or no address came in time.
    func attemptTimedOut(_ worker: Worker) {
        closeUpstream(worker, byReset: true)
        record.cause = .connectTimeout
        if worker.now < record.dialedAt + worker.configuration.timeouts.connect,
            nextAddress < worker.addresses.addresses.count
        {
            tryNextAddress(worker)
        } else {
            refuse(.gatewayTimeout)
            advance(.dialFailed, worker)
        }
    }
}
