internal import CEpoll
internal import Glibc

/// An errno value, as a system call gave it.
package struct SystemError: Error, Sendable, Equatable {
    package let code: CInt

    package init(code: CInt) {
        self.code = code
    }

    /// The system's text, for logs and the operator; never for clients.
    package var summary: String {
        String(cString: cepoll_error_text(code))
    }

    package static let inProgress = SystemError(code: EINPROGRESS)
    package static let again = SystemError(code: EAGAIN)
    package static let interrupted = SystemError(code: EINTR)
    package static let descriptorsExhausted = SystemError(code: EMFILE)
    package static let fileTableFull = SystemError(code: ENFILE)
    package static let connectionAborted = SystemError(code: ECONNABORTED)
    package static let noBuffers = SystemError(code: ENOBUFS)
    package static let noMemory = SystemError(code: ENOMEM)
    package static let invalidArgument = SystemError(code: EINVAL)
    package static let refused = SystemError(code: ECONNREFUSED)
    package static let reset = SystemError(code: ECONNRESET)
    package static let brokenPipe = SystemError(code: EPIPE)
    package static let notConnected = SystemError(code: ENOTCONN)
    package static let timedOut = SystemError(code: ETIMEDOUT)
    package static let protocolError = SystemError(code: EPROTO)
    package static let familyNotSupported = SystemError(code: EAFNOSUPPORT)
    package static let notSocket = SystemError(code: ENOTSOCK)
    package static let addressInUse = SystemError(code: EADDRINUSE)
    package static let addressNotAvailable = SystemError(code: EADDRNOTAVAIL)

    /// A connection failed for want of something on this side, so that the peer's address is not to blame.
    package var isShortage: Bool {
        switch self {
        case .again, .addressNotAvailable, .descriptorsExhausted, .fileTableFull, .noBuffers, .noMemory: true
        default: false
        }
    }
}

/// Turns the shim's `-errno` convention into a value or a thrown error.
@inline(__always)
func checked(_ result: CInt) throws(SystemError) -> CInt {
    guard result >= 0 else { throw SystemError(code: -result) }
    return result
}
