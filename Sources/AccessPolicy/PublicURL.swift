internal import HTTP1

/// The proxy's own base as its clients know it: `--public-url`, a scheme and an authority.
package struct PublicURL: Sendable, Equatable {
    package enum Invalid: Error, Sendable, Equatable {
        /// Neither `http://` nor `https://`.
        case scheme
        /// A host is missing, or a byte that no host or port has.
        case authority
        case userInfo
        /// A path that is not in plain form, or that has escapes.
        case path
        case query
        case fragment
    }

    /// Scheme, authority and path, without a slash at the end.
    let bytes: [UInt8]
    /// The path alone, empty or beginning with a slash: what stands before the proxy may take it off, or leave it to the
    /// proxy to do so.
    package let path: [UInt8]

    package var text: String { String(decoding: bytes, as: UTF8.self) }
    package var isSecure: Bool { text.lowercased().hasPrefix("https://") }

    /// The host without its port.
    var host: [UInt8] {
        guard let authority = URLReference.authority(in: bytes.span, escaped: false) else { return [] }
        let name = bytes[authority.range]
        guard let colon = name.lastIndex(of: UInt8(ascii: ":")), name.last != UInt8(ascii: "]") else {
            return Array(name)
        }
        return Array(name[..<colon])
    }

    package init(parsing text: String) throws(Invalid) {
        let all = Array(text.utf8)
        let span = all.span
        guard let authority = URLReference.authority(in: span, escaped: false), authority.hasScheme else {
            throw .scheme
        }
        let range = authority.range
        for i in range where all[i] == UInt8(ascii: "@") { throw .userInfo }
        guard URLReference.isAuthority(span.extracting(range)) else { throw .authority }
        var end = all.count
        for i in range.upperBound..<all.count {
            switch all[i] {
            case UInt8(ascii: "?"): throw .query
            case UInt8(ascii: "#"): throw .fragment
            default: break
            }
        }
        if end > range.upperBound, all[end - 1] == ASCII.slash { end -= 1 }
        bytes = Array(all[..<end])
        path = Array(all[range.upperBound..<end])
        guard !path.isEmpty else { return }
        guard path.last != ASCII.slash, let plain = PlainPath(path.span), plain.end == path.count, plain.escaped == 0
        else { throw .path }
    }
}
