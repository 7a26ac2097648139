internal import System

/// The name that an upstream's certificate must carry (RFC 6125, RFC 9110 §4.3.4).
package enum TLSServerName: Sendable, Equatable {
    /// A DNS name; it is also sent as the server name indication (RFC 6066 §3).
    case dns(String)
    /// An IPv4 or IPv6 address in text form without brackets; never sent as a server name.
    case ip(String)
}

/// How this proxy speaks TLS to its upstream.
package struct ClientTLSConfiguration: Sendable {
    package var serverName: TLSServerName
    /// Trust anchors in PEM form; nil means the system's trust store.
    package var caFile: String?
    /// Certificate chain in PEM form, the own certificate first. Goes with `keyFile`.
    package var certificateFile: String?
    /// Private key in PEM form, without a pass phrase.
    package var keyFile: String?
    /// False takes any certificate of any name: for `--insecure-skip-verify` only.
    package var verify: Bool

    package init(
        serverName: TLSServerName, caFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil,
        verify: Bool = true
    ) {
        self.serverName = serverName
        self.caFile = caFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.verify = verify
    }
}

/// How this proxy speaks TLS to its clients.
package struct ServerTLSConfiguration: Sendable {
    /// Certificate chain in PEM form, the server's certificate first.
    package var certificateFile: String
    /// Private key in PEM form, without a pass phrase.
    package var keyFile: String
    /// Trust anchors for client certificates; when set, a client without a certificate is refused.
    package var clientCAFile: String?

    package init(certificateFile: String, keyFile: String, clientCAFile: String? = nil) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.clientCAFile = clientCAFile
    }
}

/// The setting that a `TLSConfigurationError` is about.
package enum TLSSetting: Sendable, Equatable, CaseIterable {
    case caFile, clientCertificate, clientKey, serverName
    case serverCertificate, serverKey, clientCA
    case systemTrustStore, sslCertFile
    case library

    /// The flag or variable that the user sets it by.
    package var name: StaticString {
        switch self {
        case .caFile: "--ca-file"
        case .clientCertificate: "--client-cert"
        case .clientKey: "--client-key"
        case .serverName: "--sentry-uri"
        case .serverCertificate: "--tls-cert"
        case .serverKey: "--tls-key"
        case .clientCA: "--client-ca"
        case .systemTrustStore: "system trust store"
        case .sslCertFile: "SSL_CERT_FILE"
        case .library: "OpenSSL"
        }
    }
}

/// Why a TLS context cannot be made: which setting, which file, what is wrong with it.
package struct TLSConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Cause: Sendable, Equatable {
        /// The file cannot be opened; the value is `errno`.
        case unreadable(CInt)
        /// The file holds no PEM certificate.
        case noCertificate
        /// The file holds no PEM private key.
        case noKey
        /// The private key asks for a pass phrase.
        case encryptedKey
        /// There is a PEM block, but what it holds is broken or not accepted (for example, too short a key).
        case malformed
        /// The key does not belong to the certificate.
        case keyMismatch
        /// A certificate without its key, or a key without its certificate.
        case incompletePair
        /// Not a DNS name, or not an IP address.
        case badName
        /// No trust anchors at any of the usual places.
        case notFound
        /// OpenSSL itself could not be set up.
        case setup
    }

    package var setting: TLSSetting
    package var path: String?
    package var cause: Cause

    package init(setting: TLSSetting, path: String?, cause: Cause) {
        self.setting = setting
        self.path = path
        self.cause = cause
    }

    package var description: String {
        let place = path.map { "\(setting.name) \($0)" } ?? "\(setting.name)"
        return switch cause {
        case .unreadable(let code): "\(place): cannot be read: \(SystemError(code: code).summary)"
        case .noCertificate where setting == .serverCertificate || setting == .clientCertificate:
            "\(place): contains no certificate in PEM form; have certificate and key been swapped?"
        case .noCertificate: "\(place): contains no certificate in PEM form"
        case .noKey: "\(place): contains no private key in PEM form"
        case .encryptedKey: "\(place): the private key is encrypted; give one without a pass phrase"
        case .malformed: "\(place): the PEM block is damaged, or too weak for this system's OpenSSL policy"
        case .keyMismatch: "\(place): the private key does not belong to the certificate"
        case .incompletePair: "\(place): a certificate and its key must be given together"
        case .badName: "\(place): not a host name or IP address that a certificate can be checked against"
        case .notFound: "\(place): no CA bundle found; install ca-certificates, set SSL_CERT_FILE or give --ca-file"
        case .setup: "\(place): cannot be set up"
        }
    }
}
