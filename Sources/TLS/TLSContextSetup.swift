internal import COpenSSL

/// From when until when a certificate is good, in seconds since 1970.
package struct TLSValidity: Sendable, Equatable {
    package let startSeconds: Int
    package let endSeconds: Int

    package init(startSeconds: Int, endSeconds: Int) {
        (self.startSeconds, self.endSeconds) = (startSeconds, endSeconds)
    }
}

/// What client and server contexts have in common.
enum TLSContextSetup {
    /// Forward secrecy and authenticated encryption only (RFC 9325 §4.2).
    static let tls12Ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20"
    /// AES-128 first: its key schedule runs on SHA-256, which costs less than SHA-384 and is no weaker in use.
    static let tls13Ciphers = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
    /// X25519 first: nearly every server takes it, so the first key share is the right one.
    static let groups = "X25519:P-256:P-384"

    /// Reactor threads may still be at work when the process ends: OpenSSL must not free its tables under them.
    private static let initialised: Bool = OPENSSL_init_ssl(copenssl_init_no_atexit, nil) == 1

    static func make(_ method: OpaquePointer?) throws(TLSConfigurationError) -> OpaquePointer {
        let failure = TLSConfigurationError(setting: .library, path: nil, cause: .setup)
        guard initialised, let context = SSL_CTX_new(method) else { throw failure }
        guard
            copenssl_ctx_set_min_proto_version(context, Int32(TLS1_2_VERSION)) == 1,
            SSL_CTX_set_cipher_list(context, tls12Ciphers) == 1,
            SSL_CTX_set_ciphersuites(context, tls13Ciphers) == 1,
            copenssl_ctx_set1_groups_list(context, groups) == 1
        else {
            SSL_CTX_free(context)
            throw failure
        }
        _ = SSL_CTX_set_options(context, copenssl_op_no_compression | copenssl_op_no_renegotiation)
        _ = copenssl_ctx_set_mode(
            context,
            Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS)
        )
        _ = copenssl_ctx_set_read_ahead(context, 1)
        SSL_CTX_set_msg_callback(context) { isWritten, _, kind, _, _, ssl, _ in
            guard isWritten == 0, kind == SSL3_RT_HEADER, let ssl, let transport = copenssl_get_app_data(ssl) else {
                return
            }
            transport.assumingMemoryBound(to: TLSTransport.self).pointee.records += 1
        }
        // An encrypted key must not ask for its pass phrase on the terminal.
        SSL_CTX_set_default_passwd_cb(context) { _, _, _, _ in -1 }
        return context
    }

    /// Loads a certificate chain and its key.
    static func loadPair(
        _ context: OpaquePointer, certificate: String, _ certificateSetting: TLSSetting, key: String,
        _ keySetting: TLSSetting
    ) throws(TLSConfigurationError) {
        if let code = readError(certificate) {
            throw .init(setting: certificateSetting, path: certificate, cause: .unreadable(code))
        }
        if let code = readError(key) { throw .init(setting: keySetting, path: key, cause: .unreadable(code)) }
        ERR_clear_error()
        guard SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
            throw .init(setting: certificateSetting, path: certificate, cause: pemCause(missing: .noCertificate))
        }
        ERR_clear_error()
        guard SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 else {
            throw .init(setting: keySetting, path: key, cause: pemCause(missing: .noKey))
        }
        guard SSL_CTX_check_private_key(context) == 1 else {
            throw .init(setting: keySetting, path: key, cause: .keyMismatch)
        }
    }

    /// Looks for the issuers of a certificate that came alone among the anchors, which are loaded. OpenSSL would look for
    /// them, and check their signatures, in each full handshake. It does so still when they cannot be used.
    static func completeChain(_ context: OpaquePointer) {
        guard SSL_CTX_get0_certificate(context) != nil, copenssl_ctx_get0_chain_certs(context) == nil else { return }
        _ = copenssl_ctx_build_cert_chain(
            context, CInt(SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR | SSL_BUILD_CHAIN_FLAG_CLEAR_ERROR))
        ERR_clear_error()
    }

    /// When the own certificate of a context begins and ends; nil without one. Both belong to the context.
    static func validity(_ context: OpaquePointer) -> TLSValidity? {
        guard let certificate = SSL_CTX_get0_certificate(context),
            let start = X509_get0_notBefore(certificate).flatMap(seconds(of:)),
            let end = X509_get0_notAfter(certificate).flatMap(seconds(of:))
        else { return nil }
        return TLSValidity(startSeconds: start, endSeconds: end)
    }

    /// Loads trust anchors.
    static func loadAnchors(
        _ context: OpaquePointer, _ path: String, _ setting: TLSSetting
    ) throws(TLSConfigurationError) {
        if let code = readError(path) { throw .init(setting: setting, path: path, cause: .unreadable(code)) }
        ERR_clear_error()
        guard SSL_CTX_load_verify_file(context, path) == 1 else {
            throw .init(setting: setting, path: path, cause: pemCause(missing: .noCertificate))
        }
    }

    /// The cause behind OpenSSL's error queue after a PEM file was refused.
    private static func pemCause(missing: TLSConfigurationError.Cause) -> TLSConfigurationError.Cause {
        var cause = TLSConfigurationError.Cause.malformed
        while true {
            let code = ERR_get_error()
            if code == 0 { return cause }
            let reason = copenssl_err_reason(code)
            switch copenssl_err_library(code) {
            case ERR_LIB_PEM where reason == PEM_R_NO_START_LINE: cause = missing
            case ERR_LIB_PEM where reason == PEM_R_BAD_PASSWORD_READ: cause = .encryptedKey
            case ERR_LIB_X509 where reason == X509_R_NO_CERTIFICATE_OR_CRL_FOUND: cause = missing
            case ERR_LIB_X509 where reason == X509_R_KEY_VALUES_MISMATCH: return .keyMismatch
            case ERR_LIB_X509 where reason == X509_R_KEY_TYPE_MISMATCH: return .keyMismatch
            case ERR_LIB_OSSL_DECODER where cause == .malformed && missing == .noKey: cause = .noKey
            default: break
            }
        }
    }
}

/// Where trust anchors are found when no `--ca-file` is given.
enum SystemTrustStore {
    /// One file is read once; a directory would be searched by the reactors, at every full handshake.
    static let bundles = [
        "/etc/ssl/certs/ca-certificates.crt",  // Debian, Ubuntu, Alpine, distroless
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // RHEL, Fedora
        "/etc/pki/tls/certs/ca-bundle.crt",  // older RHEL
        "/etc/ssl/ca-bundle.pem",  // SUSE
        "/etc/ssl/cert.pem",  // Alpine, static images
    ]

    /// Loads, first match: `SSL_CERT_FILE` and `SSL_CERT_DIR` as OpenSSL reads them, OpenSSL's own default file, the
    /// usual bundles, OpenSSL's own default directory.
    static func load(into context: OpaquePointer) throws(TLSConfigurationError) {
        let file = environmentValue("SSL_CERT_FILE")
        let directory = environmentValue("SSL_CERT_DIR")
        if let file { try TLSContextSetup.loadAnchors(context, file, .sslCertFile) }
        if let directory { _ = SSL_CTX_load_verify_dir(context, directory) }
        if file != nil || directory != nil { return }
        for path in [String(cString: X509_get_default_cert_file())] + bundles where readError(path) == nil {
            return try TLSContextSetup.loadAnchors(context, path, .systemTrustStore)
        }
        let fallback = String(cString: X509_get_default_cert_dir())
        guard isDirectory(fallback), SSL_CTX_load_verify_dir(context, fallback) == 1 else {
            throw .init(setting: .systemTrustStore, path: nil, cause: .notFound)
        }
    }
}
