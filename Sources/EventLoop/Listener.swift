internal import CEpoll
internal import Glibc
package import System

/// A listening socket. Every reactor has its own for the same address; the kernel spreads connections
/// over them (SO_REUSEPORT).
package final class Listener: Sendable {
    package let descriptor: CInt
    /// Another process may hold the same socket and take over its queue.
    package let isInherited: Bool

    /// What one accept(2) came to.
    package enum Accepted {
        case socket(CInt, from: PeerAddress)
        case none
        /// The connection was gone before it was taken: try the next.
        case aborted
        /// Out of descriptors or memory: the queue keeps the connection, so trying again at once would spin.
        case exhausted(SystemError)
    }

    /// Takes ownership of a descriptor that listens already (socket activation).
    /// - Returns: nil when it is no listening stream socket; the descriptor is left alone then.
    package init?(inheriting descriptor: CInt) throws(SystemError) {
        guard cepoll_is_listening(descriptor) == 1 else { return nil }
        _ = try checked(cepoll_set_nonblocking(descriptor))
        _ = cepoll_no_delay(descriptor)
        self.descriptor = descriptor
        isInherited = true
    }

    /// Binds and listens.
    /// - Parameters:
    ///   - backlog: connections that may wait to be accepted.
    ///   - deferAcceptSeconds: a connection is handed over with its first bytes, or after about this
    ///     long without any (TCP_DEFER_ACCEPT); 0 hands it over at once.
    ///   - sharesPort: other listeners of the same user may bind the same address (SO_REUSEPORT).
    package init(
        address: SocketAddress, backlog: Int, deferAcceptSeconds: Int = 0, sharesPort: Bool = true
    ) throws(SystemError) {
        descriptor = try checked(
            address.withPointer {
                cepoll_listen_inet($0, $1, CInt(backlog), CInt(deferAcceptSeconds), sharesPort ? 1 : 0)
            })
        isInherited = false
    }

    /// Binds a Unix-domain socket at `path`, readable and writable by its owner and group.
    package init(unixPath path: String, backlog: Int) throws(SystemError) {
        descriptor = try checked(cepoll_listen_unix(path, CInt(backlog), 0o660))
        isInherited = false
    }

    deinit {
        _ = cepoll_close(descriptor)
    }

    /// The bound TCP port, 0 for a Unix-domain socket.
    package var port: UInt16 { UInt16(clamping: max(0, cepoll_local_port(descriptor))) }

    /// What it is bound to.
    package var address: SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // The system writes at most `length` bytes, and says how many.
        return withUnsafeMutableBytes(of: &storage) { bytes in
            let pointer = bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            guard getsockname(descriptor, pointer, &length) == 0 else { return nil }
            return SocketAddress(copying: pointer, length: min(length, socklen_t(bytes.count)))
        }
    }

    package var isUnix: Bool { cepoll_family(descriptor) == AF_UNIX }

    /// Lets no new connection into the queue, as far as that can be done without losing one that is under way.
    /// - Returns: for how long the queue must still be watched before the socket may be closed.
    package func stopQueueing() -> Duration {
        if isUnix {
            // connect(2) and queueing are one step here: the queue only shrinks from now on.
            _ = cepoll_shutdown_read(descriptor)
            return .zero
        }
        // Closing the socket resets what is in its queue and what is half-way into it, and connections keep coming
        // until it is closed. So SYNs are dropped first: their senders repeat them after a second, and meet another
        // listener or none. The handshakes that have begun have this long to end.
        return cepoll_refuse_syns(descriptor) == 0 ? Self.handshake : .zero
    }

    private static let handshake: Duration = .milliseconds(250)

    /// Takes one connection, non-blocking.
    @inline(__always)
    package func accept() -> Accepted {
        var peer = cepoll_peer()
        let result = cepoll_accept(descriptor, &peer)
        if result >= 0 { return .socket(result, from: PeerAddress(peer)) }
        let error = SystemError(code: -result)
        switch error {
        // A Unix-domain listener that was shut down says EINVAL once its queue is empty.
        case .again, .invalidArgument: return .none
        case .descriptorsExhausted, .fileTableFull, .noBuffers, .noMemory: return .exhausted(error)
        // Linux also reports network errors of the new connection here: accept(2), "Error handling".
        default: return .aborted
        }
    }
}
