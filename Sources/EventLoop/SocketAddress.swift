internal import CEpoll
internal import Glibc

/// An address to bind or connect to: IPv4, IPv6 or the path of a Unix-domain socket.
package struct SocketAddress: Sendable {
    private var storage = sockaddr_storage()
    private var length: socklen_t = 0

    package var family: CInt { CInt(storage.ss_family) }
    package var isUnix: Bool { family == AF_UNIX }
    package var isIPv6: Bool { family == AF_INET6 }

    /// Copies an address that the system gave, from getaddrinfo(3) for one.
    init?(copying address: UnsafePointer<sockaddr>, length: socklen_t) {
        guard length > 0, Int(length) <= MemoryLayout<sockaddr_storage>.size else { return nil }
        // Both are plain bytes, and `length` was just checked against the destination's size.
        withUnsafeMutableBytes(of: &storage) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(length)))
        }
        self.length = length
    }

    /// An IPv4 or IPv6 address given in digits.
    package init?(address: String, port: UInt16) {
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_pton(AF_INET, address, &v4) == 1 {
            var inet = sockaddr_in()
            inet.sin_family = sa_family_t(AF_INET)
            inet.sin_port = port.bigEndian
            inet.sin_addr = v4
            withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: inet, as: sockaddr_in.self) }
            length = socklen_t(MemoryLayout<sockaddr_in>.size)
        } else if inet_pton(AF_INET6, address, &v6) == 1 {
            var inet = sockaddr_in6()
            inet.sin6_family = sa_family_t(AF_INET6)
            inet.sin6_port = port.bigEndian
            inet.sin6_addr = v6
            withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: inet, as: sockaddr_in6.self) }
            length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        } else {
            return nil
        }
    }

    /// Bytes of a Unix-domain socket's path: `sun_path` of unix(7) without its closing NUL.
    package static let mostPathBytes = 107

    /// A Unix-domain socket; nil when the path does not fit into `sun_path`.
    package init?(unixPath path: String) {
        var unix = sockaddr_un()
        unix.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count < MemoryLayout.size(ofValue: unix.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &unix.sun_path) { $0.copyBytes(from: bytes) }
        withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: unix, as: sockaddr_un.self) }
        length = socklen_t(MemoryLayout<sockaddr_un>.size)
    }

    /// Calls `body` with the address as the socket calls take it. The pointer is valid during the call only.
    func withPointer<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        withUnsafeBytes(of: storage) { body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), length) }
    }

    /// The address in digits with its port, or `unix:` and the path; for logs.
    package var text: String {
        switch family {
        case AF_UNIX:
            return withUnsafeBytes(of: storage) { bytes in
                let path = bytes.dropFirst(MemoryLayout<sa_family_t>.size).prefix { $0 != 0 }
                return "unix:" + String(decoding: path, as: UTF8.self)
            }
        default:
            var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            var port = [CChar](repeating: 0, count: Int(NI_MAXSERV))
            let flags = NI_NUMERICHOST | NI_NUMERICSERV
            let result = withPointer {
                getnameinfo($0, $1, &host, socklen_t(host.count), &port, socklen_t(port.count), flags)
            }
            guard result == 0 else { return "unknown" }
            let name = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let number = String(decoding: port.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return isIPv6 ? "[\(name)]:\(number)" : "\(name):\(number)"
        }
    }
}

extension SocketAddress: Equatable {
    package static func == (left: SocketAddress, right: SocketAddress) -> Bool {
        guard left.length == right.length else { return false }
        return withUnsafeBytes(of: left.storage) { a in
            withUnsafeBytes(of: right.storage) { b in a.elementsEqual(b) }
        }
    }
}
