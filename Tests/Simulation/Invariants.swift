internal import EventLoop
internal import Glibc

@testable import ProxyServer

/// What must hold of a worker after each iteration of its loop, and at its end. The one place that knows how an exchange is made.
struct Invariants {
    var memoryBytes = 0
    private var iterations = 0
    /// Who held each slot last, by its generation and its request's id.
    private var tenants: [Int: (generation: UInt32, id: UInt64)] = [:]

    /// - Parameter sleeps: the loop has nothing left to do until something is reported.
    /// - Returns: what does not hold.
    mutating func afterIteration(_ worker: Worker, _ shared: ServerState, sleeps: Bool) -> String? {
        iterations += 1
        if worker.counters.impossibleSteps != 0 { return "an impossible step" }
        var (busy, armed, requests, spools) = (0, 0, 0, 0)
        for slot in 0..<worker.exchanges.slots {
            let exchange = worker.exchanges[slot]
            if exchange.timer.armedFor != .never { armed += 1 }
            guard exchange.request.staged == nil, exchange.response.staged == nil else {
                return "staged bytes outlive their iteration"
            }
            guard exchange.phase != .vacant else {
                if let what = vacancy(exchange) { return what }
                continue
            }
            busy += 1
            if let former = tenants[slot], former.id != exchange.request.facts.id,
                former.generation == exchange.generation
            {
                return "slot \(slot) has another tenant and the same generation: events of the one reach the other"
            }
            tenants[slot] = (exchange.generation, exchange.request.facts.id)
            if exchange.request.isInFlight { requests += 1 }
            if exchange.request.spool != nil { spools += 1 }
            if let what = deadlines(exchange, worker) { return what }
            if sleeps, let what = overlooked(exchange) { return what }
        }
        if busy != worker.exchanges.count {
            return "\(worker.exchanges.count) slots are taken, and \(busy) exchanges are at it"
        }
        if armed != worker.reactor.timers.count {
            return "\(worker.reactor.timers.count) timers are armed, and \(armed) exchanges wait for one"
        }
        if requests != worker.counters.inFlight {
            return "\(worker.counters.inFlight) requests count as in flight, not \(requests)"
        }
        let sockets = kernel.openSockets
        if shared.openDescriptors != sockets + spools {
            return "\(shared.openDescriptors) descriptors are counted, and \(sockets + spools) are open"
        }
        if worker.pool.memory.held < 0 { return "less than nothing is held" }
        // Who is let in holds his least, whatever the others hold.
        if worker.pool.memory.held > memoryBytes + busy * 200_000 { return "\(worker.pool.memory.held) bytes are held" }
        if busy == 0, shared.spooler == nil, worker.pool.memory.held != 0 {
            return "\(worker.pool.memory.held) bytes are held for nobody"
        }
        return secrets(worker)
    }

    /// A slot that is free holds nothing.
    private func vacancy(_ exchange: Exchange) -> String? {
        let slot = exchange.slot
        if exchange.client.isOpen || exchange.upstream.side.isOpen || exchange.upstream.attempts.second.socket.isOpen {
            return "slot \(slot) is vacant with a socket open"
        }
        if exchange.timer.armedFor != .never || exchange.timer.deadline != .never {
            return "slot \(slot) is vacant with a timer"
        }
        return nil
    }

    /// Whoever waits is woken in time.
    private func deadlines(_ exchange: Exchange, _ worker: Worker) -> String? {
        guard let what = problem(exchange) else { return nil }
        let until = Int64(bitPattern: exchange.timer.deadline.nanoseconds) - Int64(bitPattern: kernel.clock)
        let sockets = "\(exchange.client.transport.descriptor) and \(exchange.upstream.side.transport.descriptor)"
        return
            "\(what) in \(exchange.phase), slot \(exchange.slot), sockets \(sockets), deadline in \(until / 1_000) µs"
    }

    private func problem(_ exchange: Exchange) -> String? {
        guard exchange.timer.deadline != .never else { return "no deadline" }
        guard exchange.timer.armedFor != .never else { return "no timer" }
        guard exchange.timer.armedFor <= exchange.timer.deadline else { return "the timer comes after the deadline" }
        // A tick of the wheel, and what an iteration may take.
        guard exchange.timer.armedFor.nanoseconds + seconds(1) > kernel.clock else { return "the timer did not go off" }
        guard exchange.timer.deadline.nanoseconds < kernel.clock + seconds(120) else {
            return "the deadline is far away"
        }
        return nil
    }

    /// What an exchange waits for is not there already, with nobody to tell it: reports come at edges only.
    private func overlooked(_ exchange: Exchange) -> String? {
        let (wantsClient, wantsUpstream) =
            switch exchange.phase {
            case .readingHead: (true, false)
            case .collectingBody: (exchange.request.spool?.isBusy != true && exchange.request.reading == nil, false)
            case .sendingRequest, .relayingEarly:
                (
                    exchange.request.upload == .streaming && exchange.upstream.side.writeBuffer.isEmpty
                        && exchange.request.spool == nil && !exchange.request.body.isWhole, false
                )
            case .awaitingResponse: (false, true)
            case .relaying: (false, exchange.client.writeBuffer.isEmpty)
            case .vacant, .renewingFirst, .dialing, .renewing, .respondingLocally, .consulting, .closing: (false, false)
            }
        if wantsClient, kernel.isOverlooked(exchange.client.transport.descriptor) {
            return "bytes of the client are overlooked in \(exchange.phase), slot \(exchange.slot)"
        }
        if wantsUpstream, kernel.isOverlooked(exchange.upstream.side.transport.descriptor) {
            return "bytes of the upstream are overlooked in \(exchange.phase), slot \(exchange.slot)"
        }
        return nil
    }

    /// Nothing secret in the log.
    private func secrets(_ worker: Worker) -> String? {
        withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 8) { buffer -> String? in
            while true {
                let count = worker.log.read(into: buffer)
                guard count > 0 else { return nil }
                let written = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                if written.holds(Grammar.tokenMark) || written.holds(Grammar.aliasMark) { return "a secret in the log" }
            }
        }
    }

    func atTheEnd(_ worker: Worker, _ shared: ServerState) -> [String] {
        var found: [String] = []
        if worker.exchanges.count != 0 { found.append("\(worker.exchanges.count) exchanges never end") }
        if worker.pool.memory.held != 0 { found.append("\(worker.pool.memory.held) bytes are never given back") }
        if worker.reactor.timers.count != 0 { found.append("\(worker.reactor.timers.count) timers are left") }
        if worker.counters.inFlight != 0 { found.append("\(worker.counters.inFlight) requests are in flight for ever") }
        if shared.openDescriptors != 0 { found.append("\(shared.openDescriptors) descriptors count for ever") }
        if kernel.openSockets != 0 { found.append("\(kernel.openSockets) sockets are open for ever") }
        if let spooler = shared.spooler, spooler.spooledBytes != 0 {
            found.append("\(spooler.spooledBytes) bytes are spooled for ever")
        }
        return found
    }
}
