internal import AccessPolicy
internal import EventLoop
internal import HTTP1
internal import System

/// What an exchange knows of its spooled body.
struct Spool {
    let body = SpooledBody()
    /// Bytes in the file, those on their way there included.
    var size = 0
    /// Bytes of it that went to the upstream.
    var sent = 0
    /// The spooler has a job for this exchange.
    var isBusy = false
}

/// A chunked body that the replay buffer does not hold, written to a file and sent with its length (`--long-chunked-body
/// spool`). One job at a time: while the disk is slow, the client is not read.
extension Exchange {
    /// All of the body went to the upstream, as far as it was spooled.
    var isSpoolSent: Bool { request.spool.map { $0.sent == $0.size } ?? true }

    /// Collects a piece of the body behind what waits to be written.
    func spoolCollected(_ worker: Worker) -> Flow {
        if request.spool == nil {
            guard worker.mayOpenDescriptor else { return .ends(refuseSpooling()) }
            request.spool = Spool()
            worker.connectionOpened(holding: 0)
        }
        guard request.body.isWhole || replay.body.count >= Bounds.spooledBytes / 2 else { return .goesOn }
        return .ends(writeSpool(worker))
    }

    private func writeSpool(_ worker: Worker) -> Event? {
        guard let buffer = replay.body.buffer, replay.body.count > 0 else { return spoolCompleted(worker) }
        let count = replay.body.count
        let mayHold = !worker.spoolsToMemory || worker.pool.memory.mayHold(count, for: .body)
        guard mayHold, worker.shared.spooler?.reserve(count) == true else { return refuseSpooling() }
        if worker.spoolsToMemory { worker.pool.memory.hold(count) }
        // Who sends at this rate or faster is not cut off.
        request.collectingEnds =
            request.collectingEnds + .nanoseconds(UInt64(count) * 1_000_000_000 / Bounds.spooledBytesPerSecond)
        (replay.body.buffer, replay.body.count) = (nil, 0)
        order(.write, buffer, count, at: request.spool!.size, worker)
        request.spool!.size += count
        return nil
    }

    private func order(_ kind: SpoolJob.Kind, _ buffer: PooledBuffer, _ count: Int, at offset: Int, _ worker: Worker) {
        request.spool!.isBusy = true
        let token = EventToken(generation: generation, slot: slot, side: Side.client)
        let job = SpoolJob(
            kind: kind, body: request.spool!.body, buffer: buffer, count: count, offset: offset, token: token)
        worker.shared.spooler?.order(job, answerTo: worker.mailbox)
    }

    private func refuseSpooling() -> Event {
        record.cause = .spool
        client.noteMore()
        refuse(.memoryShort)
        return .requestRefused
    }

    private func spoolCompleted(_ worker: Worker) -> Event {
        request.framing = .length(UInt64(request.spool?.size ?? 0))
        note(RecordingInput.overflowed, &worker.counters)
        return mustAwaitToken(worker.token) ? .renewalWanted : .bodyCollected
    }

    /// Asks for the next bytes of the body, for the upstream.
    func readSpool(_ worker: Worker) {
        guard let spool = request.spool, !spool.isBusy else { return }
        let count = min(spool.size - spool.sent, worker.window(Bounds.spooledBytes))
        order(.read, worker.pool.take(atLeast: count), count, at: spool.sent, worker)
    }

    /// A job is done. Its buffer is the worker's again when this returns.
    func spooled(_ job: SpoolJob, _ worker: Worker) -> Event? {
        guard request.spool?.body === job.body else { return nil }
        request.spool!.isBusy = false
        switch phase {
        case .collectingBody:
            guard job.error == nil else { return refuseSpooling() }
            return request.body.isWhole ? spoolCompleted(worker) : collectBody(worker)
        case .sendingRequest, .relayingEarly:
            guard request.upload != .givenUp else { return nil }
            // A second sending may have begun meanwhile, from the body's start.
            if job.kind == .read, job.offset == request.spool!.sent {
                guard job.error == nil else {
                    record.cause = .spool
                    refuse(.internalError)
                    return .requestRefused
                }
                request.spool!.sent += job.count
                let bytes = UnsafeRawBufferPointer(job.buffer.bytes.part(0..<job.count))
                switch upstream.side.send(bytes, more: !isSpoolSent, pool: &worker.pool) {
                case .bytes, .wouldBlock: break
                case .endOfStream, .failed: return uploadBroke(worker)
                }
            }
            return sendRequest(worker)
        case .vacant, .readingHead, .renewingFirst, .dialing, .awaitingResponse, .renewing, .relaying,
            .respondingLocally,
            .consulting,
            .closing:
            return nil
        }
    }

    func releaseSpool(_ worker: Worker) {
        guard let spool = request.spool else { return }
        worker.shared.spooler?.discard(spool.body, reserved: spool.size)
        if worker.spoolsToMemory { worker.pool.memory.release(spool.size) }
        worker.connectionClosed(holding: 0)
        request.spool = nil
    }
}
