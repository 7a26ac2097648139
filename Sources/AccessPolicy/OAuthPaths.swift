/// Whether a path leads to `/oauth/`, by its worst reading. While the device flow is on, nothing there goes upstream.
///
/// A path in plain form is what it says. Of any other it is not known what the upstream makes of it: it leads there when
/// `oauth` is in it, whatever the case of its letters, with escapes decoded once or more often.
/// - Parameter path: without the query.
package func mayLeadToOAuth(_ path: Span<UInt8>) -> Bool {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(path.count)
    for i in path.indices { bytes.append(path[i]) }
    if let plain = PlainPath(path) {
        guard plain.count > 0 else { return false }
        let first = bytes[plain.segment(0)]
        return first.count == 5 && holdsOAuth(Array(first))
    }
    // Each round decodes at least one escape.
    while true {
        if holdsOAuth(bytes) { return true }
        let decoded = decodedOnce(bytes)
        guard decoded.count < bytes.count else { return false }
        bytes = decoded
    }
}

private func decodedOnce(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    var at = 0
    while at < bytes.count {
        if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.count,
            let high = URLReference.hexadecimalValue(bytes[at + 1]),
            let low = URLReference.hexadecimalValue(bytes[at + 2])
        {
            out.append(high << 4 | low)
            at += 3
        } else {
            out.append(bytes[at])
            at += 1
        }
    }
    return out
}

private func holdsOAuth(_ bytes: [UInt8]) -> Bool {
    let word = Array("oauth".utf8)
    guard bytes.count >= word.count else { return false }
    for start in 0...(bytes.count - word.count) where word.indices.allSatisfy({ bytes[start + $0] | 0x20 == word[$0] })
    {
        return true
    }
    return false
}
