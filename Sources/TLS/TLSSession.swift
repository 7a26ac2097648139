internal import COpenSSL

/// What became of a handshake step.
package enum TLSProgress: Sendable, Equatable {
    case done
    /// Call again when the socket is readable.
    case wantsRead
    /// Call again when the socket is writable.
    case wantsWrite
    case failed(TLSFailure)
}

/// What became of a read or a write.
package enum TLSResult: Sendable, Equatable {
    case bytes(Int)
    /// The socket has no more bytes: call again when it is readable.
    case wantsRead
    /// The socket takes no more bytes: call again when it is writable.
    case wantsWrite
    /// The peer's close_notify: the stream is whole.
    case endOfStream
    /// The connection ended without close_notify: what came may be cut short (RFC 9112 §9.8).
    case truncated
    case failed(TLSFailure)
}

/// One TLS connection over a non-blocking socket that somebody else owns and closes. Used by one thread at a time.
///
/// `wantsRead` and `wantsWrite` are said only after the socket itself said EAGAIN, as edge-triggered epoll needs it.
package struct TLSSession: ~Copyable {
    // Invariants: `ssl` and `transport` are set in `init` and freed in `deinit`; the BIO inside `ssl` points to
    // `transport` and dies first; `offered`, when set, holds one reference.
    private let ssl: OpaquePointer
    private let transport: UnsafeMutablePointer<TLSTransport>
    private let context: TLSClientContext?
    private var offered: OpaquePointer?
    private var established = false
    private var failure: TLSFailure?

    /// Starts a session as the client, with a stored session to resume if there is one.
    /// - Parameter descriptor: a connected, or connecting, non-blocking socket; it must stay open as long as the session lives.
    package init(context: TLSClientContext, descriptor: CInt) {
        self.init(raw: context.raw, context: context, descriptor: descriptor)
        SSL_set_connect_state(ssl)
        if let name = context.serverNameIndication { _ = copenssl_set_tlsext_host_name(ssl, name) }
        let stored = context.sessions.take()
        transport.pointee.storeGeneration = stored.generation
        offered = stored.raw
        if let session = stored.raw { SSL_set_session(ssl, session) }
    }

    /// Starts a session as the server.
    /// - Parameter descriptor: as above.
    package init(accepting context: TLSServerContext, descriptor: CInt) {
        self.init(raw: context.raw, context: nil, descriptor: descriptor)
        SSL_set_accept_state(ssl)
    }

    private init(raw: OpaquePointer, context: TLSClientContext?, descriptor: CInt) {
        guard let ssl = SSL_new(raw), let bio = BIO_new(TLSTransportMethod.shared.raw) else {
            fatalError("out of memory for a TLS session")
        }
        transport = .allocate(capacity: 1)
        transport.initialize(to: TLSTransport(descriptor: descriptor))
        BIO_set_data(bio, transport)
        BIO_set_init(bio, 1)
        SSL_set_bio(ssl, bio, bio)
        _ = copenssl_set_app_data(ssl, transport)
        self.ssl = ssl
        self.context = context
    }

    deinit {
        // SSL_free takes a session whose connection was not shut down for a broken one, and nobody could resume it.
        if established, failure == nil { SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN) }
        if let offered { SSL_SESSION_free(offered) }
        SSL_free(ssl)
        transport.deinitialize(count: 1)
        transport.deallocate()
    }

    /// The handshake was shortened by a stored session: no certificate was checked this time.
    package var resumed: Bool {
        // Mutating, so that a session inside an optional can be asked.
        mutating get { SSL_session_reused(ssl) == 1 }
    }

    /// Bytes were received that `read` has not given out yet; no event will tell of them.
    package var hasPending: Bool { SSL_has_pending(ssl) == 1 }

    /// The negotiated version, for the log.
    package var protocolName: String { String(cString: SSL_get_version(ssl)) }

    /// Drives the handshake as far as the socket allows. After `.done`, write or read.
    package mutating func handshake() -> TLSProgress {
        if let failure { return .failed(failure) }
        if established { return .done }
        ERR_clear_error()
        let result = SSL_do_handshake(ssl)
        if result == 1 {
            established = true
            transport.pointee.holds = false
            settleOffer(taken: resumed)
            return .done
        }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ:
            if transport.pointee.flush() { return .wantsRead }
            return transport.pointee.failure == 0 ? .wantsWrite : .failed(fail())
        case SSL_ERROR_WANT_WRITE:
            return .wantsWrite
        default:
            let failure = fail()
            // The alert that tells the peer why, best effort.
            _ = transport.pointee.flush()
            settleOffer(taken: false)
            return .failed(failure)
        }
    }

    /// Reads decrypted bytes. An empty output reads nothing and answers `.bytes(0)`.
    package mutating func read(into output: UnsafeMutableRawBufferPointer) -> TLSResult {
        if let failure { return .failed(failure) }
        guard !output.isEmpty else { return .bytes(0) }
        ERR_clear_error()
        var count = 0
        let result = SSL_read_ex(ssl, output.baseAddress, output.count, &count)
        if result == 1 { return .bytes(count) }
        return outcome(result)
    }

    /// Encrypts and sends at most one record. After `.wantsWrite` the next call must start with the same bytes, and have no fewer.
    package mutating func write(_ input: UnsafeRawBufferPointer) -> TLSResult {
        if let failure { return .failed(failure) }
        guard !input.isEmpty else { return .bytes(0) }
        ERR_clear_error()
        var count = 0
        let result = SSL_write_ex(ssl, input.baseAddress, input.count, &count)
        if result == 1 { return .bytes(count) }
        return outcome(result)
    }

    /// Sends close_notify (RFC 8446 §6.1) if the socket takes it now; never waits for the peer's.
    package mutating func shutdown() {
        guard established, failure == nil else { return }
        ERR_clear_error()
        _ = SSL_shutdown(ssl)
        _ = transport.pointee.flush()
        ERR_clear_error()
    }

    private mutating func outcome(_ result: CInt) -> TLSResult {
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ:
            // The peer may be waiting for what is held.
            if transport.pointee.flush() { return .wantsRead }
            return transport.pointee.failure == 0 ? .wantsWrite : .failed(fail())
        case SSL_ERROR_WANT_WRITE:
            return .wantsWrite
        case SSL_ERROR_ZERO_RETURN:
            return .endOfStream
        default:
            if transport.pointee.endOfStream, transport.pointee.failure == 0, isUnexpectedEnd { return .truncated }
            return .failed(fail())
        }
    }

    /// The error queue says that the stream ended, not that a record was bad.
    private var isUnexpectedEnd: Bool {
        let code = ERR_peek_error()
        return code == 0
            || copenssl_err_library(code) == ERR_LIB_SSL
                && copenssl_err_reason(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING
    }

    /// The client's first byte is a method's first letter, which no TLS record begins with. OpenSSL knows four methods only.
    private var isPlainHTTP: Bool {
        guard context == nil, let first = transport.pointee.firstByte else { return false }
        return UInt8(ascii: "A")...UInt8(ascii: "Z") ~= first
    }

    private mutating func fail() -> TLSFailure {
        let found: TLSFailure
        switch transport.pointee.failure {
        case 0:
            let said: TLSFailure = transport.pointee.endOfStream && isUnexpectedEnd ? .closed : TLSFailure(ssl: ssl)
            found = said == .notTLS && isPlainHTTP ? .plainHTTP : said
        case let code where isReset(code):
            found = established ? .reset : .closed
        case let code:
            found = .system(code)
        }
        ERR_clear_error()
        failure = found
        return found
    }

    /// A session that was offered and not taken is of no use to the next connection either.
    private mutating func settleOffer(taken: Bool) {
        guard let offered else { return }
        if !taken { context?.sessions.drop(offered) }
        SSL_SESSION_free(offered)
        self.offered = nil
    }
}
