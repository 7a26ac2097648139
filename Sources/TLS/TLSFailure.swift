internal import COpenSSL

/// Why a TLS connection failed, as far as an operator can act on it. Goes to the log; clients see none of it.
package enum TLSFailure: Error, Sendable, Equatable {
    /// No chain from the peer's certificate to a trust anchor.
    case untrusted
    case expired
    case notYetValid
    case wrongName
    /// No common protocol version, or no common cipher.
    case protocolVersion
    /// The peer took the connection and said nothing to the ClientHello in time.
    case silent
    /// The first bytes of the peer are not TLS.
    case notTLS
    /// They are a request in plain http.
    case plainHTTP
    /// The peer ended the connection by an alert (RFC 8446 §6.2).
    case alert(UInt8)
    /// The peer showed no certificate, and one is required.
    case noCertificate
    /// The peer closed or reset the connection before the handshake was over.
    case closed
    /// The connection was reset after the handshake.
    case reset
    /// A record did not decrypt.
    case corrupt
    /// Too many records without data.
    case recordFlood
    /// Another system error; the value is `errno`.
    case system(CInt)
    /// Another TLS error; the value is OpenSSL's reason code.
    case handshake(CInt)

    /// One word for the log.
    package var logName: StaticString {
        switch self {
        case .untrusted: "tls_untrusted"
        case .expired: "tls_expired"
        case .notYetValid: "tls_not_yet_valid"
        case .wrongName: "tls_wrong_name"
        case .protocolVersion: "tls_protocol_version"
        case .silent: "tls_silent"
        case .notTLS: "tls_not_tls"
        case .plainHTTP: "tls_plain_http"
        case .alert: "tls_alert"
        case .noCertificate: "tls_no_certificate"
        case .closed: "tls_closed"
        case .reset: "tls_reset"
        case .corrupt: "tls_corrupt_record"
        case .recordFlood: "tls_record_flood"
        case .system: "tls_system_error"
        case .handshake: "tls_handshake"
        }
    }

    /// The alert's own name, or the likely reason for bytes that are not TLS.
    package var detail: StaticString? {
        switch self {
        case .alert(let alert): TLSAlert.name(alert)
        case .notTLS: "the peer does not speak TLS: if it is the upstream, --sentry-uri should begin with http://"
        case .silent:
            "the upstream accepted the connection and did not answer TLS: if it speaks http, --sentry-uri should begin with http://"
        default: nil
        }
    }

    /// The number that goes with it in the log: alert, `errno` or OpenSSL reason.
    package var code: Int? {
        switch self {
        case .alert(let alert): Int(alert)
        case .system(let code), .handshake(let code): Int(code)
        default: nil
        }
    }
}

extension TLSFailure {
    /// Reads the thread's OpenSSL error queue, whose first entry is the cause of the failure.
    init(ssl: OpaquePointer) {
        let code = ERR_peek_error()
        guard copenssl_err_library(code) == ERR_LIB_SSL else {
            self = .handshake(copenssl_err_reason(code))
            return
        }
        let reason = copenssl_err_reason(code)
        switch reason {
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
            self.init(verifyResult: SSL_get_verify_result(ssl))
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_VERSION_TOO_HIGH, SSL_R_UNKNOWN_PROTOCOL,
            SSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_NO_SHARED_CIPHER, SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
            self = .protocolVersion
        case SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST:
            self = .notTLS
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
            self = .noCertificate
        case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, SSL_R_BAD_RECORD_TYPE:
            self = .corrupt
        case SSL_AD_REASON_OFFSET...SSL_AD_REASON_OFFSET + 255:
            self = .alert(UInt8(truncatingIfNeeded: reason - SSL_AD_REASON_OFFSET))
        default:
            self = .handshake(reason)
        }
    }

    private init(verifyResult: Int) {
        self =
            switch CInt(truncatingIfNeeded: verifyResult) {
            case X509_V_ERR_CERT_HAS_EXPIRED: .expired
            case X509_V_ERR_CERT_NOT_YET_VALID: .notYetValid
            case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: .wrongName
            default: .untrusted
            }
    }
}
