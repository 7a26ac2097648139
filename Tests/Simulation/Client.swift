import CEpoll

/// A client on its way through its plan.
final class Client {
    private let plan: Plan
    private unowned let run: Run
    private var socket: Node?
    private let bytes: [UInt8]
    private let headCount: Int
    private var written = 0
    private var isReading = false
    private var isWriting = false
    private var hasContinued = false
    private var isOver = false
    private(set) var reader: MessageReader
    private(set) var received: [UInt8] = []
    private let address: cepoll_peer
    /// When a byte last went in or came out.
    private var gotOnAt: UInt64 = 0
    /// Longer than any deadline of the proxy's.
    private static let patience = seconds(120)

    init(_ plan: Plan, _ run: Run) {
        self.plan = plan
        self.run = run
        (bytes, headCount) = plan.bytes()
        reader = MessageReader(.response(isHead: plan.method == "HEAD"))
        address = cepoll_peer(
            address_high: 0, address_low: 0xffff_0a01_0000 + UInt64(plan.number),
            port: UInt16(plan.number % 60_000 + 1),
            is_internet: 1)
        hasContinued = !plan.expectsContinue
    }

    func start() {
        kernel.trace.note("client", clock: kernel.clock, plan.number, bytes.count)
        // A connection that brings its first bytes with it is what TCP_DEFER_ACCEPT hands over.
        let held = kernel.random.chance(800)
        guard let socket = kernel.connect(to: run.listener, from: address, held: held) else {
            finish()
            return
        }
        self.socket = socket
        socket.capacity = plan.sendCapacity
        socket.peer!.capacity = plan.receiveCapacity
        socket.news = { [weak self] in self?.look() }
        write()
        if held { kernel.enqueue(socket, from: address, to: run.listener) }
        if let time = plan.leavesAfter, plan.leaving != .halfClose {
            kernel.after(time) { [weak self] in self?.leave() }
        }
        giveUp(after: seconds(400))
    }

    /// Nobody waits for ever. Where everybody gets on, whoever has moved no byte for two minutes was forgotten. One who takes a
    /// byte at a time may need longer for the whole of a long answer: as long as he gets on, he goes on.
    private func giveUp(after time: UInt64) {
        kernel.after(time) { [weak self] in
            guard let self, !isOver else { return }
            if plan.isBrisk, gotOnAt + Self.patience > kernel.clock { return giveUp(after: seconds(400)) }
            if plan.isBrisk { run.broken("a client waits for ever", plan) }
            close(resets: true)
        }
    }

    private func write() {
        guard !isOver, let socket, !isWriting else { return }
        var end = plan.stallsAt.map { min($0, bytes.count) } ?? bytes.count
        if !hasContinued { end = min(end, headCount) }
        guard written < end else { return }
        let piece = bytes[written..<min(end, written + plan.pieceBytes)]
        let count = kernel.write(socket, piece)
        written += count
        if count > 0 { gotOnAt = kernel.clock }
        if written == bytes.count, !plan.isSent {
            plan.isSent = true
            if plan.leaving == .halfClose, let time = plan.leavesAfter {
                kernel.after(time) { [weak self] in self?.leave() }
            }
        }
        guard written < end else {
            if !hasContinued { kernel.after(seconds(1)) { [weak self] in self?.goOn() } }
            return
        }
        // A full socket has news when there is room again.
        guard count > 0 else { return }
        isWriting = true
        kernel.after(plan.pause + microseconds(kernel.random.below(50))) { [weak self] in
            self?.isWriting = false
            self?.write()
        }
    }

    /// The body follows, whether or not the proxy said 100.
    private func goOn() {
        guard !hasContinued else { return }
        hasContinued = true
        write()
    }

    private func leave() {
        guard !isOver, let socket else { return }
        switch plan.leaving {
        case .close: close(resets: false)
        case .reset: close(resets: true)
        case .halfClose: kernel.end(socket)
        }
    }

    private func look() {
        guard !isReading, !isOver else { return }
        isReading = true
        kernel.after(plan.readPause + microseconds(kernel.random.below(100))) { [weak self] in
            self?.isReading = false
            self?.read()
        }
    }

    private func read() {
        guard !isOver, let socket else { return }
        let piece = kernel.read(socket, plan.readBytes)
        received += piece
        if !piece.isEmpty { gotOnAt = kernel.clock }
        reader.feed(piece)
        if reader.interims > 0 { goOn() }
        if reader.hasHead { hasContinued = true }
        write()
        if !socket.inbox.isEmpty {
            look()
            return
        }
        if socket.isReset {
            run.answered(plan, reader, received, isReset: true)
            close(resets: false)
        } else if socket.hasPeerEnded {
            reader.end()
            run.answered(plan, reader, received, isReset: false)
            close(resets: false)
        }
    }

    private func close(resets: Bool) {
        if let socket { kernel.close(socket, resets: resets) }
        finish()
    }

    private func finish() {
        guard !isOver else { return }
        isOver = true
        run.finished(plan)
    }
}
