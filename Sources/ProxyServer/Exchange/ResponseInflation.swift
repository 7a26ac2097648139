internal import EventLoop
internal import HTTP1

/// A gzip answer for a client that does not accept gzip: inflated as it streams, with fixed memory.
extension Exchange {
    /// Inflates and sends a piece of the answer's payload.
    func inflate(_ payload: UnsafeRawBufferPointer, _ worker: Worker) -> Flow {
        let (consumed, flow) = inflateAndSend(payload, worker)
        if flow.event == nil, consumed < payload.count {
            response.compressed.store(UnsafeRawBufferPointer(rebasing: payload[consumed...]), from: &worker.pool)
        }
        return flow
    }

    /// Goes on with what was left before.
    func inflateRest(_ worker: Worker) -> Flow {
        guard let inflater = response.inflater,
            !response.compressed.isEmpty || inflater.mayHaveMore || response.body.isWhole
        else { return .goesOn }
        let (consumed, flow) = inflateAndSend(response.compressed.bytes, worker)
        response.compressed.consume(consumed)
        if response.compressed.isEmpty { response.compressed.release(to: &worker.pool) }
        return flow
    }

    private func inflateAndSend(_ payload: UnsafeRawBufferPointer, _ worker: Worker) -> (consumed: Int, flow: Flow) {
        guard let inflater = response.inflater else { return (payload.count, .goesOn) }
        var consumed = 0
        while mayMoveMore(worker.reactor) {
            let output = worker.scratch.inflated.part(0..<worker.window(Bounds.relayBytes))
            let rest = UnsafeRawBufferPointer(rebasing: payload[consumed...])
            let step = inflater.inflater.inflate(rest, into: output)
            consumed += step.consumed
            moved(step.produced)
            inflater.mayHaveMore = step.produced == output.count
            guard step.state != .corrupt else {
                record.cause = .corruptGzip
                return (consumed, .ends(.responseBroken))
            }
            let isLast = response.body.isWhole && consumed == payload.count && !inflater.mayHaveMore
            // A body without a byte is empty in any coding.
            if isLast, step.state != .finished, response.received > 0 {
                record.cause = .truncatedResponse
                return (consumed, .ends(.responseBroken))
            }
            if isLast { note(ResponseInput.completed, &worker.counters) }
            let framed = worker.scratch.framedInflated(
                step.produced, isChunked: response.framing.isChunked, isLast: isLast)
            if case .ends(let event) = sendToClient(framed, worker) { return (consumed, .ends(event)) }
            if consumed == payload.count, !inflater.mayHaveMore { return (consumed, .goesOn) }
        }
        // A stream that expands much must not keep the others waiting.
        postpone(Side.upstream, .readable, worker.reactor)
        return (consumed, .ends(nil))
    }
}
