internal import EventLoop
internal import System

/// The end of both connections, after the answer.
extension Exchange {
    /// The answer is whole and out. The client first: its last bytes may wait for close(2) (`MSG_MORE`).
    func close(_ worker: Worker) -> Event? {
        worker.answered(self)
        // The rest of the request is not sent any more.
        if !isSpoolSent { note(UploadInput.gaveUp, &worker.counters) }
        // The client may be listened to for a while yet.
        releaseHeld(worker)
        closeClientGently(worker)
        closeUpstreamGently(worker)
        return endIfClosed()
    }

    /// The answer broke off: the client must see that.
    func abort(_ worker: Worker) -> Event {
        record.blame(.stalled)
        worker.answered(self)
        closeUpstream(worker, byReset: true)
        // Short of its length, or without its last chunk, an answer looks cut off even when the connection ends in good
        // order. One that ends with the connection does not.
        closeClient(worker, byReset: response.framing == .untilClose)
        return .bothClosed
    }

    private func endIfClosed() -> Event? {
        !client.isOpen && !upstream.side.isOpen ? .bothClosed : nil
    }

    // MARK: Client

    /// close() with unread bytes in the socket turns into a reset, which can destroy the answer on its way
    /// (RFC 9112 §9.6). So the client is listened to for as long as it may still be sending.
    private func closeClientGently(_ worker: Worker) {
        guard clientMayBeSending(worker.scratch) else {
            closeClient(worker)
            return
        }
        client.transport.shutdownWrite()
        setDeadline(worker.now + Bounds.linger, worker.reactor)
        watchClient(.incoming, worker.reactor)
        drain(worker)
    }

    private func clientMayBeSending(_ scratch: Scratch) -> Bool {
        if client.mayHaveMore || !request.body.isWhole { return true }
        // A client that promised `Connection: close` sends nothing after its request; any other is asked.
        if request.isLast || client.hasEnded { return false }
        switch client.transport.receive(into: scratch.inbound) {
        case .bytes: return true
        case .wouldBlock, .endOfStream, .failed: return false
        }
    }

    /// Reads and forgets.
    func drainClient(_ worker: Worker) -> Event? {
        guard client.isOpen else { return nil }
        drain(worker)
        return endIfClosed()
    }

    private func drain(_ worker: Worker) {
        for _ in 0..<Bounds.readsPerIteration {
            switch client.transport.receive(into: worker.scratch.inbound) {
            case .bytes: continue
            case .wouldBlock:
                watchClient(.incoming, worker.reactor)
                return
            case .endOfStream, .failed:
                closeClient(worker)
                return
            }
        }
        postpone(Side.client, .readable, worker.reactor)
    }

    func closeClient(_ worker: Worker, byReset: Bool = false) {
        guard client.isOpen else { return }
        // A reset is how a client leaves, and after the answer there is nothing left to fail.
        if phase != .closing, let failure = client.transport.tlsFailure, failure != .reset {
            worker.counters.clientTLSFailed(failure)
        }
        if byReset { client.transport.reset() } else { client.transport.close() }
        client.reset()
        worker.connectionClosed(holding: worker.clientBytes)
    }

    // MARK: Upstream

    /// The side that closes first keeps the port in TIME_WAIT, so the upstream is left to be that side.
    private func closeUpstreamGently(_ worker: Worker) {
        guard upstream.side.isOpen else { return }
        guard response.body.isWhole, request.body.isWhole, request.upload != .givenUp else {
            closeUpstream(worker, byReset: true)
            return
        }
        if upstream.side.transport.isPlain ? upstream.side.hasEnded : hasReceivedCloseNotify(worker.scratch) {
            closeUpstream(worker, byReset: false)
        } else {
            // A client that still sends has a later deadline, which does for both.
            if !client.isOpen { setDeadline(worker.now + Bounds.upstreamFIN, worker.reactor) }
            watchUpstream(.incoming, worker.reactor)
        }
    }

    /// The upstream's FIN, or something that is not part of its answer.
    func upstreamEnded(_ worker: Worker) -> Event? {
        guard upstream.side.isOpen else { return nil }
        if !upstream.side.transport.isPlain, !hasReceivedCloseNotify(worker.scratch) { return nil }
        closeUpstream(worker, byReset: !upstream.side.hasEnded)
        return endIfClosed()
    }

    /// TLS says good-bye in a record (RFC 8446 §6.1) which has to be read, or close() would turn into a reset.
    private func hasReceivedCloseNotify(_ scratch: Scratch) -> Bool {
        upstream.side.transport.receive(into: scratch.inbound) != .wouldBlock
    }

    func closeUpstream(_ worker: Worker, byReset: Bool) {
        guard upstream.side.isOpen else { return }
        if byReset { upstream.side.transport.reset() } else { upstream.side.transport.drop() }
        upstream.side.reset()
        worker.connectionClosed(holding: worker.upstreamBytes)
    }

    func closingTimedOut(_ worker: Worker) -> Event? {
        closeClient(worker)
        closeUpstream(worker, byReset: true)
        return endIfClosed()
    }
}
