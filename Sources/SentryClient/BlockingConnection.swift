internal import EventLoop
internal import Glibc
internal import ProxyServer
internal import System
internal import TLS
internal import TokenStore

/// A blocking view of one non-blocking connection, plain or through TLS, with one deadline for all that is done on it.
/// Used by one thread.
final class BlockingConnection {
    private var socket: Socket
    private var session: TLSSession?
    private let deadline: Instant
    /// The stream's end was the peer's word and not a cut (RFC 9112 §9.8).
    private(set) var endedCleanly = false

    /// Connects.
    /// - Parameters:
    ///   - connectDeadline: for TCP alone, on the monotonic clock in nanoseconds.
    ///   - deadline: for everything.
    init(to address: SocketAddress, connectDeadline: Instant, deadline: Instant) throws(UpstreamClientError) {
        do throws(SystemError) {
            socket = try Socket.connecting(to: address)
        } catch {
            throw .notConnected(error)
        }
        session = nil
        self.deadline = deadline
        guard try wait(for: POLLOUT, until: connectDeadline) else { throw .notConnected(.timedOut) }
        if let error = socket.pendingError { throw .notConnected(error) }
        socket.setNoDelay()
    }

    /// Opens a tunnel through the forward proxy that this connection leads to.
    /// - Parameter connect: the whole CONNECT request.
    func open(_ connect: Secret) throws(UpstreamClientError) {
        var tunnel = Tunnel(connect)
        while true {
            switch tunnel.advance(socket) {
            case .open: return
            case .wantsRead: try wait(for: POLLIN)
            case .wantsWrite: try wait(for: POLLOUT)
            case .failed(.refused(let status)): throw .proxyRefused(status)
            case .failed(.malformedAnswer): throw .proxyRefused(0)
            case .failed(.system(let error)): throw .connectionLost(error)
            }
        }
    }

    /// Does the handshake; the certificate is checked as the context says.
    func startTLS(_ context: TLSClientContext) throws(UpstreamClientError) {
        session = TLSSession(context: context, descriptor: socket.descriptor, isWatched: false)
        while true {
            switch session!.handshake() {
            case .done: return
            case .paused: continue
            case .wantsRead: try wait(for: POLLIN)
            case .wantsWrite: try wait(for: POLLOUT)
            case .failed(let failure): throw .tls(failure)
            }
        }
    }

    /// Writes all of `bytes`.
    func write(_ bytes: UnsafeRawBufferPointer) throws(UpstreamClientError) {
        var rest = bytes
        while !rest.isEmpty {
            switch session?.write(rest) ?? TLSResult(socket.send(rest, more: false), whenBlocked: .wantsWrite) {
            case .bytes(let count): rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            case .wantsRead: try wait(for: POLLIN)
            case .wantsWrite: try wait(for: POLLOUT)
            case .paused: continue
            case .endOfStream, .truncated: throw .cutShort
            case .failed(let failure): throw Self.lost(failure)
            }
        }
    }

    /// Appends what there is to `bytes`, waiting for at least one byte.
    /// - Returns: false at the end of the stream.
    func read(into bytes: inout [UInt8]) throws(UpstreamClientError) -> Bool {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16_384, alignment: 1)
        defer {
            // It may have held tokens.
            buffer.initializeMemory(as: UInt8.self, repeating: 0)
            buffer.deallocate()
        }
        while true {
            switch session?.read(into: buffer) ?? TLSResult(socket.receive(into: buffer), whenBlocked: .wantsRead) {
            case .bytes(let count):
                bytes.append(contentsOf: buffer[..<count])
                return true
            case .wantsRead: try wait(for: POLLIN)
            case .wantsWrite: try wait(for: POLLOUT)
            case .paused: continue
            case .endOfStream:
                endedCleanly = true
                return false
            case .truncated: return false
            case .failed(let failure): throw Self.lost(failure)
            }
        }
    }

    func close() {
        session?.shutdown()
        // The session works on the socket's descriptor, so it goes first.
        session = nil
        socket.close()
    }

    private static func lost(_ failure: TLSFailure) -> UpstreamClientError {
        if case .system(let code) = failure { .connectionLost(SystemError(code: code)) } else { .tls(failure) }
    }

    private func wait(for events: CInt) throws(UpstreamClientError) {
        guard try wait(for: events, until: deadline) else { throw .deadlinePassed }
    }

    /// - Returns: false when the time passed.
    private func wait(for events: CInt, until end: Instant) throws(UpstreamClientError) -> Bool {
        do throws(SystemError) {
            return try waitUntilReady(socket.descriptor, for: events, until: end)
        } catch {
            throw .connectionLost(error)
        }
    }
}

extension TLSResult {
    /// The plain socket's answer in the same terms.
    fileprivate init(_ result: IOResult, whenBlocked: TLSResult) {
        switch result {
        case .bytes(let count): self = .bytes(count)
        case .wouldBlock: self = whenBlocked
        case .endOfStream: self = .endOfStream
        case .failed(let error): self = .failed(.system(error.code))
        }
    }
}
