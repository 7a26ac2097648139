internal import AccessPolicy
internal import EventLoop

/// The PROXY header of a balancer: before the request's head, and before TLS.
extension Exchange {
    /// Takes the header off the connection's start. It is looked at before it is read: what follows it may be the first
    /// bytes of a TLS handshake, which are OpenSSL's to read.
    /// - Returns: true when it is done with; else the client is watched, or an event was reported.
    func readProxyHeader(_ worker: Worker) -> Bool {
        let window = worker.scratch.inbound.part(0..<ProxyHeader.mostBytes)
        switch client.transport.peek(into: window) {
        case .wouldBlock:
            watchClient(.incoming, worker)
            return false
        case .endOfStream, .failed:
            advance(.clientLeft, worker)
            return false
        case .bytes(let seen):
            switch ProxyHeader(window.bytes(seen).span) {
            case .partial where client.hasEnded:
                advance(.clientLeft, worker)
                return false
            case .partial:
                watchClient(.incoming, worker)
                return false
            case .malformed:
                return refuseProxyHeader(worker)
            case .whole(let count, let said):
                guard client.transport.receive(into: window.part(0..<count)) == .bytes(count) else {
                    return refuseProxyHeader(worker)
                }
                if let said { record.client = said }
                expectsProxyHeader = false
                worker.beginClientTLS(&client.transport)
                return true
            }
        }
    }

    private func refuseProxyHeader(_ worker: Worker) -> Bool {
        record.cause = .proxyHeader
        clientSentMore = true
        refuse(.proxyHeaderMissing)
        advance(.requestRefused, worker)
        return false
    }
}
