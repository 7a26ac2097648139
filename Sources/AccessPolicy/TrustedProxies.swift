package import HTTP1

/// The balancers trusted to report a client's address.
package struct TrustedProxies: Sendable {
    private struct Network: Sendable {
        var address: IPAddress
        var mask: IPAddress

        func contains(_ other: IPAddress) -> Bool {
            other.high & mask.high == address.high && other.low & mask.low == address.low
        }
    }

    private var networks: [Network] = []
    private var trustsUnix = false

    /// Nobody's.
    package init() {}

    /// Adds an address, a network in CIDR form (RFC 4632 §3.1), or `unix` for peers of a Unix-domain socket.
    /// - Returns: false when it is none of them, or has bits set beyond its prefix.
    package mutating func add(_ text: String) -> Bool {
        guard text != "unix" else {
            trustsUnix = true
            return true
        }
        let bytes = text.utf8.span
        var slash = bytes.count
        for index in bytes.indices where bytes[index] == UInt8(ascii: "/") { slash = min(slash, index) }
        guard let address = IPAddress(bytes.extracting(0..<slash)) else { return false }
        var prefix = 128
        if slash < bytes.count {
            guard let length = readPort(bytes.extracting(slash + 1..<bytes.count)).map(Int.init) else { return false }
            guard length <= (address.isIPv4 ? 32 : 128) else { return false }
            prefix = address.isIPv4 ? 96 + length : length
        }
        let mask = IPAddress(
            high: prefix >= 64 ? .max : ~(UInt64.max >> UInt64(prefix)),
            low: prefix <= 64 ? 0 : prefix == 128 ? .max : ~(UInt64.max >> UInt64(prefix - 64)))
        guard address.high & ~mask.high == 0, address.low & ~mask.low == 0 else { return false }
        networks.append(Network(address: address, mask: mask))
        return true
    }

    package var isEmpty: Bool { networks.isEmpty && !trustsUnix }

    package func contains(_ client: ClientAddress) -> Bool {
        guard let ip = client.ip else { return trustsUnix }
        for index in networks.indices where networks[index].contains(ip) { return true }
        return false
    }

    /// Whom a request comes from. `X-Forwarded-For` is read from its end: each element is the word of the proxy that wrote
    /// it, so the first one that is no trusted proxy is the client, and what stands before it is only its own word.
    /// - Parameters:
    ///   - peer: where the connection comes from.
    ///   - bytes: the buffer that the fields point into.
    package func client(behind peer: ClientAddress, _ fields: FieldLines, _ bytes: Span<UInt8>) -> ClientAddress {
        guard !isEmpty, contains(peer) else { return peer }
        var client = peer
        var field = fields.count
        while field > 0 {
            field -= 1
            // `X_Forwarded_For` may be the client's own: a balancer does not know it for the field that it writes.
            guard fields[field].known == .xForwardedFor, !hasUnderscore(fields[field].name, bytes)
            else { continue }
            let value = fields[field].value.range
            var end = value.upperBound
            while true {
                var start = end
                while start > value.lowerBound, bytes[start - 1] != UInt8(ascii: ",") { start -= 1 }
                let element = trimmed(start..<end, bytes)
                // An empty element counts for nothing (RFC 9110 §5.6.1.2).
                if !element.isEmpty {
                    guard let next = ClientAddress(forwarded: bytes.extracting(element)) else { return client }
                    client = next
                    guard contains(next) else { return client }
                }
                guard start > value.lowerBound else { break }
                end = start - 1
            }
        }
        return client
    }

    private func hasUnderscore(_ name: ByteSlice, _ bytes: Span<UInt8>) -> Bool {
        for index in name.range where bytes[index] == UInt8(ascii: "_") { return true }
        return false
    }
}
