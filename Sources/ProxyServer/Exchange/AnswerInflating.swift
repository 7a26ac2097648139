internal import EventLoop
internal import HTTP1

/// A gzip answer for a client that does not accept gzip: inflated as it streams, with fixed memory.
extension Exchange {
    /// Inflates and sends a piece of the answer's payload.
    /// - Returns: false when the client's socket is full, the turn's budget used up, or an event was reported.
    func inflate(_ payload: UnsafeRawBufferPointer, _ worker: Worker) -> Bool {
        let (consumed, goesOn) = inflateAndSend(payload, worker)
        guard phase == .relaying || phase == .relayingEarly else { return false }
        if consumed < payload.count {
            compressed.store(UnsafeRawBufferPointer(rebasing: payload[consumed...]), from: &worker.pool)
        }
        return goesOn
    }

    /// Goes on with what was left before.
    /// - Returns: as `inflate`.
    func inflateRest(_ worker: Worker) -> Bool {
        guard let inflater, !compressed.isEmpty || inflater.mayHaveMore || answerBody.isWhole else { return true }
        let (consumed, goesOn) = inflateAndSend(compressed.bytes, worker)
        guard phase == .relaying || phase == .relayingEarly else { return false }
        compressed.consume(consumed)
        if compressed.isEmpty { compressed.release(to: &worker.pool) }
        return goesOn
    }

    private func inflateAndSend(_ payload: UnsafeRawBufferPointer, _ worker: Worker) -> (consumed: Int, goesOn: Bool) {
        guard let inflater else { return (payload.count, true) }
        var consumed = 0
        while mayMoveMore(worker) {
            let output = worker.scratch.inflated.part(0..<worker.window(Bounds.relayBytes))
            let rest = UnsafeRawBufferPointer(rebasing: payload[consumed...])
            let step = inflater.inflater.inflate(rest, into: output)
            consumed += step.consumed
            moved(step.produced)
            inflater.mayHaveMore = step.produced == output.count
            guard step.state != .corrupt else {
                record.cause = .corruptGzip
                advance(.answerBroken, worker)
                return (consumed, false)
            }
            let isLast = answerBody.isWhole && consumed == payload.count && !inflater.mayHaveMore
            // A body without a byte is empty in any coding.
            if isLast, step.state != .finished, record.bytesDown > 0 {
                record.cause = .truncatedAnswer
                advance(.answerBroken, worker)
                return (consumed, false)
            }
            isAnswerWhole = isLast
            let framed = worker.scratch.framedInflated(
                step.produced, isChunked: answerFraming == .chunked, isLast: isLast)
            guard sendToClient(framed, worker) else { return (consumed, false) }
            if consumed == payload.count, !inflater.mayHaveMore { return (consumed, true) }
        }
        // A stream that expands much must not keep the others waiting.
        postpone(Side.upstream, .readable, worker)
        return (consumed, false)
    }
}
