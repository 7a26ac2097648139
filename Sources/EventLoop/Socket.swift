internal import CEpoll
package import System

/// A connected (or connecting) non-blocking stream socket.
///
/// The owner closes it by `close` or `reset`; a socket that is dropped open is closed by `deinit`.
@usableFromInline
package struct Socket: ~Copyable {
    /// The descriptor, or -1 once closed.
    @usableFromInline package private(set) var descriptor: CInt

    /// Takes ownership of a non-blocking descriptor.
    package init(owning descriptor: CInt) {
        self.descriptor = descriptor
    }

    /// A place for a socket that does not exist yet.
    package init() {
        descriptor = -1
    }

    deinit {
        if descriptor >= 0 { _ = cepoll_close(descriptor) }
    }

    @inlinable @inline(__always)
    package var isOpen: Bool { descriptor >= 0 }

    /// Creates a socket and starts to connect it.
    /// - Throws: the immediate error of socket(2) or connect(2); an attempt under way is not an error.
    package static func connecting(to address: SocketAddress) throws(SystemError) -> Socket {
        let socket = Socket(owning: try checked(cepoll_socket(address.family)))
        let result = address.withPointer { cepoll_connect(socket.descriptor, $0, $1) }
        if result < 0, SystemError(code: -result) != .inProgress { throw SystemError(code: -result) }
        return socket
    }

    /// Reads what is there into `buffer`, which must not be empty.
    @inline(__always)
    package func receive(into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        IOResult(received: cepoll_recv(descriptor, buffer.baseAddress, buffer.count))
    }

    /// Copies what is there into `buffer`, which must not be empty, and leaves it to be read.
    package func peek(into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        IOResult(received: cepoll_peek(descriptor, buffer.baseAddress, buffer.count))
    }

    /// Writes as much of `bytes` as the socket accepts.
    /// - Parameter more: more bytes or the close follow at once; the kernel may hold these back (MSG_MORE).
    @inline(__always)
    package func send(_ bytes: UnsafeRawBufferPointer, more: Bool) -> IOResult {
        IOResult(sent: cepoll_send(descriptor, bytes.baseAddress, bytes.count, more ? 1 : 0))
    }

    /// The pending error of the socket (SO_ERROR), which reading clears.
    package var pendingError: SystemError? {
        let result = cepoll_socket_error(descriptor)
        return result == 0 ? nil : SystemError(code: -result)
    }

    /// Sends small writes immediately (TCP_NODELAY). Sockets without the option ignore it.
    package func setNoDelay() {
        _ = cepoll_no_delay(descriptor)
    }

    /// Bytes that the socket has taken and the peer has not acknowledged.
    package var unacknowledged: Int { max(0, Int(cepoll_unacknowledged(descriptor))) }

    /// Sends a FIN; reading continues.
    package func shutdownWrite() {
        _ = cepoll_shutdown_write(descriptor)
    }

    package mutating func close() {
        guard isOpen else { return }
        _ = cepoll_close(descriptor)
        descriptor = -1
    }

    /// Closes with a RST, so that the peer cannot take what it got for a whole message.
    package mutating func reset() {
        guard isOpen else { return }
        _ = cepoll_reset_on_close(descriptor)
        close()
    }
}
