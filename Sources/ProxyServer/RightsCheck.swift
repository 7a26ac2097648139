internal import AccessPolicy
internal import EventLoop
internal import HTTP1

/// What the rights of an alias make of its request.
extension Exchange {
    /// Judges the request by its head.
    /// - Returns: the proxy's own answer; nil when the request goes on.
    func checkRights(_ head: RequestHead, _ bytes: UnsafeBufferPointer<UInt8>, _ worker: Worker) -> ErrorAnswer? {
        guard let alias = forward.aliasIndex,
            let rights = worker.policy.rights,
            !rights.isUnbounded(alias)
        else { return nil }
        self.rights = rights
        let target = UnsafeBufferPointer(rebasing: bytes[head.path.range])
        verdict = rights.judge(
            head.method, target.span, alias: alias, isElevated: forward.route == .elevated, now: worker.wallSeconds)
        // Ingest and `/oauth/` are judged by Sentry alone, and go there without the alias.
        guard verdict.outcome != .bypass else { return nil }
        worker.noteVerdict(verdict, rights, &record)
        switch verdict.outcome {
        case .forward, .bypass: break
        case .wait: return .identifiersUnknown
        case .identity: return .notImplemented
        case .refuse(let reason):
            let refusal = Refusal(reason, operation: verdict.operation, alias: alias)
            self.refusal = refusal
            return ErrorAnswer(refusal)
        }
        // What the answer or the body would have to be held to is not there yet: nothing goes out.
        guard verdict.filter == .none, verdict.body == nil else { return .notImplemented }
        return nil
    }

    /// Writes the target as the rights want it, behind everything that a head may take of the staging buffer.
    /// - Returns: nil when it goes as it came; `fits` is false when it has become too long.
    func editedTarget(
        _ head: RequestHead, _ bytes: UnsafeBufferPointer<UInt8>, _ worker: Worker
    ) -> (target: UnsafeBufferPointer<UInt8>?, fits: Bool) {
        guard let rights, let alias = forward.aliasIndex, !verdict.edit.isNone else { return (nil, true) }
        let room = worker.scratch.staging.part(
            Bounds.stagingBytes - Bounds.relayBytes..<Bounds.stagingBytes)
        var writer = HeadWriter(room)
        let target = UnsafeBufferPointer(rebasing: bytes[head.path.range])
        rights.writeTarget(target.span, verdict.edit, alias: alias, into: &writer)
        return (room.bytes(writer.count), !writer.overflowed)
    }
}

extension ErrorAnswer {
    init(_ refusal: Refusal) {
        switch refusal.reason {
        case .expired: self = .aliasExpired
        case .rate, .concurrency: self = .aliasLimited
        case .method, .form, .outside, .unknown, .operation, .organization, .project, .needs, .body:
            self = .aliasRefused
        }
    }
}
