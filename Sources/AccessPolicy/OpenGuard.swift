internal import HTTP1

/// What is asked of a request while no alias is configured and every client is elevated: that no web page sent it.
///
/// A page in the browser of somebody who can connect may send requests across origins, which carry an `Origin`; and by DNS
/// rebinding it may take a name of its own to the proxy's address, which then stands in `Host`. Names that cannot be
/// somebody else's, and those that the operator named, are let in.
package final class OpenGuard: Sendable {
    private let origins: [[UInt8]]
    /// In lower case; a dot before a name stands for every name under it.
    private let hosts: [[UInt8]]

    /// - Parameters:
    ///   - origins: of `--allow-origin`, as `Origin` spells them.
    ///   - hosts: of `--allow-host`: names, or a dot and a name for all under it.
    ///   - publicURL: `--public-url`, whose host is allowed.
    package init(origins: [String] = [], hosts: [String] = [], publicURL: PublicURL? = nil) {
        self.origins = origins.map { $0.utf8.map(\.lowercased) }
        var names = hosts.map { $0.utf8.map(\.lowercased) }
        if let publicURL { names.append(publicURL.host.map(\.lowercased)) }
        self.hosts = names
    }

    /// An origin (RFC 6454 §6.2): a scheme and an authority, or `null`.
    package static func isOrigin(_ text: String) -> Bool {
        if text == "null" { return true }
        guard let scheme = text.firstIndex(of: ":"), text[scheme...].hasPrefix("://") else { return false }
        let authority = Array(text[text.index(scheme, offsetBy: 3)...].utf8)
        return scheme > text.startIndex
            && text[..<scheme].utf8.allSatisfy { $0.lowercased != $0 || 0x61...0x7a ~= $0 || 0x2b...0x39 ~= $0 }
            && isValidAuthority(authority.span, 0..<authority.count)
    }

    /// A host's name, or a dot and one; no port.
    package static func isHost(_ text: String) -> Bool {
        let name = Array(text.utf8.drop { $0 == UInt8(ascii: ".") })
        guard text.utf8.count - name.count <= 1, !name.contains(UInt8(ascii: ":")) else { return false }
        return isValidAuthority(name.span, 0..<name.count)
    }

    /// Why the request is refused, or nil.
    func refusal(_ head: RequestHead, _ bytes: Span<UInt8>) -> ErrorAnswer? {
        for i in head.fields.indices(around: .origin) where head.fields[i].known == .origin {
            guard isAllowed(origin: bytes.extracting(head.fields[i].value.range)) else { return .originRefused }
        }
        return isAllowed(authority: bytes.extracting(head.authority.range)) ? nil : .hostRefused
    }

    private func isAllowed(origin: Span<UInt8>) -> Bool {
        for allowed in origins where fieldEquals(origin, allowed.span) { return true }
        return false
    }

    /// - Parameter authority: host and port; empty for a client of HTTP/1.0, which no browser is.
    private func isAllowed(authority: Span<UInt8>) -> Bool {
        guard !authority.isEmpty, authority[0] != UInt8(ascii: "[") else { return true }
        var count = 0
        var dots = 0
        var isNumbers = true
        while count < authority.count {
            let byte = authority[count]
            if byte == UInt8(ascii: ":") { break }
            if byte == UInt8(ascii: ".") { dots += 1 } else if !byte.isDigit { isNumbers = false }
            count += 1
        }
        // The root's dot at the end.
        if count > 1, authority[count - 1] == UInt8(ascii: ".") {
            count -= 1
            dots -= 1
        }
        let host = authority.extracting(first: count)
        if dots == 0 || isNumbers && isIPv4Address(host, 0..<count) { return true }
        if ends(host, ".localhost") || ends(host, ".svc") || ends(host, ".local") || ends(host, ".internal") {
            return true
        }
        for allowed in hosts {
            let name = allowed.span
            if name[0] == UInt8(ascii: ".") {
                if host.count > name.count, fieldEquals(host.extracting(last: name.count), name) { return true }
            } else if fieldEquals(host, name) {
                return true
            }
        }
        return false
    }
}

private func ends(_ host: Span<UInt8>, _ suffix: StaticString) -> Bool {
    let count = suffix.utf8CodeUnitCount
    guard host.count > count else { return false }
    return fieldEquals(host, ByteSlice(start: host.count - count, count: count), suffix)
}
