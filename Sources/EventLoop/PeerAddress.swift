internal import CEpoll

/// Where an accepted connection comes from, as numbers.
package struct PeerAddress: Sendable, Equatable {
    /// An IPv6 address, or an IPv4 one mapped into it, in host order.
    package let high: UInt64
    package let low: UInt64
    package let port: UInt16
    /// False: a Unix-domain socket, without address and port.
    package let isInternet: Bool

    init(_ peer: cepoll_peer) {
        (high, low, port) = (peer.address_high, peer.address_low, peer.port)
        isInternet = peer.is_internet == 1
    }
}
