internal import EventLoop
internal import Glibc
internal import System

/// Where the upstream is, and who keeps that up to date.
struct Upstream {
    let addresses: Published<ResolvedAddresses>
    private let resolver: Resolver?
    private let changed = Callback()

    /// Looks the upstream up for the first time.
    ///
    /// A name that does not exist ends the start; a name service that is down does not: it comes back.
    init(_ uri: SentryURI, named flag: String) throws(Failure) {
        if let path = uri.unixPath {
            // The URI was refused if the path were too long for an address.
            addresses = Published(ResolvedAddresses(addresses: SocketAddress(unixPath: path).map { [$0] } ?? []))
            resolver = nil
            return
        }
        let resolver = Resolver(host: uri.host, port: uri.port) { [changed] in changed.call() }
        if resolver.addresses.current().value.addresses.isEmpty, !resolver.refresh(),
            let failure = resolver.addresses.current().value.failure, failure.isFinal
        {
            throw Failure(
                .noHost, "\(flag): the host '\(uri.host)' cannot be resolved: \(failure.summary); check the name")
        }
        self.resolver = resolver
        addresses = resolver.addresses
    }

    func onChange(_ body: @escaping @Sendable () -> Void) {
        changed.set(body)
    }

    func start() throws(SystemError) {
        try resolver?.start()
    }
}
