internal import AccessPolicy
internal import EventLoop
internal import HTTP1
internal import System

/// What the rights of an alias make of its request.
extension Exchange {
    /// Judges the request by its head.
    /// - Returns: whether the request goes on; if not, the proxy's own answer is chosen.
    func checkRights(
        _ head: RequestHead, _ bytes: UnsafeBufferPointer<UInt8>, _ plain: PlainPath?, _ worker: Worker
    ) -> Bool {
        guard let alias = request.forward.aliasIndex,
            let rights = worker.policy.rights,
            !rights.isUnbounded(alias)
        else { return true }
        request.rights = rights
        let target = UnsafeBufferPointer(rebasing: bytes[head.path.range])
        request.verdict = rights.judge(
            head.method, target.span, plain, alias: alias, isElevated: request.forward.route.isElevated,
            now: worker.wallSeconds)
        // Ingest and `/oauth/` are judged by Sentry alone, and go there without the alias.
        guard request.verdict.outcome != .bypass else {
            request.rights = nil
            return true
        }
        checkLimits(rights, alias, now: worker.now, wallSeconds: worker.wallSeconds)
        worker.noteVerdict(request.verdict, rights, alias: request.forward.aliasIndex, &request.facts, &record)
        if request.verdict.outcome == .forward, rights.limits(of: alias).isShadowing(at: worker.wallSeconds) {
            worker.lessons.note(request.verdict, target.span, alias: alias)
        }
        switch request.verdict.outcome {
        case .forward, .bypass: break
        case .wait:
            refuse(.identifiersUnknown)
            return false
        case .identity(let treatment):
            local.identity = treatment
            return false
        case .refuse(let reason):
            refuse(reason, alias)
            return false
        }
        guard request.verdict.body == nil || hasJSONBody(head, bytes.span, worker.configuration) else {
            refuseBody()
            return false
        }
        return true
    }

    /// Rate and requests in flight come before everything but expiry: refusals are counted too.
    private func checkLimits(_ rights: RightsInForce, _ alias: Int, now: Instant, wallSeconds: Int64) {
        guard let cell = rights.cell(of: alias), request.verdict.outcome != .refuse(.expired) else { return }
        let limits = rights.limits(of: alias)
        if let rate = limits.rate {
            let wait = cell.spend(rate, now: now)
            if wait > .zero {
                local.retryAfterSeconds = Int(wait.secondsRoundedUp)
                request.verdict.limit(.rate, isShadowed: limits.isShadowing(at: wallSeconds))
                return
            }
        }
        if let most = limits.concurrency {
            guard cell.enter(most: most) else {
                request.verdict.limit(.concurrency, isShadowed: limits.isShadowing(at: wallSeconds))
                return
            }
            request.cell = cell
        }
    }

    /// The alias has rights, and not limits alone: Sentry's 401 to the proxy's own token is none to it.
    var isNarrowed: Bool {
        guard let rights = request.rights, let alias = request.forward.aliasIndex else { return false }
        return rights.isNarrowed(alias)
    }

    private func refuse(_ reason: RefusalReason, _ alias: Int) {
        let refusal = Refusal(reason, operation: request.verdict.operation, alias: alias)
        local.refusal = refusal
        refuse(ErrorAnswer(refusal))
    }

    // MARK: Bodies that name projects

    /// Whether the body is one that can be looked at: JSON without a coding, of a length that is kept.
    private func hasJSONBody(_ head: RequestHead, _ bytes: Span<UInt8>, _ configuration: ServerConfiguration) -> Bool {
        switch head.framing {
        case .chunked: break
        case .length(let count): guard 1...UInt64(configuration.replayBufferBytes) ~= count else { return false }
        case .none, .untilClose: return false
        }
        var hasType = false
        for i in head.fields.indices {
            let field = head.fields[i]
            if field.known == .contentEncoding { return false }
            guard field.known == .contentType else { continue }
            guard !hasType, isPlainJSON(contentType: bytes.extracting(field.value.range)) else { return false }
            hasType = true
        }
        return hasType
    }

    /// The body names projects that are not the alias's, or cannot be read.
    func refuseBody() {
        guard let alias = request.forward.aliasIndex else { return }
        request.verdict.outcome = .refuse(.body)
        record.rights = RightsRecord(request.verdict)
        refuse(.body, alias)
    }

    /// Holds the whole body against the rights, until that is done or the iteration's share used up.
    func readCollected(_ worker: Worker) -> Event? {
        guard let rights = request.rights, let alias = request.forward.aliasIndex, let keptBody = replay.body.buffer,
            var state = request.reading
        else {
            refuse(.internalError)
            return .requestRefused
        }
        let body = keptBody.bytes.bytes(replay.body.count)
        while mayMoveMore(worker.reactor) {
            let found = rights.table.judge(
                body: body.span, next: Bounds.rewritingSliceBytes, &state, alias: alias, rights.identifiers)
            moved(Bounds.relayBytes)
            guard let found else { continue }
            request.reading = nil
            switch found {
            case .allowed: return collected(worker.token)
            case .refused: refuseBody()
            case .waiting: refuse(.identifiersUnknown)
            }
            return .requestRefused
        }
        request.reading = state
        postpone(Side.client, .readable, worker.reactor)
        return nil
    }

    /// Writes the target as the rights want it.
    /// - Returns: nil when it goes as it came; `fits` is false when it has become too long.
    func editedTarget(
        _ head: RequestHead, _ bytes: UnsafeBufferPointer<UInt8>, into room: UnsafeMutableRawBufferPointer
    ) -> (target: UnsafeBufferPointer<UInt8>?, fits: Bool) {
        guard let rights = request.rights, let alias = request.forward.aliasIndex, !request.verdict.edit.isNone else {
            return (nil, true)
        }
        var writer = HeadWriter(room)
        let target = UnsafeBufferPointer(rebasing: bytes[head.path.range])
        rights.writeTarget(target.span, request.verdict.edit, alias: alias, into: &writer)
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
