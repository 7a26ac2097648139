internal import EventLoop

/// The upstream's base, as `--sentry-uri` gives it.
struct SentryURI: Equatable {
    enum Scheme: String { case http, https }

    static let form =
        "an upstream base such as http://sentry-web:9000, https://sentry.io or http+unix://%2Frun%2Fsentry.sock, without user info, query or fragment"

    static let standard = "http://sentry-web:9000"

    let scheme: Scheme
    /// Name or address, without the brackets of an IPv6 address.
    let host: String
    let port: UInt16
    /// Path of a Unix-domain socket that is connected to instead.
    let unixPath: String?
    /// With a leading and without a trailing slash, or empty.
    let pathPrefix: String

    /// The value of the `Host` field (RFC 9110 §7.2): the port is left out when it is the scheme's own.
    var authority: String {
        if unixPath != nil { return "localhost" }
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (scheme == .http ? 80 : 443) ? name : "\(name):\(port)"
    }

    /// Scheme, host and port: what a login belongs to.
    var origin: String { "\(scheme.rawValue)://\(authority)" }

    /// The base that was meant, when it was given with the API's own path behind it.
    var baseOfAPI: String? {
        guard pathPrefix.hasSuffix("/api/0") else { return nil }
        return "\(unixPath == nil ? origin : "what is before it: ")\(pathPrefix.dropLast(6))"
    }

    /// What was expected instead, for a mistake that has more to say than `form`.
    static func mistake(in text: String) -> String? {
        guard text.lowercased().hasPrefix("http+unix:") else { return nil }
        let rest = text.dropFirst("http+unix:".count)
        let place = rest.hasPrefix("//") ? rest.dropFirst(2) : rest
        guard let path = percentDecoded(place.prefix { $0 != "/" }) else { return nil }
        guard path.hasPrefix("/"), rest.hasPrefix("//") else {
            // User info is not to be repeated.
            guard !text.contains("@"), !text.contains("?"), !text.contains("#") else { return nil }
            let meant = "/" + place.drop { $0 == "/" }
            return "the socket's path with %2F for each slash: http+unix://\(meant.replacing("/", with: "%2F"))"
        }
        guard path.utf8.count > SocketAddress.mostPathBytes else { return nil }
        return "a socket's path of at most \(SocketAddress.mostPathBytes) bytes, and it has \(path.utf8.count)"
    }

    init?(_ text: String) {
        guard let separator = text.range(of: "://") else { return nil }
        let schemeName = text[..<separator.lowerBound].lowercased()
        let isUnix = schemeName == "http+unix"
        guard let scheme = isUnix ? .http : Scheme(rawValue: schemeName) else { return nil }
        let rest = text[separator.upperBound...]
        guard rest.utf8.allSatisfy({ 0x21...0x7e ~= $0 }), !rest.contains("?"), !rest.contains("#") else { return nil }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = rest[..<slash]
        var prefix = String(rest[slash...])
        while prefix.hasSuffix("/") { prefix.removeLast() }
        guard !authority.contains("@") else { return nil }
        self.scheme = scheme
        pathPrefix = prefix
        if isUnix {
            guard let path = Self.percentDecoded(authority), path.hasPrefix("/"),
                path.utf8.count <= SocketAddress.mostPathBytes
            else {
                return nil
            }
            (host, port, unixPath) = ("localhost", 80, path)
            return
        }
        guard let (host, port) = Self.hostAndPort(authority, default: scheme == .http ? 80 : 443) else { return nil }
        (self.host, self.port, unixPath) = (host, port, nil)
    }

    private static func hostAndPort(_ authority: Substring, default defaultPort: UInt16) -> (String, UInt16)? {
        var name = authority
        var port = defaultPort
        let bracket = authority.lastIndex(of: "]")
        if let colon = authority.lastIndex(of: ":"), bracket.map({ $0 < colon }) ?? true {
            let digits = authority[authority.index(after: colon)...]
            guard !digits.isEmpty, digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let number = UInt16(digits),
                number > 0
            else { return nil }
            port = number
            name = authority[..<colon]
        }
        if name.hasPrefix("["), name.hasSuffix("]") {
            name = name.dropFirst().dropLast()
            guard name.contains(":"), name.utf8.allSatisfy({ isHexadecimal($0) || $0 == 0x3a || $0 == 0x2e }) else {
                return nil
            }
        } else {
            guard name.utf8.allSatisfy(isHostByte) else { return nil }
        }
        return name.isEmpty || name.utf8.count > 253 ? nil : (String(name), port)
    }

    static func isHostByte(_ byte: UInt8) -> Bool {
        0x30...0x39 ~= byte || 0x41...0x5a ~= byte || 0x61...0x7a ~= byte || byte == 0x2d || byte == 0x2e
            || byte == 0x5f
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        0x30...0x39 ~= byte || 0x41...0x46 ~= byte || 0x61...0x66 ~= byte
    }

    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == 0x25 else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16), value != 0 else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

extension String {
    fileprivate func range(of text: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
