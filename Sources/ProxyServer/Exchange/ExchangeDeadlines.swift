internal import AccessPolicy
internal import EventLoop
internal import System

/// When an exchange must have got on, and what happens when it has not.
extension Exchange {
    /// Sets when the current phase must have got on. Moving it away costs nothing: the wheel fires at the old time and
    /// is set anew then.
    func setDeadline(_ time: Instant, _ reactor: Reactor) {
        timer.deadline = time
        arm(reactor)
    }

    func setProbe(at time: Instant, _ reactor: Reactor) {
        timer.probe = .due(time)
        arm(reactor)
    }

    @inline(__always)
    private func arm(_ reactor: Reactor) {
        // The wheel fires soon enough for anything: the usual case.
        guard timer.armedFor > min(timer.deadline, reactor.now + Bounds.patience) || timer.probe.isDue else {
            return
        }
        armAnew(reactor)
    }

    private func armAnew(_ reactor: Reactor) {
        var time = timer.deadline
        if case .due(let due) = timer.probe { time = min(time, due) }
        if client.isOpen, client.interest.isEmpty { time = min(time, reactor.now + Bounds.patience) }
        guard time < timer.armedFor else { return }
        timer.armedFor = time
        reactor.timers.arm(slot: slot, at: time)
    }

    func timerExpired(_ worker: Worker) {
        timer.armedFor = .never
        watchClient(.incoming, worker.reactor)
        if case .due(let due) = timer.probe, worker.now >= due {
            timer.probe = .done
            probeClient(&worker.pool)
        }
        guard worker.now >= timer.deadline else {
            arm(worker.reactor)
            return
        }
        report(deadlinePassed(worker), worker)
    }

    /// The proxy is about to end: a request that is not there yet must come soon.
    func hurryHead(_ reactor: Reactor) {
        guard phase == .readingHead else { return }
        setDeadline(min(timer.deadline, reactor.now + Bounds.drainHead), reactor)
    }

    private func deadlinePassed(_ worker: Worker) -> Event? {
        guard !isPeerSlow() else {
            setDeadline(worker.now + worker.configuration.timeouts.body, worker.reactor)
            return nil
        }
        switch phase {
        case .vacant:
            return nil
        case .readingHead, .collectingBody:
            refuse(.requestTimeout)
            return .clientTimedOut
        case .dialing:
            return attemptTimedOut(worker)
        case .sendingRequest:
            // Bytes that wait for the upstream's socket tell who is slow.
            let isUpstreamSlow =
                !upstream.side.writeBuffer.isEmpty || request.upload == .givenUp || request.spool != nil
            if isUpstreamSlow, response.isCollected { record.cause = .stalled }
            refuse(isUpstreamSlow ? .gatewayTimeout : .requestTimeout)
            return isUpstreamSlow ? .upstreamTimedOut : .clientTimedOut
        case .awaitingResponse:
            // Its head was there in time; what did not come is the rest of the body that is to be rewritten.
            if response.isCollected { record.cause = .stalled }
            refuse(.gatewayTimeout)
            return .upstreamTimedOut
        case .renewingFirst, .renewing:
            return renewalEnded(.unavailable)
        case .consulting:
            return .flowSilent
        case .relayingEarly, .relaying, .respondingLocally:
            return .relayStalled
        case .closing:
            return closingTimedOut(worker)
        }
    }

    /// Whether bytes still move, though no socket became ready in time.
    private func isPeerSlow() -> Bool {
        switch phase {
        case .sendingRequest: upstream.side.hasTakenMore()
        case .relayingEarly, .relaying, .respondingLocally: client.hasTakenMore()
        case .vacant, .readingHead, .collectingBody, .renewingFirst, .dialing, .awaitingResponse, .renewing, .closing,
            .consulting:
            false
        }
    }
}
