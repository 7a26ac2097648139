package import EventLoop
package import System

/// Where to listen, as the operator writes it: `addr:port`, `:port`, `[v6]:port` or `unix:PATH`.
package enum ListenAddress: Sendable, Equatable {
    /// An empty host stands for every address of the machine, IPv6 and IPv4.
    case inet(host: String, port: UInt16)
    case unix(path: String)

    /// - Returns: nil when the text is none of the forms.
    package init?(_ text: String) {
        if let path = text.droppingPrefix("unix:") {
            guard !path.isEmpty, SocketAddress(unixPath: path) != nil else { return nil }
            self = .unix(path: path)
            return
        }
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let port = UInt16(digits) else {
            return nil
        }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard host.contains(":") else { return nil }
        } else if host.contains(":") {
            return nil
        }
        guard host.isEmpty || host == "localhost" || SocketAddress(address: host, port: port) != nil else { return nil }
        self = .inet(host: host == "localhost" ? "127.0.0.1" : host, port: port)
    }

    /// What is wrong with a text that is none of the forms.
    package static func complaint(_ text: String, forms: String) -> String {
        if let count = text.droppingPrefix("unix:")?.utf8.count, count > SocketAddress.mostPathBytes {
            return "the socket's path has \(count) bytes, and at most \(SocketAddress.mostPathBytes) are allowed"
        }
        return "'\(text)' is not \(forms)"
    }

    /// Why it cannot be bound, for the operator.
    package func complaint(_ error: SystemError) -> String {
        switch (self, error) {
        case (.unix, .notSocket): "the path exists and is not a socket, so it is left as it is"
        case (.unix, .addressInUse): "a process is listening there"
        case (.inet, .addressNotAvailable): "this host has no such address; give one of its own, or 0.0.0.0 for all"
        default: error.summary
        }
    }

    /// Binds one listener for each of `count` workers. A Unix-domain socket has one, which all share.
    /// - Throws: what the system said of the first that failed.
    package func bind(count: Int, backlog: Int, deferAcceptSeconds: Int) throws(SystemError) -> [Listener] {
        switch self {
        case .unix(let path):
            let listener = try Listener(unixPath: path, backlog: backlog)
            return Array(repeating: listener, count: count)
        case .inet(let host, let port):
            var listeners: [Listener] = []
            var bound = port
            for _ in 0..<count {
                let listener = try Self.listen(host, bound, backlog, deferAcceptSeconds, sharesPort: true)
                bound = listener.port
                listeners.append(listener)
            }
            return listeners
        }
    }

    /// Binds one listener that shares its address with nobody.
    package func bindAlone(backlog: Int) throws(SystemError) -> Listener {
        switch self {
        case .unix(let path): try Listener(unixPath: path, backlog: backlog)
        case .inet(let host, let port): try Self.listen(host, port, backlog, 0, sharesPort: false)
        }
    }

    private static func listen(
        _ host: String, _ port: UInt16, _ backlog: Int, _ deferAcceptSeconds: Int, sharesPort: Bool
    ) throws(SystemError) -> Listener {
        guard host.isEmpty else {
            // The initialiser has seen that it is an address.
            let address = SocketAddress(address: host, port: port)!
            return try Listener(
                address: address, backlog: backlog, deferAcceptSeconds: deferAcceptSeconds, sharesPort: sharesPort)
        }
        do throws(SystemError) {
            let every = SocketAddress(address: "::", port: port)!
            return try Listener(
                address: every, backlog: backlog, deferAcceptSeconds: deferAcceptSeconds, sharesPort: sharesPort)
        } catch .familyNotSupported {
            let every = SocketAddress(address: "0.0.0.0", port: port)!
            return try Listener(
                address: every, backlog: backlog, deferAcceptSeconds: deferAcceptSeconds, sharesPort: sharesPort)
        }
    }

    /// The address for logs, before a port was bound.
    package var text: String {
        if case .inet(_, let port) = self { text(boundPort: port) } else { text(boundPort: 0) }
    }

    /// The address for logs, with the port that was really bound.
    package func text(boundPort: UInt16) -> String {
        switch self {
        case .unix(let path): "unix:\(path)"
        case .inet(let host, _):
            host.isEmpty ? "[::]:\(boundPort)" : host.contains(":") ? "[\(host)]:\(boundPort)" : "\(host):\(boundPort)"
        }
    }
}

extension String {
    /// What follows `prefix`; nil when the text does not begin with it.
    func droppingPrefix(_ prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
