internal import Glibc
internal import Synchronization
package import System

/// What is known about the upstream's name.
package struct ResolvedAddresses: Sendable {
    /// In the order in which they should be tried.
    package var addresses: [SocketAddress]
    /// Why there are none, or why these are old.
    package var failure: ResolveFailure?

    package init(addresses: [SocketAddress], failure: ResolveFailure? = nil) {
        self.addresses = addresses
        self.failure = failure
    }

    /// Nothing is known yet.
    package static let pending = ResolvedAddresses(addresses: [])
}

/// getaddrinfo(3) had no address for a name.
package struct ResolveFailure: Error, Sendable, Equatable {
    package let code: CInt

    /// The name does not exist, as far as the name service can tell; otherwise asking again may help.
    package var isFinal: Bool { code == EAI_NONAME || code == EAI_FAIL }

    /// The text of gai_strerror(3), for the log.
    package var summary: String { String(cString: gai_strerror(code)) }
}

/// Looks one name up again and again on a thread of its own, so that no reactor ever calls getaddrinfo(3).
///
/// A stale answer is better than none: while the look-up fails, the last addresses stay published.
package final class Resolver: Sendable {
    /// Seconds between look-ups while they succeed: a name whose address moves is followed within 10 s.
    package static let refresh: Duration = .seconds(5)
    /// Seconds before a failed look-up is tried again.
    package static let retry: Duration = .seconds(1)

    package let addresses: Published<ResolvedAddresses>
    private let host: String
    private let port: UInt16
    private let isStopped = Atomic<Bool>(false)
    private let changed: @Sendable () -> Void
    private let lookUp: @Sendable (String, UInt16) -> Result<[SocketAddress], ResolveFailure>

    /// - Parameters:
    ///   - changed: called after each publication that differs from the one before, on the resolver's thread.
    ///   - lookUp: the look-up itself; a test passes its own.
    package init(
        host: String, port: UInt16,
        lookUp: @escaping @Sendable (String, UInt16) -> Result<[SocketAddress], ResolveFailure> = Resolver.systemLookUp,
        changed: @escaping @Sendable () -> Void
    ) {
        self.host = host
        self.port = port
        self.lookUp = lookUp
        self.changed = changed
        // An address in digits needs no look-up and no thread.
        let literal = SocketAddress(address: host, port: port)
        addresses = Published(literal.map { ResolvedAddresses(addresses: [$0]) } ?? .pending)
        if literal != nil { isStopped.store(true, ordering: .relaxed) }
    }

    /// Starts the thread; a host given in digits needs none.
    package func start() throws(SystemError) {
        guard !isStopped.load(ordering: .relaxed) else { return }
        try Thread(name: "resolver") { [self] in run() }.detach()
    }

    /// Ends the thread after its current wait.
    package func stop() {
        isStopped.store(true, ordering: .relaxed)
    }

    private func run() {
        while !isStopped.load(ordering: .relaxed) {
            let succeeded = refresh()
            pauseThread(for: succeeded ? Self.refresh : Self.retry)
        }
    }

    /// Looks the name up once and publishes what changed.
    /// - Returns: whether there was an answer.
    package func refresh() -> Bool {
        let known = addresses.current().value
        switch lookUp(host, port) {
        case .success(let found):
            if found != known.addresses || known.failure != nil {
                addresses.publish(ResolvedAddresses(addresses: found))
                changed()
            }
            return true
        case .failure(let failure):
            if known.failure != failure {
                addresses.publish(ResolvedAddresses(addresses: known.addresses, failure: failure))
                changed()
            }
            return false
        }
    }

    /// The families in turn, beginning with the first address's (RFC 8305 §4): one that leads nowhere costs one attempt.
    package static func interleaved(_ addresses: [SocketAddress]) -> [SocketAddress] {
        guard let first = addresses.first else { return [] }
        let preferred = addresses.filter { $0.family == first.family }
        let others = addresses.filter { $0.family != first.family }
        return (0..<max(preferred.count, others.count)).flatMap { index in
            preferred.dropFirst(index).prefix(1) + others.dropFirst(index).prefix(1)
        }
    }

    /// getaddrinfo(3) for a stream socket, in the order it gives (RFC 6724) but with the families interleaved.
    package static func systemLookUp(host: String, port: UInt16) -> Result<[SocketAddress], ResolveFailure> {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, String(port), &hints, &list)
        guard result == 0 else { return .failure(ResolveFailure(code: result)) }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var entry = list
        while let current = entry {
            if let address = current.pointee.ai_addr,
                let copy = SocketAddress(copying: address, length: current.pointee.ai_addrlen), !found.contains(copy)
            {
                found.append(copy)
            }
            entry = current.pointee.ai_next
        }
        return .success(interleaved(found))
    }
}
