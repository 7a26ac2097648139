internal import AccessPolicy
internal import EventLoop
internal import HTTP1
internal import System

/// What the proxy answers when it answers by itself.
struct LocalResponse {
    var answer = ErrorAnswer.internalError
    var format = AnswerFormat.text
    /// What the client is told in place of the answer's own message.
    var message: String?
    /// What of the rights of the alias the request came up against.
    var refusal: Refusal?
    /// When a request of the alias may come again, in seconds.
    var retryAfterSeconds: Int?
    /// The proxy says itself who the alias is.
    var identity: OperationTreatment?
    /// The request is one to the device flow.
    var consultation: Consultation?
}

/// The answers that the proxy gives by itself.
extension Exchange {
    func respondLocally(_ worker: Worker) -> Event? {
        closeUpstream(worker, byReset: true)
        releaseHeld(worker)
        request.staged = nil
        response.staged = nil
        let staging = worker.scratch.beginStaging()
        record.status = local.consultation?.answer?.status ?? (local.identity == nil ? local.answer.status : 200)
        record.isLocalResponse = true
        setDeadline(worker.now + worker.configuration.timeouts.body, worker.reactor)
        // A request that was not read to its end goes on arriving.
        if !request.body.isWhole { client.noteMore() }
        note(ResponseInput.completed, &worker.counters)

        let room = Bounds.stagingBytes - 2 * Bounds.refusalBytes
        var writer = HeadWriter(staging.part(0..<room))
        var message = HeadWriter(staging.part(room..<room + Bounds.refusalBytes))
        let fieldsRoom = staging.part(room + Bounds.refusalBytes..<Bounds.stagingBytes)
        var fields = HeadWriter(fieldsRoom)
        if let rights = request.rights, let refusal = local.refusal {
            rights.writeDetail(refusal, into: &message)
            rights.writeFields(refusal, into: &fields)
        } else if let answerMessage = local.message {
            message.append(answerMessage.utf8.span)
        }
        var base = HeadWriter(fieldsRoom)
        if let rights = request.rights, let identity = local.identity, let alias = request.forward.aliasIndex {
            worker.configuration.rewriter.writeBase(
                scheme: worker.clientScheme, host: request.facts.host.span, into: &base)
            rights.writeIdentity(identity, alias: alias, base: fieldsRoom.bytes(base.count).span, into: &message)
        }
        // Too long a reason is none: the answer has a message of its own.
        if message.overflowed { message.truncate(to: 0) }
        let id = request.facts.idText
        if let answer = local.consultation?.answer {
            write(answer, requestID: id.span, into: &writer)
        } else if local.identity != nil, message.count > 0 {
            writeOwnJSON(
                staging.bytes(room..<room + message.count).span, requestID: id.span,
                isHead: request.method == .head, into: &writer)
        } else {
            writeAnswer(
                local.answer,
                message: staging.bytes(room..<room + message.count).span,
                fields: staging.bytes(
                    room + Bounds.refusalBytes..<room + Bounds.refusalBytes + fields.count
                ).span,
                format: local.format, requestID: id.span,
                retryAfterSeconds: local.retryAfterSeconds, isHead: request.method == .head, into: &writer)
        }
        let bytes = UnsafeRawBufferPointer(staging.part(0..<writer.count))
        switch client.send(bytes, more: true, pool: &worker.pool) {
        case .bytes: return .responseSent
        case .wouldBlock:
            watchClient(.anything, worker.reactor)
            return nil
        case .endOfStream, .failed: return .clientLeft
        }
    }
}
