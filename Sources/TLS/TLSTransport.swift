internal import COpenSSL

/// What a session's BIO works on: the socket, what it last said, and bytes that wait for company.
///
/// OpenSSL writes each flight of a handshake as it ends. The last one needs no answer: the client's Finished travels
/// as well with the request, a server's tickets with the answer. So writes during a handshake are
/// held here, and go out with the next record, or before the session waits for its peer, whichever is first.
struct TLSTransport {
    /// More than the last flight of a handshake without a client certificate; a longer one is not held.
    static let holdBytes = 1_024

    let descriptor: CInt
    /// The generation of the session store at the time when this session asked it.
    var storeGeneration = 0
    /// Hold what is written.
    var holds = true
    /// More bytes or the close follow at once what is sent now: the kernel may wait for them (MSG_MORE).
    var more = false
    /// Bytes that OpenSSL may still take from the socket before the session looks at what came of it.
    var allowance = 0
    /// The allowance ended a read: the socket may hold more, and no event will tell of it.
    var isCutShort = false
    /// Nothing is read while this is set.
    var isDeaf = false
    /// The last read took less than it could have: the socket was empty then, and what came since is a new edge.
    private(set) var isEmptied = false
    /// Records whose header was read, of any kind (RFC 8446 §5).
    var records = 0
    var endOfStream = false
    /// The first byte that the peer sent.
    var firstByte: UInt8?
    /// Something came from the peer.
    var hasReceived: Bool { firstByte != nil }
    /// `errno` of the last failed call, or 0.
    var failure: CInt = 0
    private var held = InlineArray<1_024, UInt8>(repeating: 0)
    private var heldStart = 0
    private var heldEnd = 0

    init(descriptor: CInt) {
        self.descriptor = descriptor
    }

    /// Begins a call into OpenSSL that may take this much from the socket.
    mutating func allow(_ bytes: Int) {
        allowance = bytes
        isCutShort = false
    }

    var hasHeld: Bool { heldEnd > heldStart }

    /// Sends what is held. False: the socket is full or broken.
    mutating func flush() -> Bool {
        while hasHeld {
            let sent = held.span.extracting(heldStart..<heldEnd).withUnsafeBytes { send(descriptor, $0, more: more) }
            guard case .bytes(let count) = sent else {
                if case .failed(let code) = sent { failure = code }
                return false
            }
            heldStart += count
        }
        heldStart = 0
        heldEnd = 0
        return true
    }

    /// Gives bytes to OpenSSL, at most `most` and what is left of the allowance.
    mutating func read(into bytes: UnsafeMutableRawPointer, most: Int) -> SocketIO {
        isEmptied = false
        guard !isDeaf else { return .wouldBlock }
        guard allowance > 0 else {
            isCutShort = true
            return .wouldBlock
        }
        let limit = min(most, allowance)
        let result = receive(descriptor, into: bytes, count: limit)
        switch result {
        case .bytes(let received):
            allowance -= received
            isEmptied = received < limit
            if firstByte == nil { firstByte = bytes.load(as: UInt8.self) }
        case .endOfStream: endOfStream = true
        case .wouldBlock: isEmptied = true
        case .failed(let code): failure = code
        }
        return result
    }

    /// Takes bytes from OpenSSL.
    mutating func write(_ bytes: UnsafeRawBufferPointer) -> SocketIO {
        if holds, bytes.count <= Self.holdBytes - heldEnd {
            var free = held.mutableSpan
            free.withUnsafeMutableBytes {
                // Both bounds are checked; the two runs are different memory.
                UnsafeMutableRawBufferPointer(rebasing: $0[heldEnd..<heldEnd + bytes.count]).copyMemory(from: bytes)
            }
            heldEnd += bytes.count
            return .bytes(bytes.count)
        }
        while true {
            let pending = heldEnd - heldStart
            let sent = held.span.extracting(heldStart..<heldEnd).withUnsafeBytes {
                send(descriptor, $0, bytes, more: more)
            }
            guard case .bytes(let count) = sent else { return sent }
            if count < pending {
                heldStart += count
                continue
            }
            heldStart = 0
            heldEnd = 0
            if count > pending || bytes.isEmpty { return .bytes(count - pending) }
        }
    }
}

/// The BIO that reads and writes through a `TLSTransport`. Made once, never changed, never freed.
struct TLSTransportMethod: @unchecked Sendable {
    // Invariant for every callback: the BIO's data is the pointer that `TLSSession` allocated and frees after
    // SSL_free, which frees the BIO; and a session is used by one thread at a time.
    let raw: OpaquePointer?

    static let shared = TLSTransportMethod()

    private init() {
        raw = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "reactor socket")
        BIO_meth_set_write(raw) { bio, bytes, count in
            guard let bio, let bytes, count > 0, let data = BIO_get_data(bio) else { return 0 }
            copenssl_bio_clear_retry_flags(bio)
            let transport = data.assumingMemoryBound(to: TLSTransport.self)
            switch transport.pointee.write(UnsafeRawBufferPointer(start: bytes, count: Int(count))) {
            case .bytes(let sent):
                return CInt(truncatingIfNeeded: sent)
            case .wouldBlock, .endOfStream:
                copenssl_bio_set_retry_write(bio)
            case .failed(let code):
                transport.pointee.failure = code
            }
            return -1
        }
        BIO_meth_set_read(raw) { bio, bytes, count in
            guard let bio, let bytes, count > 0, let data = BIO_get_data(bio) else { return 0 }
            copenssl_bio_clear_retry_flags(bio)
            let transport = data.assumingMemoryBound(to: TLSTransport.self)
            switch transport.pointee.read(into: bytes, most: Int(count)) {
            case .bytes(let received): return CInt(truncatingIfNeeded: received)
            case .endOfStream: return 0
            case .wouldBlock: copenssl_bio_set_retry_read(bio)
            case .failed: break
            }
            return -1
        }
        BIO_meth_set_ctrl(raw) { bio, command, _, _ in
            switch command {
            case BIO_CTRL_FLUSH, BIO_CTRL_DUP:
                return 1
            case BIO_CTRL_EOF:
                guard let data = BIO_get_data(bio) else { return 1 }
                return data.assumingMemoryBound(to: TLSTransport.self).pointee.endOfStream ? 1 : 0
            default:
                return 0
            }
        }
    }
}
