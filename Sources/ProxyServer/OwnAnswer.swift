internal import AccessPolicy
internal import EventLoop
internal import HTTP1

/// The answers that the proxy gives by itself.
extension Exchange {
    func answer(_ worker: Worker) {
        closeUpstream(worker, byReset: true)
        releaseHeld(worker)
        worker.stagedCount = 0
        record.status = ownAnswer.status
        record.isOwnAnswer = true
        setDeadline(worker.now + worker.configuration.timeouts.body, worker)
        // A request that was not read to its end goes on arriving.
        if !requestBody.isWhole { clientSentMore = true }
        isAnswerWhole = true

        var writer = HeadWriter(worker.scratch.staging)
        let id = record.idText
        writeAnswer(
            ownAnswer, message: answerMessage, format: ownAnswerFormat, requestID: id.span,
            retryAfterSeconds: nil, isHead: request.method == .head, into: &writer)
        let bytes = UnsafeRawBufferPointer(worker.scratch.staging.part(0..<writer.count))
        switch client.send(bytes, more: true, pool: &worker.pool) {
        case .bytes: advance(.answerSent, worker)
        case .wouldBlock: watchClient(.anything, worker)
        case .endOfStream, .failed: advance(.clientLeft, worker)
        }
    }
}
