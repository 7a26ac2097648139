internal import EventLoop
internal import HTTP1
internal import System

/// One client of the admin listener: asks once and is answered, all within one deadline.
struct AdminConnection: ~Copyable {
    enum Waiting { case readable, writable, answer, nothing }

    private static let time: Duration = .seconds(5)
    private static let readsPerIteration = 16

    private var socket: Socket
    let acceptedAt: Instant
    private let parser = RequestHeadParser(limits: AdminPages.limits)
    private var received: [UInt8] = []
    private var question = AdminQuestion()
    private var answer: [UInt8]?
    private var sent = 0
    /// `.nothing` is the end.
    private(set) var waiting = Waiting.readable

    init(_ socket: consuming Socket, now: Instant) {
        self.socket = socket
        acceptedAt = now
    }

    var deadline: Instant { acceptedAt + Self.time }
    var descriptor: CInt { socket.descriptor }

    /// Goes on as far as the socket allows.
    mutating func proceed(_ pages: AdminPages) {
        if waiting == .answer {
            guard let reply = question.reply else { return }
            answer = pages.bytes(reply)
        }
        if answer == nil { read(pages) }
        if answer != nil, waiting != .nothing { write() }
    }

    private mutating func read(_ pages: AdminPages) {
        while answer == nil {
            switch receive(keeping: true) {
            case .bytes:
                answer = pages.answer(received, parser, &question)
                guard !question.isAsked else {
                    waiting = .answer
                    return
                }
            case .wouldBlock: return
            case .endOfStream, .failed: return end()
            }
        }
    }

    private mutating func write() {
        guard let answer else { return }
        while sent < answer.count {
            let result = answer.withUnsafeBytes {
                socket.send(UnsafeRawBufferPointer(rebasing: $0[sent...]), more: false)
            }
            switch result {
            case .bytes(let count): sent += count
            case .wouldBlock:
                waiting = .writable
                return
            case .endOfStream, .failed: return end()
            }
            if sent == answer.count { socket.shutdownWrite() }
        }
        // What the client still sends is read and forgotten, so that closing does not reset the answer (RFC 9112 §9.6).
        waiting = .readable
        for _ in 0..<Self.readsPerIteration {
            switch receive(keeping: false) {
            case .bytes: continue
            case .wouldBlock: return
            case .endOfStream, .failed: return end()
            }
        }
    }

    private mutating func receive(keeping: Bool) -> IOResult {
        withUnsafeTemporaryAllocation(byteCount: 4_096, alignment: 1) { buffer in
            let result = socket.receive(into: buffer)
            if keeping, case .bytes(let count) = result { received += buffer[..<count] }
            return result
        }
    }

    private mutating func end() {
        socket.close()
        waiting = .nothing
    }
}
