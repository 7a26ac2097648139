internal import CEpoll
public import Glibc

/// An errno value, as a system call gave it.
@usableFromInline
package struct SystemError: Error, Sendable, Equatable {
    @usableFromInline package let code: CInt

    @inlinable package init(code: CInt) {
        self.code = code
    }

    /// The system's text, for logs and the operator; never for clients.
    package var summary: String {
        String(cString: cepoll_error_text(code))
    }

    @inlinable package static var inProgress: SystemError { SystemError(code: EINPROGRESS) }
    @inlinable package static var again: SystemError { SystemError(code: EAGAIN) }
    @inlinable package static var interrupted: SystemError { SystemError(code: EINTR) }
    @inlinable package static var descriptorsExhausted: SystemError { SystemError(code: EMFILE) }
    @inlinable package static var fileTableFull: SystemError { SystemError(code: ENFILE) }
    @inlinable package static var noBuffers: SystemError { SystemError(code: ENOBUFS) }
    @inlinable package static var noMemory: SystemError { SystemError(code: ENOMEM) }
    @inlinable package static var invalidArgument: SystemError { SystemError(code: EINVAL) }
    @inlinable package static var refused: SystemError { SystemError(code: ECONNREFUSED) }
    @inlinable package static var reset: SystemError { SystemError(code: ECONNRESET) }
    @inlinable package static var brokenPipe: SystemError { SystemError(code: EPIPE) }
    @inlinable package static var notConnected: SystemError { SystemError(code: ENOTCONN) }
    @inlinable package static var timedOut: SystemError { SystemError(code: ETIMEDOUT) }
    @inlinable package static var protocolError: SystemError { SystemError(code: EPROTO) }
    @inlinable package static var familyNotSupported: SystemError { SystemError(code: EAFNOSUPPORT) }
    @inlinable package static var notSocket: SystemError { SystemError(code: ENOTSOCK) }
    @inlinable package static var addressInUse: SystemError { SystemError(code: EADDRINUSE) }
    @inlinable package static var addressNotAvailable: SystemError { SystemError(code: EADDRNOTAVAIL) }

    /// A connection failed for want of something on this side, so that the peer's address is not to blame.
    package var isShortage: Bool {
        switch self {
        case .again, .addressNotAvailable, .descriptorsExhausted, .fileTableFull, .noBuffers, .noMemory: true
        default: false
        }
    }
}

/// Turns the shim's `-errno` convention into a value or a thrown error.
@inlinable @inline(__always)
package func checked(_ result: CInt) throws(SystemError) -> CInt {
    guard result >= 0 else { throw SystemError(code: -result) }
    return result
}
