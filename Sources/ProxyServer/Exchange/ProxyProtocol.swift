internal import AccessPolicy
internal import EventLoop

/// The PROXY header of a balancer: before the request's head, and before TLS.
extension Exchange {
    /// Takes the header off the connection's start. It is looked at before it is read: what follows it may be the first
    /// bytes of a TLS handshake, which are OpenSSL's to read.
    func readProxyHeader(_ worker: Worker) -> Flow {
        let window = worker.scratch.inbound.part(0..<ProxyHeader.mostBytes)
        switch client.transport.peek(into: window) {
        case .wouldBlock:
            watchClient(.incoming, worker.reactor)
            return .ends(nil)
        case .endOfStream, .failed:
            return .ends(.clientLeft)
        case .bytes(let seen):
            switch ProxyHeader(window.bytes(seen).span) {
            case .partial where client.hasEnded:
                return .ends(.clientLeft)
            case .partial:
                watchClient(.incoming, worker.reactor)
                return .ends(nil)
            case .malformed:
                return .ends(refuseProxyHeader())
            case .whole(let count, let said):
                guard client.transport.receive(into: window.part(0..<count)) == .bytes(count) else {
                    return .ends(refuseProxyHeader())
                }
                if let said { request.facts.client = said }
                request.expectsProxyHeader = false
                worker.beginClientTLS(&client.transport)
                return .goesOn
            }
        }
    }

    private func refuseProxyHeader() -> Event {
        record.cause = .proxyHeader
        client.noteMore()
        refuse(.proxyHeaderMissing)
        return .requestRefused
    }
}
