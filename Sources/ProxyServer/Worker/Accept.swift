internal import AccessPolicy
internal import EventLoop
internal import System

/// How a worker takes connections in, and how it stops doing so.
extension Worker {
    func acceptReady(listener: Int, now: Instant) {
        // Reported in the iteration that closed it.
        guard listener < listeners.count else { return }
        var accepted = 0
        while accepted < accepting.quota {
            // Those that are refused hold a descriptor too, for a moment: the reserved ones are not for them.
            guard shared.mayDial else {
                pauseAccepting()
                return
            }
            switch listeners.accept(listener) {
            case .none:
                accepting.foundNone(after: accepted)
                return
            case .aborted:
                accepted += 1
                counters.acceptErrors += 1
            case .exhausted:
                counters.acceptErrors += 1
                pauseAccepting()
                return
            case .socket(let descriptor, from: let peer):
                accepted += 1
                counters.accepted += 1
                begin(Socket(owning: descriptor), ClientAddress(peer))
            }
        }
        accepting.usedUp()
    }

    private func begin(_ socket: consuming Socket, _ peer: ClientAddress) {
        let hasMemory = pool.memory.mayHold(clientBytes, for: .request)
        // A refusal over TLS would take the memory that is missing: such a connection is closed.
        guard hasMemory || clientScheme == .http, let (exchange, _, generation) = exchanges.acquire() else {
            return
        }
        connectionOpened(holding: clientBytes)
        guard shared.mayAccept, hasMemory else {
            exchange.refuseAtOnce(
                socket, from: peer, hasMemory ? .overloaded : .memoryShort, generation: generation, self)
            return
        }
        exchange.begin(socket, from: peer, generation: generation, self)
        if isDraining { exchange.hurryHead(reactor) }
    }

    /// Trying again at once would spin: the queue keeps the connection.
    private func pauseAccepting() {
        listeners.unwatch(with: reactor)
        acceptPausedUntil = now + Bounds.acceptPause
        wakeForListeners()
    }

    /// Lets no more connections into the queues, and hurries those that have no request yet.
    func drain() {
        guard !isDraining else { return }
        isDraining = true
        for slot in 0..<exchanges.slots { exchanges[slot].hurryHead(reactor) }
        let time = listeners.stopQueueing(with: reactor)
        listenersCloseAt = now + time
        if time == .zero { acceptTheLast() } else { wakeForListeners() }
    }

    /// Accepts what is left in the queues and closes the listeners.
    func acceptTheLast() {
        for listener in 0..<listeners.count where acceptPausedUntil == nil {
            accepting = .unbounded
            acceptReady(listener: listener, now: now)
        }
        // Without descriptors or memory the rest has to wait for a moment; the drain timeout bounds that.
        guard acceptPausedUntil == nil else {
            // One wake-up is kept, and the one that is used up now was for the listeners.
            wakeForListeners()
            return
        }
        listeners.close(with: reactor)
    }

    func wakeForListeners() {
        let times = [acceptPausedUntil, listenersCloseAt].compactMap { $0 }.filter { $0 > now }
        if let first = times.min() { reactor.wake(at: first) }
    }
}

extension ClientAddress {
    fileprivate init(_ peer: PeerAddress) {
        self.init()
        guard peer.isInternet else { return }
        (ip, port) = (IPAddress(high: peer.high, low: peer.low), peer.port)
    }
}
