internal import COpenSSL

/// Everything that clients' TLS connections share. Replaced on SIGHUP: connections that are open keep the old
/// one, and its ticket keys go with it, so that no session outlives a changed client CA.
package final class TLSServerContext: Sendable {
    // Invariant: set in `init`, only read afterwards, freed in `deinit`; each SSL object keeps a reference of its own.
    nonisolated(unsafe) let raw: OpaquePointer

    /// Reads the files that the configuration names.
    /// - Throws: the first setting that cannot be used; the caller then keeps the context it has.
    package init(_ configuration: ServerTLSConfiguration) throws(TLSConfigurationError) {
        let context = try TLSContextSetup.make(TLS_server_method())
        do throws(TLSConfigurationError) {
            try Self.configure(context, configuration)
        } catch {
            SSL_CTX_free(context)
            throw error
        }
        raw = context
    }

    deinit {
        SSL_CTX_free(raw)
    }

    /// When the certificate that clients are shown begins and ends.
    package var validity: TLSValidity? { TLSContextSetup.validity(raw) }
    /// When it ends, in seconds since 1970.
    package var certificateEndSeconds: Int? { validity?.endSeconds }

    private static func configure(
        _ context: OpaquePointer, _ configuration: ServerTLSConfiguration
    ) throws(TLSConfigurationError) {
        try TLSContextSetup.loadPair(
            context, certificate: configuration.certificateFile, .serverCertificate, key: configuration.keyFile,
            .serverKey
        )
        // Most clients name AES-256 first, whose SHA-384 has no instructions of its own; one that names ChaCha20 first has
        // none for AES either, and gets it.
        _ = SSL_CTX_set_options(context, copenssl_op_cipher_server_preference | copenssl_op_prioritize_chacha)
        // Sessions live in tickets at the client: no memory and no lock here.
        _ = copenssl_ctx_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
        // OpenSSL gives two. A client comes back with one, gets the next one then, and each costs more than a record of data.
        _ = SSL_CTX_set_num_tickets(context, 1)
        if let clientCA = configuration.clientCAFile {
            try TLSContextSetup.loadAnchors(context, clientCA, .clientCA)
            guard let names = SSL_load_client_CA_file(clientCA) else {
                throw .init(setting: .clientCA, path: clientCA, cause: .noCertificate)
            }
            SSL_CTX_set_client_CA_list(context, names)
            SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        }
        TLSContextSetup.completeChain(context)
        // A session with a client certificate is resumed only under a context's own name (SSL_CTX_set_session_id_context(3)).
        var identity: InlineArray<16, UInt8> = .init(repeating: 0)
        var bytes = identity.mutableSpan
        let named = bytes.withUnsafeMutableBufferPointer {
            RAND_bytes($0.baseAddress, 16) == 1 && SSL_CTX_set_session_id_context(context, $0.baseAddress, 16) == 1
        }
        guard named else { throw .init(setting: .library, path: nil, cause: .setup) }

        SSL_CTX_set_alpn_select_cb(
            context,
            { _, chosen, chosenCount, offered, offeredCount, _ in
                // `offered` is the client's list: each name with its length before it (RFC 7301 §3.1), checked by OpenSSL.
                guard let chosen, let chosenCount, let offered else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                let list = UnsafeBufferPointer(start: offered, count: Int(offeredCount))
                guard let name = ApplicationProtocol.choose(from: list.span) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                chosen.pointee = offered + name.lowerBound
                chosenCount.pointee = UInt8(name.count)
                return SSL_TLSEXT_ERR_OK
            }, nil)
    }
}

/// The protocols that are spoken to clients; a client that offers only others gets no_application_protocol.
enum ApplicationProtocol {
    /// Best first. HTTP/1.0 has a name of its own, and clients that speak nothing else offer nothing else.
    static let http11: StaticString = "http/1.1"
    static let http10: StaticString = "http/1.0"

    /// Where the best name is in the client's list (RFC 7301 §3.1), or nil.
    static func choose(from list: Span<UInt8>) -> Range<Int>? {
        find(http11, in: list) ?? find(http10, in: list)
    }

    private static func find(_ wanted: StaticString, in list: Span<UInt8>) -> Range<Int>? {
        var at = 0
        while at < list.count {
            let count = Int(list[at])
            guard count < list.count - at else { return nil }
            let name = list.extracting(at + 1..<at + 1 + count)
            if wanted.withUTF8Buffer({ equal(name, $0.span) }) { return at + 1..<at + 1 + count }
            at += 1 + count
        }
        return nil
    }

    private static func equal(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
        guard a.count == b.count else { return false }
        for i in a.indices where a[i] != b[i] { return false }
        return true
    }
}
