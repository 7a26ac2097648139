internal import EventLoop
internal import HTTP1

/// By which names the admin listener may be asked.
///
/// A page in a browser can have a name of its own point to this listener's address (DNS rebinding) and then read the
/// answers. It cannot choose what the browser sends as `Host`, so a name that nobody here has given is refused.
struct AdminHosts {
    /// In small letters.
    private let names: Set<String>

    init(_ names: [String]) {
        self.names = Set(names.map { $0.lowercased() } + ["localhost"])
    }

    /// - Parameter host: the field's value (RFC 9110 §7.2), nil without the field, as in HTTP/1.0.
    func allow(_ host: String?) -> Bool {
        guard var name = host?.lowercased()[...], !name.isEmpty else { return true }
        if name.hasPrefix("[") {
            guard let end = name.firstIndex(of: "]") else { return false }
            return SocketAddress(address: String(name[name.index(after: name.startIndex)..<end]), port: 0) != nil
        }
        if let colon = name.firstIndex(of: ":") { name = name[..<colon] }
        if name.hasSuffix(".") { name.removeLast() }
        return names.contains(String(name)) || SocketAddress(address: String(name), port: 0) != nil
    }
}
