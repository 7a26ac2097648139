internal import COpenSSL

/// What became of a handshake step.
package enum TLSProgress: Sendable, Equatable {
    case done
    /// Call again when the socket is readable.
    case wantsRead
    /// Call again when the socket is writable.
    case wantsWrite
    /// The call's share of work is used up: call again in the next iteration. No event will tell of what is left.
    case paused
    case failed(TLSFailure)
}

/// What became of a read or a write.
package enum TLSResult: Sendable, Equatable {
    case bytes(Int)
    /// The socket has no more bytes: call again when it is readable.
    case wantsRead
    /// The socket takes no more bytes: call again when it is writable.
    case wantsWrite
    /// The call's share of work is used up: call again in the next iteration. No event will tell of what is left.
    case paused
    /// The peer's close_notify: the stream is whole.
    case endOfStream
    /// The connection ended without close_notify: what came may be cut short (RFC 9112 §9.8).
    case truncated
    case failed(TLSFailure)
}

/// One TLS connection over a non-blocking socket that somebody else owns and closes. Used by one thread at a time.
///
/// `wantsRead` and `wantsWrite` are said only after the socket itself said EAGAIN, as edge-triggered epoll needs it;
/// but for a client's first step, when the socket is not watched yet.
package final class TLSSession {
    // Invariants: `ssl` and `transport` are set in `init` and freed in `deinit`; the BIO inside `ssl` points to
    // `transport` and dies first; `offered`, when set, holds one reference.
    private let ssl: OpaquePointer
    private let transport: UnsafeMutablePointer<TLSTransport>
    private let context: TLSClientContext?
    private var offered: OpaquePointer?
    private var established = false
    /// What broke the session.
    private var failure: TLSFailure?
    /// What ended the sending alone: what the peer had sent before is still to be read.
    private var sendFailure: TLSFailure?
    private var share = TLSReadShare()

    /// Starts a session as the client, with a stored session to resume if there is one.
    /// - Parameters:
    ///   - descriptor: a connected, or connecting, non-blocking socket; it must stay open as long as the session lives.
    ///   - isWatched: edge-triggered epoll may have told of something that is still to be read. Otherwise the first
    ///     handshake step only sends: nobody answers what was not asked.
    package convenience init(context: TLSClientContext, descriptor: CInt, isWatched: Bool) {
        self.init(raw: context.raw, context: context, descriptor: descriptor)
        SSL_set_connect_state(ssl)
        if let name = context.serverNameIndication { _ = copenssl_set_tlsext_host_name(ssl, name) }
        let stored = context.sessions.take()
        transport.pointee.storeGeneration = stored.generation
        transport.pointee.isDeaf = !isWatched
        offered = stored.raw
        if let session = stored.raw { SSL_set_session(ssl, session) }
    }

    /// Starts a session as the server.
    /// - Parameter descriptor: as above.
    package convenience init(accepting context: TLSServerContext, descriptor: CInt) {
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
        if let offered {
            // A connection that came to nothing has not used its session.
            if transport.pointee.hasReceived || !giveBack(offered) { SSL_SESSION_free(offered) }
        }
        SSL_free(ssl)
        transport.deinitialize(count: 1)
        transport.deallocate()
    }

    /// The handshake was shortened by a stored session: no certificate was checked this time.
    package var resumed: Bool {
        SSL_session_reused(ssl) == 1
    }

    /// A read may find something now, and not only after another event: unless the last one emptied the socket.
    package var mayHaveMore: Bool {
        !transport.pointee.isEmptied || SSL_has_pending(ssl) == 1
    }

    /// The peer has sent something, whatever it was.
    package var hasHeard: Bool {
        transport.pointee.hasReceived
    }

    /// The negotiated version, for the log.
    package var protocolName: String { String(cString: SSL_get_version(ssl)) }

    /// Drives the handshake as far as the socket allows. After `.done`, write or read.
    package func handshake() -> TLSProgress {
        if let failure { return .failed(failure) }
        if established { return .done }
        ERR_clear_error()
        transport.pointee.allow(TLSReadShare.mostBytes)
        let result = SSL_do_handshake(ssl)
        transport.pointee.isDeaf = false
        if result == 1 {
            established = true
            transport.pointee.records = 0
            transport.pointee.holds = false
            settleOffer(taken: resumed)
            return .done
        }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ:
            if transport.pointee.isCutShort {
                guard transport.pointee.records <= TLSReadShare.mostHandshakeRecords else {
                    failure = .recordFlood
                    return .failed(.recordFlood)
                }
                return .paused
            }
            if transport.pointee.flush() { return .wantsRead }
            guard transport.pointee.failure != 0 else { return .wantsWrite }
            let failure = fail()
            settleOffer(taken: false)
            return .failed(failure)
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
    package func read(into output: UnsafeMutableRawBufferPointer) -> TLSResult {
        if let failure { return .failed(failure) }
        guard !output.isEmpty else { return .bytes(0) }
        // What OpenSSL wants to say meanwhile, such as its part of a key update, goes out together.
        transport.pointee.holds = true
        transport.pointee.more = false
        let before = transport.pointee.records
        var taken = 0
        while true {
            ERR_clear_error()
            transport.pointee.allow(share.bytes)
            var count = 0
            let result = SSL_read_ex(ssl, output.baseAddress, output.count, &count)
            taken += share.bytes - transport.pointee.allowance
            let records = transport.pointee.records - before
            if result == 1 {
                share.gave(records: records)
                return .bytes(count)
            }
            guard transport.pointee.isCutShort, SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ else {
                guard share.gaveNothing(records: records) else { return .failed(flooded()) }
                return outcome(result)
            }
            // A long record is read to its end at once; many short ones without data are not.
            if taken < TLSReadShare.mostBytes, share.widen(records: records) { continue }
            guard share.gaveNothing(records: records) else { return .failed(flooded()) }
            return transport.pointee.flush() || transport.pointee.failure == 0 ? .paused : .failed(fail())
        }
    }

    /// More records without data than any peer has a reason for: the end, with an alert.
    private func flooded() -> TLSFailure {
        shutdown()
        failure = .recordFlood
        return .recordFlood
    }

    /// Encrypts and sends at most one record. After `.wantsWrite` the next call must start with the same bytes, and have no fewer.
    /// - Parameter more: more bytes or the close follow at once; the kernel may hold these back.
    package func write(_ input: UnsafeRawBufferPointer, more: Bool = false) -> TLSResult {
        if let failure { return .failed(failure) }
        if let sendFailure { return .failed(sendFailure) }
        guard !input.isEmpty else { return .bytes(0) }
        ERR_clear_error()
        transport.pointee.holds = false
        transport.pointee.more = more
        var count = 0
        let result = SSL_write_ex(ssl, input.baseAddress, input.count, &count)
        if result == 1 { return .bytes(count) }
        if transport.pointee.failure != 0, isReset(transport.pointee.failure) {
            // A peer that answers early and closes refuses the rest; its answer may be here, whole (RFC 9112 §9.6).
            ERR_clear_error()
            transport.pointee.failure = 0
            sendFailure = .reset
            return .failed(.reset)
        }
        return outcome(result)
    }

    /// Sends close_notify (RFC 8446 §6.1) if the socket takes it now; never waits for the peer's.
    /// - Parameter more: the socket's end follows at once, and the kernel may send both together.
    package func shutdown(more: Bool = false) {
        guard established, failure == nil, sendFailure == nil else { return }
        ERR_clear_error()
        transport.pointee.more = more
        _ = SSL_shutdown(ssl)
        _ = transport.pointee.flush()
        ERR_clear_error()
    }

    private func outcome(_ result: CInt) -> TLSResult {
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ:
            // The peer may be waiting for what is held. A ticket must not wait for the answer either: it acknowledges the
            // client's Finished, for which Nagle's algorithm holds the request back.
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

    private func fail() -> TLSFailure {
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

    /// A session that was offered and not taken is of no use to the next connection either, unless there was nobody who
    /// could have taken it: an address that refused, say.
    private func settleOffer(taken: Bool) {
        guard let offered else { return }
        self.offered = nil
        if !taken {
            if !transport.pointee.hasReceived, giveBack(offered) { return }
            if transport.pointee.hasReceived { context?.sessions.drop(offered) }
        }
        SSL_SESSION_free(offered)
    }

    /// - Returns: false when the store does not want it, or has it still.
    private func giveBack(_ session: OpaquePointer) -> Bool {
        context?.sessions.giveBack(session, generation: transport.pointee.storeGeneration) ?? false
    }
}
