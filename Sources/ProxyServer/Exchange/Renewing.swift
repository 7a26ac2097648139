internal import AccessPolicy
internal import EventLoop
internal import HTTP1
internal import TokenStore

/// The second chance of a request whose token was refused, or is likely to be.
extension Exchange {
    /// Parks the exchange until the token is known to be new or not.
    func askForRenewal(_ worker: Worker) {
        watchClient(.incoming, worker)
        setDeadline(worker.now + worker.configuration.timeouts.response, worker)
        worker.askForRenewal(self)
    }

    /// Whether there is no token only because its source has not answered for the first time: just after a start.
    func mustAwaitToken(_ worker: Worker) -> Bool { forward.route == .elevated && worker.token.isAwaited }

    /// The renewal that this exchange was parked for is over.
    func renewalEnded(_ outcome: RetryOutcome, _ worker: Worker) {
        switch phase {
        case .renewing:
            retry = outcome
            record.retry = outcome
            if outcome != .renewed, rights != nil {
                refuse(.tokenNotAccepted)
                advance(.upstreamFailed, worker)
                return
            }
            advance(outcome == .renewed ? .tokenRenewed : .tokenNotRenewed, worker)
        case .renewingFirst:
            advance(outcome == .renewed ? .tokenRenewed : .tokenNotRenewed, worker)
        case .vacant, .readingHead, .collectingBody, .dialing, .sendingRequest, .awaitingAnswer, .relayingEarly,
            .relaying, .answering, .closing:
            break
        }
    }

    /// Whether the 401 in hand may be answered by a renewal and a second sending.
    func mayRetry(_ worker: Worker) -> Bool {
        guard forward.route == .elevated, retry == .none else { return false }
        guard worker.token.isRenewable else {
            worker.noteRefusal(tokenVersion)
            return false
        }
        let isReplayable =
            keptHead != nil && (requestFraming == .none || requestFraming == .length(0) || keepsBody || spool != nil)
        if !isReplayable {
            retry = .bodyTooLarge
            record.retry = .bodyTooLarge
            worker.renewInBackground(tokenVersion)
        }
        return isReplayable
    }

    /// Sends the kept request once more, with the new token and from its first byte.
    func replay(_ worker: Worker) {
        closeUpstream(worker, byReset: true)
        releaseHeldAnswer(worker)
        isUploadBroken = false
        spool?.sent = 0
        (record.connectedAt, record.firstByteAt) = (0, 0)
        guard let keptHead, let place = tokenPlace, let token = worker.token.token else {
            refuse(.tokenUnavailable)
            advance(.dialFailed, worker)
            return
        }
        guard worker.pool.mayTake(atLeast: keptHeadCount + token.count + keptBodyCount, for: .request) else {
            refuse(.memoryShort)
            advance(.dialFailed, worker)
            return
        }
        let head = UnsafeRawBufferPointer(keptHead.bytes.part(0..<keptHeadCount))
        upstream.backlog.release(to: &worker.pool)
        upstream.backlog.reserve(keptHeadCount - place.range.count + token.count + keptBodyCount, from: &worker.pool)
        upstream.backlog.append(UnsafeRawBufferPointer(rebasing: head[..<place.range.lowerBound]))
        token.withBytes { bytes in bytes.withUnsafeBytes { upstream.backlog.append($0) } }
        upstream.backlog.append(UnsafeRawBufferPointer(rebasing: head[place.range.upperBound...]))
        if let keptBody, keptBodyCount > 0 {
            upstream.backlog.append(UnsafeRawBufferPointer(keptBody.bytes.part(0..<keptBodyCount)))
        }
        tokenVersion = worker.token.version
        dial(worker)
    }
}
