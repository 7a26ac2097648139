internal import AccessPolicy
internal import EventLoop

/// Answers out of which the rights of the alias take something: read whole, cut, and sent with their new length.
extension Exchange {
    func beginFiltering(_ worker: Worker) -> Event? {
        let room = response.collected.count + Bounds.rewritingMargin
        guard worker.pool.mayTake(atLeast: room, for: .request) else { return failForMemory() }
        response.rework = .filtering(AnswerFiltering(request.verdict.filter))
        response.rewritten.buffer = worker.pool.take(atLeast: room)
        return filterRest(worker)
    }

    /// Goes on until the body is cut or the iteration's share used up.
    func filterRest(_ worker: Worker) -> Event? {
        guard let rights = request.rights, let alias = request.forward.aliasIndex,
            case .filtering(var state) = response.rework,
            let body = response.collected.buffer, let cut = response.rewritten.buffer
        else { return failUpstream() }
        let bytes = body.bytes.bytes(response.collected.count)
        var sink = PooledSink(worker: worker, buffer: cut, count: response.rewritten.count)
        while mayMoveMore(worker.reactor) {
            let progress = rights.filter(
                bytes.span, next: Bounds.rewritingSliceBytes, &state, alias: alias, into: &sink)
            (response.rewritten.buffer, response.rewritten.count) = (sink.buffer, sink.count)
            moved(Bounds.relayBytes)
            switch progress {
            case .more:
                guard worker.pool.mayTake(atLeast: 1, for: .request) else { return failForMemory() }
            case .refused: return failUpstream()
            case .done:
                response.collected.release(to: &worker.pool)
                (response.collected.buffer, response.collected.count) = (sink.buffer, sink.count)
                (response.rewritten.buffer, response.rewritten.count) = (nil, 0)
                response.rework = .none
                return rewriteCollected(worker)
            }
        }
        response.rework = .filtering(state)
        postpone(Side.upstream, .readable, worker.reactor)
        return nil
    }
}
