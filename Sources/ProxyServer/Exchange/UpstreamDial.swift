internal import AccessPolicy
internal import EventLoop
internal import HTTP1
internal import System

/// The way to the upstream: every request has a connection of its own. How its addresses are tried is in `HappyEyeballs.swift`.
extension Exchange {
    /// Connects, with the request's first bytes staged or in the write buffer.
    func dial(_ worker: Worker) -> Event? {
        record.dialed(at: worker.now)
        upstream.attempts = ConnectionAttempts()
        upstream.attempts.startedAt = worker.now
        if request.headParser != nil {
            guard !request.forward.route.isElevated || worker.token.token != nil else {
                local.message = worker.token.health.reason?.clientMessage
                refuse(.tokenUnavailable)
                return .dialFailed
            }
            guard worker.pool.mayTake(atLeast: 2 * request.heldHead.count + replay.body.count, for: .request) else {
                refuse(.memoryShort)
                return .dialFailed
            }
            guard stageHeldRequest(worker) else {
                refuse(.headerFieldsTooLarge)
                return .dialFailed
            }
        }
        guard worker.mayOpenDescriptor else {
            refuse(.overloaded)
            return .dialFailed
        }
        setDeadline(worker.now + worker.configuration.timeouts.connect, worker.reactor)
        upstream.attempts.tried = TriedAddresses(version: worker.addresses.version)
        guard !worker.addresses.addresses.isEmpty else { return waitForAddresses(worker) }
        return tryNextAddress(worker)
    }

    /// A request whose head and body were held back: head, then what was collected.
    private func stageHeldRequest(_ worker: Worker) -> Bool {
        guard let parser = request.headParser.take(), let heldHead = request.heldHead.buffer else { return false }
        let written = stageHead(parser.head, heldHead.bytes.bytes(request.heldHead.count), worker)
        request.headParser = parser
        guard let staged = written else {
            releaseHeldHead(&worker.pool, &worker.spares)
            return false
        }
        let head = worker.scratch.bytes(of: staged)
        let bodyBytes = max(replay.body.count, request.heldHead.count) + Bounds.chunkMargin
        upstream.side.writeBuffer.reserve(head.count + bodyBytes, from: &worker.pool)
        upstream.side.writeBuffer.append(head)
        if case .length(let length) = request.framing, !request.body.isWhole, length > 0 {
            appendHeldPrefix(parser.head.length, heldHead, &worker.counters)
        } else {
            appendKeptBody()
        }
        releaseHeldHead(&worker.pool, &worker.spares)
        // It is in the backlog now, and without its head nobody sends it again.
        if request.framing.isChunked || replay.head.buffer == nil { dropKeptBody(&worker.pool, &worker.counters) }
        return true
    }

    /// The bytes of a sized body that came with a head which waited for a renewal.
    private func appendHeldPrefix(_ start: Int, _ heldHead: PooledBuffer, _ counters: inout Counters) {
        let rest = heldHead.bytes.part(start..<request.heldHead.count)
        guard let piece = try? request.body.read(rest) else { return }
        if piece.consumed < rest.count { client.noteMore() }
        noteReceived(piece.payload)
        let payload = UnsafeRawBufferPointer(rest.part(0..<piece.payload))
        keep(payload, &counters)
        upstream.side.writeBuffer.append(payload)
    }

    private func appendKeptBody() {
        guard let keptBody = replay.body.buffer, replay.body.count > 0 else { return }
        let body = UnsafeRawBufferPointer(keptBody.bytes.part(0..<replay.body.count))
        guard request.framing.isChunked else {
            upstream.side.writeBuffer.append(body)
            return
        }
        withUnsafeTemporaryAllocation(byteCount: ChunkedCoding.mostHeaderBytes, alignment: 1) { header in
            var writer = HeadWriter(header)
            writer.appendChunkHeader(body.count)
            upstream.side.writeBuffer.append(UnsafeRawBufferPointer(header.part(0..<writer.count)))
        }
        upstream.side.writeBuffer.append(body)
        upstream.side.writeBuffer.append(ChunkedCoding.chunkEnd)
    }

    func dropKeptBody(_ pool: inout BufferPool, _ counters: inout Counters) {
        replay.body.release(to: &pool)
        note(RecordingInput.overflowed, &counters)
    }

    private func waitForAddresses(_ worker: Worker) -> Event? {
        if worker.addresses.failure != nil {
            record.cause = .unresolved
            refuse(.upstreamUnreachable)
            return .dialFailed
        }
        moveStagedToWriteBuffer(worker.scratch, &worker.pool)
        noteAttempt(.addressesMissing, &worker.counters)
        worker.waitForAddresses(self)
        return nil
    }

    /// What could not be sent at once must survive this iteration.
    func moveStagedToWriteBuffer(_ scratch: Scratch, _ pool: inout BufferPool) {
        guard let staged = request.staged.take() else { return }
        upstream.side.writeBuffer.store(scratch.bytes(of: staged), from: &pool)
    }
}
