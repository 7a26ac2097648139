/// The proxy's own base as its clients know it: `--public-url`, a scheme and an authority.
package struct PublicURL: Sendable, Equatable {
    package enum Invalid: Error, Sendable, Equatable {
        /// Neither `http://` nor `https://`.
        case scheme
        /// A host is missing, or a byte that no host or port has.
        case authority
        case userInfo
        /// More than the one slash after the authority.
        case path
        case query
        case fragment
    }

    /// Scheme and authority, without a slash at the end.
    let bytes: [UInt8]

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
        if range.upperBound < all.count {
            switch all[range.upperBound] {
            case UInt8(ascii: "?"): throw .query
            case UInt8(ascii: "#"): throw .fragment
            default: break
            }
            let rest = all[(range.upperBound + 1)...]
            if let first = rest.first {
                switch first {
                case UInt8(ascii: "?"): throw .query
                case UInt8(ascii: "#"): throw .fragment
                default: throw .path
                }
            }
        }
        bytes = Array(all[..<range.upperBound])
    }
}
