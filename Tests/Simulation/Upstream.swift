/// One connection that the proxy opened to the upstream.
final class Upstream {
    private unowned let run: Run
    private let socket: Node
    private var reader = MessageReader(.request)
    private var plan: Plan?
    private var isReading = false
    private var answer: [UInt8] = []
    private var written = 0
    private var hasBegun = false
    private var isPausing = false
    private var hasHeard = false
    private var hasArrived = false
    private var isOver = false
    private var status = 0

    init(_ socket: Node, _ run: Run) {
        self.socket = socket
        self.run = run
        socket.news = { [weak self] in self?.look() }
        socket.capacity = max(2_048, kernel.random.magnitude(300_000))
        socket.peer!.capacity = max(2_048, kernel.random.magnitude(300_000))
    }

    private func look() {
        guard !isReading, !isOver else { return }
        isReading = true
        kernel.after(microseconds(kernel.random.magnitude(500))) { [weak self] in
            self?.isReading = false
            self?.read()
        }
    }

    private func read() {
        guard !isOver else { return }
        // Who does not read sees no end either, but for a reset.
        if plan?.answer.isDeaf == true, !socket.isReset, !socket.hasPeerEnded { return }
        let piece = kernel.read(socket, max(512, kernel.random.magnitude(200_000)))
        if let first = piece.first, !hasHeard {
            hasHeard = true
            // The rest of a request that was begun on another connection would be none. (One fixture's method begins with `!`.)
            if !(UInt8(ascii: "A")...UInt8(ascii: "z") ~= first || first == UInt8(ascii: "!")) {
                run.broken("no request line upstream", plan)
            }
        }
        reader.feed(piece)
        if plan == nil, reader.hasHead {
            plan = reader.value("x-sim").flatMap { Int($0) }.flatMap { run.plan($0) }
            run.headArrived(plan, reader)
            if plan?.answer.isEarly == true { begin() }
        }
        if reader.state == .complete, !hasArrived {
            hasArrived = true
            run.requestArrived(plan, reader)
            begin()
        }
        if reader.extra > 0 { run.broken("bytes behind the request", plan) }
        if !socket.inbox.isEmpty {
            look()
            return
        }
        if socket.isReset || socket.hasPeerEnded {
            // Half a request is none.
            close(resets: false)
            return
        }
        write()
    }

    private func begin() {
        guard !hasBegun else { return }
        hasBegun = true
        guard let plan else {
            answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8)
            write()
            return
        }
        guard !plan.answer.isSilent else { return }
        var planned = plan.answer
        if run.refuses(reader) {
            planned = Answer()
            planned.status = 401
            planned.body = Array("{\"detail\": \"Invalid token\"}".utf8)
            planned.fields = ["Www-Authenticate: Bearer"]
        }
        if planned.status == 401 { plan.refusals += 1 }
        answer = planned.bytes(number: plan.number, isHead: plan.method == "HEAD")
        if planned.breaks != nil { answer.removeLast(answer.count - answer.count * planned.breaksAt / 1_000) }
        if planned.breaks != nil { plan.isCutBeforeBody = answer.ends(with: Array("\r\n\r\n".utf8)) }
        writeLater(planned.delay)
    }

    /// Room in the socket does not shorten a pause.
    private func writeLater(_ pause: UInt64) {
        isPausing = true
        kernel.after(pause) { [weak self] in
            self?.isPausing = false
            self?.write()
        }
    }

    private func write() {
        guard !isOver, hasBegun, !isPausing, plan?.answer.isSilent != true,
            !answer.isEmpty || plan?.answer.breaks != nil
        else { return }
        let pieceBytes = plan?.answer.pieceBytes ?? 65_536
        let piece = answer[written..<min(answer.count, written + pieceBytes)]
        let count = kernel.write(socket, piece)
        written += count
        guard written == answer.count else {
            guard count > 0 else { return }
            writeLater((plan?.answer.pause ?? 0) + microseconds(kernel.random.below(50)))
            return
        }
        switch plan?.answer.breaks {
        case .reset: close(resets: true)
        case .fin: close(resets: false)
        case nil:
            let closesFirst = plan?.answer.closesFirst != false || plan?.answer.framing == .untilClose
            if closesFirst {
                kernel.end(socket)
            } else {
                kernel.after(seconds(5)) { [weak self] in self?.close(resets: false) }
            }
        }
    }

    private func close(resets: Bool) {
        guard !isOver else { return }
        isOver = true
        kernel.close(socket, resets: resets)
    }
}

extension [UInt8] {
    fileprivate func ends(with end: [UInt8]) -> Bool {
        count >= end.count && self[(count - end.count)...].elementsEqual(end)
    }
}
