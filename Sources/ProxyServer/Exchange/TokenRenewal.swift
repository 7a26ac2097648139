internal import AccessPolicy
internal import EventLoop
internal import HTTP1
internal import System
internal import TokenStore

/// The second chance of a request whose token was refused, or is likely to be.
extension Exchange {
    /// Parks the exchange until the token is known to be new or not.
    func askForRenewal(_ worker: Worker) -> Event? {
        watchClient(.incoming, worker.reactor)
        setDeadline(worker.now + worker.configuration.timeouts.response, worker.reactor)
        worker.askForRenewal(self)
        return nil
    }

    /// Whether there is no token only because its source has not answered for the first time: just after a start.
    func mustAwaitToken(_ token: TokenSnapshot) -> Bool { request.forward.route.isElevated && token.isAwaited }

    /// The renewal that this exchange was parked for is over.
    func renewalEnded(_ outcome: RetryOutcome) -> Event? {
        switch phase {
        case .renewing:
            replay.outcome = outcome
            record.retry = outcome
            if outcome != .renewed, isNarrowed {
                refuse(.tokenNotAccepted)
                return .upstreamFailed
            }
            return outcome == .renewed ? .tokenRenewed : .tokenNotRenewed
        case .renewingFirst:
            return outcome == .renewed ? .tokenRenewed : .tokenNotRenewed
        case .vacant, .readingHead, .collectingBody, .dialing, .sendingRequest, .awaitingResponse, .relayingEarly,
            .relaying, .respondingLocally, .closing, .consulting:
            return nil
        }
    }

    /// Whether the 401 in hand may be answered by a renewal and a second sending.
    func mayRetry(_ worker: Worker) -> Bool {
        guard request.forward.route.isElevated, replay.outcome == .none else { return false }
        guard worker.token.isRenewable else {
            worker.noteRefusal(replay.tokenVersion)
            return false
        }
        let isReplayable =
            replay.head.buffer != nil
            && (request.framing.isNone || request.framing == .length(0) || replay.holdsBody || request.spool != nil)
        if !isReplayable {
            replay.outcome = .bodyTooLarge
            record.retry = .bodyTooLarge
            worker.renewInBackground(replay.tokenVersion)
        }
        return isReplayable
    }

    /// Sends the kept request once more, with the new token and from its first byte.
    func replay(_ worker: Worker) -> Event? {
        closeUpstream(worker, byReset: true)
        releaseHeldResponse(&worker.pool, &worker.spares)
        note(UploadInput.restarted, &worker.counters)
        request.spool?.sent = 0
        record.dialed(at: worker.now)
        guard let keptHead = replay.head.buffer, let place = replay.tokenPlace, let token = worker.token.token else {
            refuse(.tokenUnavailable)
            return .dialFailed
        }
        guard worker.pool.mayTake(atLeast: replay.head.count + token.count + replay.body.count, for: .request) else {
            refuse(.memoryShort)
            return .dialFailed
        }
        let head = UnsafeRawBufferPointer(keptHead.bytes.part(0..<replay.head.count))
        upstream.side.writeBuffer.release(to: &worker.pool)
        upstream.side.writeBuffer.reserve(
            replay.head.count - place.range.count + token.count + replay.body.count, from: &worker.pool)
        upstream.side.writeBuffer.append(UnsafeRawBufferPointer(rebasing: head[..<place.range.lowerBound]))
        token.withBytes { bytes in bytes.withUnsafeBytes { upstream.side.writeBuffer.append($0) } }
        upstream.side.writeBuffer.append(UnsafeRawBufferPointer(rebasing: head[place.range.upperBound...]))
        if let keptBody = replay.body.buffer, replay.body.count > 0 {
            upstream.side.writeBuffer.append(UnsafeRawBufferPointer(keptBody.bytes.part(0..<replay.body.count)))
        }
        replay.tokenVersion = worker.token.version
        return dial(worker)
    }
}
