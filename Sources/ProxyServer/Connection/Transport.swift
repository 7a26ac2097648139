internal import EventLoop
internal import System
internal import TLS
internal import TokenStore

/// The bytes of one connection, plain or through TLS. A TLS handshake is part of the first reads and writes.
struct Transport: ~Copyable {
    private var socket = Socket()
    private var tls: TLSSession?
    private var isEstablished = true
    /// A send has met the peer's RST. The kernel tells of it once: to who reads behind it, the stream just seems to end.
    private var isReset = false
    /// To be opened before TLS begins.
    private var tunnel: Tunnel?
    /// Why there is no tunnel, after `.failed`.
    private(set) var tunnelFailure: TunnelFailure?
    /// Why TLS failed, after `.failed`.
    private(set) var tlsFailure: TLSFailure?
    /// The last `.wouldBlock` ends when the socket is writable, not only when it is readable.
    private(set) var wantsWritable = false
    /// The last `.wouldBlock` ends with this iteration: TLS has had its share of it, and no event will tell of what is left.
    private(set) var isPaused = false

    init() {}

    init(_ socket: consuming Socket) {
        self.socket = socket
    }

    /// The client's part of a TLS connection.
    /// - Parameters:
    ///   - connect: a CONNECT request for the forward proxy that `socket` leads to.
    ///   - isWatched: `socket` is in the epoll set.
    init(
        _ socket: consuming Socket, connecting context: TLSClientContext, through connect: Secret?, isWatched: Bool
    ) {
        tunnel = connect.map { Tunnel($0) }
        tls = TLSSession(
            context: context, descriptor: socket.descriptor, isWatched: isWatched || connect != nil)
        isEstablished = false
        // The socket may still be connecting.
        wantsWritable = true
        self.socket = socket
    }

    /// The server's part.
    init(_ socket: consuming Socket, accepting context: TLSServerContext) {
        tls = TLSSession(accepting: context, descriptor: socket.descriptor)
        isEstablished = false
        self.socket = socket
    }

    /// Goes on as the server's part of a TLS connection; nothing of it has been read.
    mutating func beginTLS(accepting context: TLSServerContext) {
        tls = TLSSession(accepting: context, descriptor: socket.descriptor)
        isEstablished = false
    }

    /// Goes on in plain bytes, for a peer that never spoke TLS.
    mutating func abandonTLS() {
        tls = nil
        isEstablished = true
        wantsWritable = false
        isPaused = false
    }

    /// Copies what the socket has and leaves it there; only before TLS begins.
    func peek(into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        socket.peek(into: buffer)
    }

    // Inlined: a call would be handed a copy of all the bytes.
    @inline(__always)
    var isOpen: Bool { socket.isOpen }
    @inline(__always)
    var descriptor: CInt { socket.descriptor }
    var pendingError: SystemError? { socket.pendingError }
    var unacknowledged: Int { socket.unacknowledged }
    /// A short read of a plain socket has emptied it; one of a TLS session is a record's end.
    @inline(__always)
    var isPlain: Bool { tls == nil }
    /// The handshake was shortened by a session that was stored; nil when this is plain or the handshake is not over.
    private(set) var isResumed: Bool?

    /// A read may find something without another event; true for plain bytes, which tell by a short read.
    var mayHaveMore: Bool { tls?.mayHaveMore ?? true }

    /// The ClientHello is out, and nothing has come back.
    var isUnheard: Bool {
        guard let tls, !isEstablished, tunnel == nil, !wantsWritable else { return false }
        return !tls.hasHeard
    }

    @inline(__always)
    mutating func receive(into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        if tls == nil {
            let result = socket.receive(into: buffer)
            if isReset, case .endOfStream = result { return .failed(.reset) }
            return result
        }
        if let unfinished = handshake() { return unfinished }
        return outcome(tls!.read(into: buffer))
    }

    @inline(__always)
    mutating func send(_ bytes: UnsafeRawBufferPointer, more: Bool) -> IOResult {
        if tls == nil {
            let result = socket.send(bytes, more: more)
            wantsWritable = if case .wouldBlock = result { true } else { false }
            if case .failed(.reset) = result { isReset = true }
            return result
        }
        if let unfinished = handshake() { return unfinished }
        return outcome(tls!.write(bytes, more: more))
    }

    /// - Returns: nil once the handshake is over.
    private mutating func handshake() -> IOResult? {
        guard !isEstablished else { return nil }
        if tunnel != nil, let unopened = openTunnel() { return unopened }
        wantsWritable = false
        isPaused = false
        switch tls!.handshake() {
        case .done:
            isEstablished = true
            isResumed = tls!.resumed
            return nil
        case .wantsRead:
            return .wouldBlock
        case .wantsWrite:
            wantsWritable = true
            return .wouldBlock
        case .paused:
            isPaused = true
            return .wouldBlock
        case .failed(let failure):
            tlsFailure = failure
            return .failed(.protocolError)
        }
    }

    /// - Returns: nil once it is open.
    private mutating func openTunnel() -> IOResult? {
        wantsWritable = false
        switch tunnel!.advance(socket) {
        case .open:
            tunnel = nil
            return nil
        case .wantsRead: return .wouldBlock
        case .wantsWrite:
            wantsWritable = true
            return .wouldBlock
        case .failed(.system(let error)): return .failed(error)
        case .failed(let failure):
            tunnelFailure = failure
            return .failed(.protocolError)
        }
    }

    private mutating func outcome(_ result: TLSResult) -> IOResult {
        wantsWritable = false
        isPaused = false
        switch result {
        case .bytes(let count): return .bytes(count)
        case .wantsRead: return .wouldBlock
        case .wantsWrite:
            wantsWritable = true
            return .wouldBlock
        case .paused:
            isPaused = true
            return .wouldBlock
        case .endOfStream: return .endOfStream
        // An end without close_notify may be anybody's: what came is not known to be whole (RFC 9112 §9.8).
        case .truncated: return .failed(.reset)
        case .failed(let failure):
            tlsFailure = failure
            return .failed(.protocolError)
        }
    }

    /// Ends the sending side in good order; reading continues.
    mutating func shutdownWrite() {
        if isEstablished { tls?.shutdown(more: true) }
        socket.shutdownWrite()
    }

    /// Ends the connection in good order.
    mutating func close() {
        if isEstablished { tls?.shutdown(more: true) }
        drop()
    }

    /// Ends the connection without close_notify (RFC 8446 §6.1): for a peer that waits for nothing more.
    mutating func drop() {
        tls = nil
        socket.close()
    }

    mutating func reset() {
        tls = nil
        socket.reset()
    }
}
