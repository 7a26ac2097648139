internal import EventLoop

/// One of an exchange's two connections.
struct Peer: ~Copyable {
    var transport = Transport()
    /// What epoll reports of it; empty while it is not watched.
    var interest: Readiness = []
    /// What the socket has not taken yet.
    var backlog = Backlog()
    /// The peer's FIN was reported, maybe with unread bytes before it.
    var hasEnded = false

    var isOpen: Bool { transport.isOpen }

    /// Sends what is left of the backlog.
    /// - Returns: `.bytes` when it is empty now.
    mutating func flush(to pool: inout BufferPool, more: Bool) -> IOResult {
        while !backlog.isEmpty {
            switch transport.send(backlog.bytes, more: more) {
            case .bytes(let count): backlog.consume(count)
            case .wouldBlock: return .wouldBlock
            case .endOfStream: return .endOfStream
            case .failed(let error): return .failed(error)
            }
        }
        backlog.release(to: &pool)
        return .bytes(0)
    }

    /// Sends `bytes` behind the backlog, and keeps what the socket does not take.
    mutating func send(_ bytes: UnsafeRawBufferPointer, more: Bool, pool: inout BufferPool) -> IOResult {
        guard backlog.isEmpty else {
            backlog.store(bytes, from: &pool)
            return .wouldBlock
        }
        var sent = 0
        while sent < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
            switch transport.send(rest, more: more) {
            case .bytes(let count):
                sent += count
            case .wouldBlock:
                backlog.store(rest, from: &pool)
                return .wouldBlock
            case .endOfStream: return .endOfStream
            case .failed(let error): return .failed(error)
            }
        }
        return .bytes(bytes.count)
    }
}
