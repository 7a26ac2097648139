internal import CEpoll
internal import Glibc

/// A listening socket. Every reactor has its own for the same address; the kernel spreads connections
/// over them (SO_REUSEPORT).
package final class Listener: Sendable {
    package let descriptor: CInt

    /// What one accept(2) came to.
    package enum Accepted {
        case socket(CInt)
        case none
        /// The connection was gone before it was taken: try the next.
        case aborted
        /// Out of descriptors or memory: the queue keeps the connection, so trying again at once would spin.
        case exhausted(SystemError)
    }

    /// Takes ownership of a descriptor that listens already (socket activation).
    package init(inheriting descriptor: CInt) throws(SystemError) {
        _ = try checked(cepoll_set_nonblocking(descriptor))
        self.descriptor = descriptor
    }

    /// Binds and listens.
    /// - Parameters:
    ///   - backlog: connections that may wait to be accepted.
    ///   - deferAcceptSeconds: a connection is handed over with its first bytes, or after about this
    ///     long without any (TCP_DEFER_ACCEPT); 0 hands it over at once.
    package init(
        address: SocketAddress, backlog: Int, deferAcceptSeconds: Int = 0
    ) throws(SystemError) {
        descriptor = try checked(
            address.withPointer { cepoll_listen_inet($0, $1, CInt(backlog), CInt(deferAcceptSeconds)) })
    }

    /// Binds a Unix-domain socket at `path`, readable and writable by its owner and group.
    package init(unixPath path: String, backlog: Int) throws(SystemError) {
        descriptor = try checked(cepoll_listen_unix(path, CInt(backlog), 0o660))
    }

    deinit {
        _ = cepoll_close(descriptor)
    }

    /// The bound TCP port, 0 for a Unix-domain socket.
    package var port: UInt16 { UInt16(clamping: max(0, cepoll_local_port(descriptor))) }

    package var isUnix: Bool { cepoll_family(descriptor) == AF_UNIX }

    /// Takes one connection, non-blocking.
    @inline(__always)
    package func accept() -> Accepted {
        let result = cepoll_accept(descriptor)
        if result >= 0 { return .socket(result) }
        let error = SystemError(code: -result)
        switch error {
        case .again: return .none
        case .descriptorsExhausted, .fileTableFull, .noBuffers, .noMemory: return .exhausted(error)
        // Linux also reports network errors of the new connection here: accept(2), "Error handling".
        default: return .aborted
        }
    }
}
