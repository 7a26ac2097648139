internal import COpenSSL
internal import System

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// Everything that connections to one upstream share: trust anchors, own certificate, sessions.
/// Made once, never changed; a new configuration gets a new context, and so no session of the old one.
package final class TLSClientContext: Sendable {
    // Invariant: both are set in `init`, only read afterwards, and freed in `deinit`; each SSL object keeps a
    // reference of its own to the SSL_CTX.
    nonisolated(unsafe) let raw: OpaquePointer
    /// NUL-terminated; nil for an IP address, which is never sent as a server name (RFC 6066 §3).
    nonisolated(unsafe) let serverNameIndication: UnsafeMutablePointer<CChar>?
    /// The sessions to resume.
    package let sessions: TLSSessionStore

    /// Reads the files that the configuration names.
    /// - Parameter nowSeconds: a clock that never goes back; nil for the time since the system started.
    /// - Throws: the first setting that cannot be used.
    package init(
        _ configuration: ClientTLSConfiguration, nowSeconds: (@Sendable () -> Int)? = nil
    ) throws(TLSConfigurationError) {
        sessions = TLSSessionStore(nowSeconds: nowSeconds ?? { Int(Clock.monotonic / 1_000_000_000) })
        let context = try TLSContextSetup.make(TLS_client_method())
        do throws(TLSConfigurationError) {
            serverNameIndication = try Self.configure(context, configuration)
        } catch {
            SSL_CTX_free(context)
            throw error
        }
        raw = context
        _ = copenssl_ctx_set_app_data(context, Unmanaged.passUnretained(sessions).toOpaque())
        _ = copenssl_ctx_set_session_cache_mode(context, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL))
        SSL_CTX_sess_set_new_cb(context) { ssl, session in
            // The store outlives the call: the session that is read from holds its context, which holds the store.
            guard let ssl, let session,
                let store = copenssl_ctx_get_app_data(SSL_get_SSL_CTX(ssl)),
                let transport = copenssl_get_app_data(ssl)
            else { return 0 }
            let taken = Unmanaged<TLSSessionStore>.fromOpaque(store).takeUnretainedValue().put(
                session, resumed: SSL_session_reused(ssl) == 1,
                generation: transport.assumingMemoryBound(to: TLSTransport.self).pointee.storeGeneration
            )
            return taken ? 1 : 0
        }
    }

    deinit {
        SSL_CTX_free(raw)
        free(serverNameIndication)
    }

    /// When the certificate that the upstream is shown begins and ends; nil without one.
    package var validity: TLSValidity? { TLSContextSetup.validity(raw) }

    /// Returns the name to send, or nil for an IP address.
    private static func configure(
        _ context: OpaquePointer, _ configuration: ClientTLSConfiguration
    ) throws(TLSConfigurationError) -> UnsafeMutablePointer<CChar>? {
        let parameters = SSL_CTX_get0_param(context)
        if configuration.verify {
            if let caFile = configuration.caFile {
                try TLSContextSetup.loadAnchors(context, caFile, .caFile)
                // What the user names is trusted as it is, an intermediate or a server's own certificate too.
                X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_PARTIAL_CHAIN))
            } else {
                try SystemTrustStore.load(into: context)
            }
        }
        SSL_CTX_set_verify(context, configuration.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nil)

        switch (configuration.certificateFile, configuration.keyFile) {
        case (let certificate?, let key?):
            try TLSContextSetup.loadPair(context, certificate: certificate, .clientCertificate, key: key, .clientKey)
        case (let certificate?, nil):
            throw .init(setting: .clientCertificate, path: certificate, cause: .incompletePair)
        case (nil, let key?):
            throw .init(setting: .clientKey, path: key, cause: .incompletePair)
        case (nil, nil):
            break
        }
        TLSContextSetup.completeChain(context)

        switch configuration.serverName {
        case .ip(let address):
            guard X509_VERIFY_PARAM_set1_ip_asc(parameters, address) == 1 else {
                throw .init(setting: .serverName, path: address, cause: .badName)
            }
            return nil
        case .dns(let name):
            // A trailing dot is no part of the name in a certificate or in the indication (RFC 6066 §3).
            let plain = name.hasSuffix(".") ? String(name.dropLast()) : name
            X509_VERIFY_PARAM_set_hostflags(parameters, CUnsignedInt(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
            guard isHostName(plain), X509_VERIFY_PARAM_set1_host(parameters, plain, plain.utf8.count) == 1 else {
                throw .init(setting: .serverName, path: name, cause: .badName)
            }
            return strdup(plain)
        }
    }

    /// Letters, digits, `-`, `_` and single dots; at most 253 bytes (RFC 1035 §2.3.4).
    private static func isHostName(_ name: String) -> Bool {
        var labelBytes = 0
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "."):
                if labelBytes == 0 { return false }
                labelBytes = 0
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                labelBytes += 1
                if labelBytes > 63 { return false }
            default:
                return false
            }
        }
        return labelBytes > 0 && name.utf8.count <= 253
    }
}
