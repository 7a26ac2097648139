internal import AccessPolicy
internal import EventLoop
internal import System

/// The race of the upstream's addresses (RFC 8305 §5), within the phase `dialing`.
///
/// The first address has `upstream`. When it has not connected after a while, the next one becomes its `second` attempt; when an
/// attempt fails, the next address takes its place at once. The race is for TCP: the first attempt that connects wins
/// and the other one is closed. A TLS handshake is the winner's own affair.
extension Exchange {
    func noteAttempt(_ input: AttemptInput, _ counters: inout Counters) {
        guard let following = step(upstream.attempts.state, input) else {
            counters.impossibleSteps += 1
            return
        }
        upstream.attempts.state = following
    }

    /// Starts as many attempts as there may be now.
    func tryNextAddress(_ worker: Worker) -> Event? {
        upstream.attempts.tried.follow(worker.addresses)
        var isQueueFull = false
        while !upstream.attempts.second.socket.isOpen,
            let index = worker.addresses.next(after: upstream.attempts.tried, now: worker.now)
        {
            upstream.attempts.tried.insert(index)
            let attempted = AttemptedAddress(version: worker.addresses.version, index: index)
            let socket: Socket
            do throws(SystemError) {
                socket = try Socket.connecting(to: worker.addresses.addresses[index])
            } catch {
                if error == .again { isQueueFull = true }
                attemptFailed(attempted, .connect(error), worker)
                continue
            }
            worker.connectionOpened(holding: worker.upstreamBytes)
            guard !upstream.side.isOpen else {
                beginSecondAttempt(socket, attempted, worker)
                break
            }
            upstream.side.transport = worker.upstreamTransport(socket, isWatched: false)
            upstream.attempts.address = attempted
            noteAttempt(.began, &worker.counters)
            if case .ends(let event) = beginUpstream(worker) { return event }
        }
        if upstream.side.isOpen {
            setAttemptDeadline(worker)
        } else if isQueueFull {
            noteAttempt(.queueFull, &worker.counters)
            moveStagedToWriteBuffer(worker.scratch, &worker.pool)
            let bounds = Bounds.fullQueue
            let pause = min(max((worker.now - upstream.attempts.startedAt) / 2, bounds.lowerBound), bounds.upperBound)
            setDeadline(min(worker.now + pause, dialingEnd(worker.configuration.timeouts)), worker.reactor)
        } else {
            refuse(.upstreamUnreachable)
            return .dialFailed
        }
        return nil
    }

    private func dialingEnd(_ timeouts: Timeouts) -> Instant {
        upstream.attempts.startedAt + timeouts.connect
    }

    // MARK: The first attempt

    /// On loopback and fast networks the handshake is over by now, so the request goes out at once.
    /// - Returns: `.goesOn` when the next address is due.
    private func beginUpstream(_ worker: Worker) -> Flow {
        switch sendFirstBytes(worker.scratch, &worker.pool) {
        case .bytes:
            return .ends(upstreamConnected(worker))
        case .wouldBlock, .failed(.notConnected):
            if isHandshaking { noteAttempt(.handshakeBegan, &worker.counters) }
            watchAttempt(worker.reactor)
            setAttemptDeadline(worker)
            return .ends(nil)
        case .failed(let error):
            upstreamFailed(connectFailure(error, worker.shared), worker)
        case .endOfStream:
            upstreamFailed(.connect(.reset), worker)
        }
        return .goesOn
    }

    private func upstreamConnected(_ worker: Worker) -> Event {
        closeSecondAttempt(worker)
        noteAttempt(.connected, &worker.counters)
        worker.addresses.trust(upstream.attempts.address)
        record.connected(at: worker.now)
        worker.counters.upstreamHandshakes.count(upstream.side.transport.isResumed)
        // The attempt's own may be near, or past and off the wheel.
        setDeadline(worker.now + worker.configuration.timeouts.body, worker.reactor)
        return .connected
    }

    /// The upstream's attempt has come to something.
    func finishAttempt(_ worker: Worker) -> Event? {
        guard upstream.side.isOpen else { return nil }
        if upstream.side.transport.isPlain, let error = upstream.side.transport.pendingError {
            upstreamFailed(.connect(error), worker)
            return tryNextAddress(worker)
        }
        switch sendFirstBytes(worker.scratch, &worker.pool) {
        case .bytes:
            return upstreamConnected(worker)
        case .wouldBlock:
            if isHandshaking {
                if upstream.attempts.state != .handshaking { noteAttempt(.handshakeBegan, &worker.counters) }
                closeSecondAttempt(worker)
                setAttemptDeadline(worker)
            }
            watchAttempt(worker.reactor)
            return nil
        case .failed(let error):
            upstreamFailed(connectFailure(error, worker.shared), worker)
        case .endOfStream:
            upstreamFailed(.connect(.reset), worker)
        }
        return tryNextAddress(worker)
    }

    private func watchAttempt(_ reactor: Reactor) {
        watchUpstream(isHandshaking ? .incoming : .anything, reactor)
    }

    /// TCP is connected and TLS waits for its peer: the ClientHello is out.
    private var isHandshaking: Bool {
        !upstream.side.transport.isPlain && !upstream.side.transport.wantsWritable
    }

    /// - Returns: `.bytes` as soon as a byte was taken, whatever came after it: from then on the request belongs to this
    ///   connection, and no other address may get its rest.
    private func sendFirstBytes(_ scratch: Scratch, _ pool: inout BufferPool) -> IOResult {
        guard let staged = request.staged.take() else {
            let before = upstream.side.writeBuffer.count
            let result = upstream.side.flush(to: &pool, more: false)
            return upstream.side.writeBuffer.count < before ? .bytes(0) : result
        }
        let bytes = scratch.bytes(of: staged)
        let result = upstream.side.transport.send(bytes, more: false)
        let sent = if case .bytes(let count) = result { count } else { 0 }
        if sent < bytes.count {
            upstream.side.writeBuffer.store(UnsafeRawBufferPointer(rebasing: bytes[sent...]), from: &pool)
        }
        return result
    }

    private func connectFailure(_ error: SystemError, _ shared: ServerState) -> Cause {
        if let failure = upstream.side.transport.tunnelFailure {
            shared.warnOfProxy(failure)
            return .proxyRefused
        }
        switch upstream.side.transport.tlsFailure {
        // TLS was only the first to be told: a connection that was refused never got as far.
        case .system(let code): return .connect(SystemError(code: code))
        case .some(let failure): return .tls(failure)
        case nil: return .connect(error)
        }
    }

    /// Gives the upstream's attempt up; the second one, if there is one, takes its place.
    private func upstreamFailed(_ cause: Cause, _ worker: Worker) {
        noteAttempt(.failed, &worker.counters)
        closeUpstream(worker, byReset: true)
        attemptFailed(upstream.attempts.address, cause, worker)
        promoteSecondAttempt(worker)
    }

    /// Remembers that the address did not answer, unless the trouble is on this side.
    private func attemptFailed(_ attempted: AttemptedAddress, _ cause: Cause, _ worker: Worker) {
        record.cause = cause
        if case .tls(let failure) = cause {
            worker.counters.upstreamHandshakes.failed += 1
            worker.counters.upstreamTLSFailed(failure)
        }
        if case .connect(let error) = cause, error.isShortage { return }
        worker.addresses.avoid(attempted, now: worker.now)
    }

    // MARK: The second attempt

    private func beginSecondAttempt(_ socket: consuming Socket, _ attempted: AttemptedAddress, _ worker: Worker) {
        upstream.attempts.second.socket = socket
        upstream.attempts.second.address = attempted
        noteAttempt(.secondBegan, &worker.counters)
        let token = EventToken(
            generation: generation, slot: slot,
            side: upstream.attempts.side == Side.upstream ? Side.secondAttempt : Side.upstream)
        worker.reactor.watch(
            upstream.attempts.second.socket.descriptor, .anything, over: &upstream.attempts.second.interest, token)
    }

    /// The second attempt has come to something; the event may also be stale.
    /// - Returns: `.goesOn` when it is the upstream now.
    func secondAttemptReady(_ readiness: Readiness, _ worker: Worker) -> Flow {
        guard phase == .dialing, upstream.attempts.second.socket.isOpen else { return .ends(nil) }
        if let error = upstream.attempts.second.socket.pendingError {
            let attempted = upstream.attempts.second.address
            closeSecondAttempt(worker)
            noteAttempt(.failed, &worker.counters)
            attemptFailed(attempted, .connect(error), worker)
            return .ends(tryNextAddress(worker))
        }
        guard readiness.contains(.writable) else { return .ends(nil) }
        // It overtook the first: the next request need not wait for that.
        upstreamFailed(.connectTimeout, worker)
        return .goesOn
    }

    /// The second attempt becomes the upstream, connected or not.
    private func promoteSecondAttempt(_ worker: Worker) {
        guard upstream.attempts.second.socket.isOpen else { return }
        var socket = Socket()
        swap(&socket, &upstream.attempts.second.socket)
        upstream.side.transport = worker.upstreamTransport(socket, isWatched: true)
        upstream.side.interest = upstream.attempts.second.interest
        upstream.attempts.address = upstream.attempts.second.address
        upstream.attempts.side = upstream.attempts.side == Side.upstream ? Side.secondAttempt : Side.upstream
        upstream.attempts.second.interest = .nothing
    }

    func closeSecondAttempt(_ worker: Worker) {
        guard upstream.attempts.second.socket.isOpen else { return }
        upstream.attempts.second.socket.reset()
        upstream.attempts.second.interest = .nothing
        worker.connectionClosed(holding: worker.upstreamBytes)
    }

    // MARK: Time

    /// The next address has its turn beside the first one soon; one that has nobody left to make room for may take all
    /// the time; otherwise the time that is left is shared.
    private func setAttemptDeadline(_ worker: Worker) {
        let left = dialingEnd(worker.configuration.timeouts) - worker.now
        let others = max(0, worker.addresses.addresses.count - upstream.attempts.tried.count)
        var share = left / (others + 1)
        if others > 0, upstream.attempts.state == .one {
            share = min(share, Bounds.connectionAttemptDelay)
        }
        setDeadline(worker.now + share, worker.reactor)
    }

    /// An attempt's time is used up, or no address came in time.
    func attemptTimedOut(_ worker: Worker) -> Event? {
        guard worker.now < dialingEnd(worker.configuration.timeouts) else { return dialingTimedOut(worker) }
        switch upstream.attempts.state {
        case .awaitingQueue:
            upstream.attempts.tried.removeAll()
        case .two, .handshaking:
            upstreamFailed(timeoutCause, worker)
        case .one where !worker.mayOpenDescriptor:
            setDeadline(
                min(worker.now + Bounds.connectionAttemptDelay, dialingEnd(worker.configuration.timeouts)),
                worker.reactor)
            return nil
        case .none, .awaitingAddresses, .one, .connected:
            break
        }
        return tryNextAddress(worker)
    }

    /// A server of plain http may wait for the rest of what it takes for a request.
    private var timeoutCause: Cause { upstream.side.transport.isUnheard ? .tls(.silent) : .connectTimeout }

    private func dialingTimedOut(_ worker: Worker) -> Event {
        let cause = timeoutCause
        if upstream.side.isOpen { attemptFailed(upstream.attempts.address, cause, worker) }
        if upstream.attempts.second.socket.isOpen {
            attemptFailed(upstream.attempts.second.address, .connectTimeout, worker)
        }
        closeUpstream(worker, byReset: true)
        closeSecondAttempt(worker)
        record.cause = cause
        refuse(.gatewayTimeout)
        return .dialFailed
    }
}
