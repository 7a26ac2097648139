internal import EventLoop

/// What is known of the bytes that come from a peer, besides those that were read as its message.
enum Incoming: UInt8, CaseIterable {
    case open
    /// Its FIN was reported, maybe with unread bytes before it.
    case ended
    /// It sent bytes behind its message, or may have.
    case more
    case moreAndEnded
}

/// One of an exchange's two connections.
struct ConnectionSide: ~Copyable {
    var transport = Transport()
    /// What epoll reports of it; empty while it is not watched.
    var interest: Readiness = .nothing
    /// What the socket has not taken yet.
    var writeBuffer = WriteBuffer()
    private var incoming = Incoming.open

    /// How many bytes to read for it at once: more while it keeps up, so that what it leaves behind stays little.
    private(set) var window = Bounds.relayBytes

    /// What the peer had not acknowledged when its socket was last found full.
    private var unacknowledged = 0

    // Inlined: a call would be handed a copy of all the bytes.
    @inline(__always)
    var isOpen: Bool { transport.isOpen }

    init() {}

    /// The FIN was reported.
    @inline(__always)
    var hasEnded: Bool { incoming == .ended || incoming == .moreAndEnded }
    /// There may be bytes that nobody wants.
    @inline(__always)
    var mayHaveMore: Bool { incoming == .more || incoming == .moreAndEnded }

    mutating func noteEnd() {
        incoming = mayHaveMore ? .moreAndEnded : .ended
    }

    mutating func noteMore() {
        incoming = hasEnded ? .moreAndEnded : .more
    }

    /// Its socket is closed; the next one is another peer's. What the write buffer holds is released apart.
    mutating func reset() {
        interest = .nothing
        incoming = .open
        window = Bounds.relayBytes
    }

    /// Whether the peer has taken bytes since its socket was found full, or since this was last asked.
    ///
    /// A full socket counts as writable only once a third of its buffer is free, and with a buffer of megabytes a slow
    /// peer needs long for that: silence is not yet a stall.
    mutating func hasTakenMore() -> Bool {
        guard isOpen, !writeBuffer.isEmpty else { return false }
        let before = unacknowledged
        unacknowledged = transport.unacknowledged
        return unacknowledged < before
    }

    /// Sends what is left of the write buffer.
    /// - Returns: `.bytes` when it is empty now.
    mutating func flush(to pool: inout BufferPool, more: Bool) -> IOResult {
        while !writeBuffer.isEmpty {
            switch transport.send(writeBuffer.bytes, more: more) {
            case .bytes(let count): writeBuffer.consume(count)
            case .wouldBlock:
                unacknowledged = transport.unacknowledged
                return .wouldBlock
            case .endOfStream: return .endOfStream
            case .failed(let error): return .failed(error)
            }
        }
        writeBuffer.release(to: &pool)
        return .bytes(0)
    }

    /// The peer took a whole window, and more is there for it.
    mutating func widenWindow() {
        window = min(2 * window, Bounds.widestRelayBytes)
    }

    /// Sends `bytes` behind the write buffer, and keeps what the socket does not take.
    mutating func send(_ bytes: UnsafeRawBufferPointer, more: Bool, pool: inout BufferPool) -> IOResult {
        guard writeBuffer.isEmpty else {
            writeBuffer.store(bytes, from: &pool)
            return .wouldBlock
        }
        var sent = 0
        while sent < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
            switch transport.send(rest, more: more) {
            case .bytes(let count):
                sent += count
            case .wouldBlock:
                writeBuffer.store(rest, from: &pool)
                window = Bounds.relayBytes
                unacknowledged = transport.unacknowledged
                return .wouldBlock
            case .endOfStream: return .endOfStream
            case .failed(let error): return .failed(error)
            }
        }
        return .bytes(bytes.count)
    }
}
