/// Whether a path leads to `/oauth/`, by its worst reading. While the device flow is on, nothing there goes upstream.
///
/// A path in plain form is what it says. Of any other it is not known what the upstream makes of it: it leads there when
/// `oauth` is in it, whatever the case of its letters, with escapes decoded once or more often.
/// - Parameter path: without the query.
package func mayLeadToOAuth(_ path: Span<UInt8>) -> Bool {
    if let plain = PlainPath(path) {
        guard plain.count > 0 else { return false }
        let first = plain.segment(0)
        return first.count == 5 && endsWithOAuth(path.extracting(first))
    }
    // Whatever can be decoded is, as soon as it is read: each byte comes and goes once, however deep escapes are nested.
    // None of the letters can be taken away by that, since none of them but `a` is a digit, and `a` follows an `o`.
    var decoded: [UInt8] = []
    decoded.reserveCapacity(path.count)
    for i in path.indices {
        decoded.append(path[i])
        while let byte = escapedByte(atEndOf: decoded) {
            decoded.removeLast(3)
            decoded.append(byte)
        }
        if endsWithOAuth(decoded.span) { return true }
    }
    return false
}

private func escapedByte(atEndOf bytes: [UInt8]) -> UInt8? {
    let count = bytes.count
    guard count >= 3, bytes[count - 3] == UInt8(ascii: "%"),
        let high = URLReference.hexadecimalValue(bytes[count - 2]),
        let low = URLReference.hexadecimalValue(bytes[count - 1])
    else { return nil }
    return high << 4 | low
}

private func endsWithOAuth(_ bytes: Span<UInt8>) -> Bool {
    let word: StaticString = "oauth"
    guard bytes.count >= 5 else { return false }
    return word.withUTF8Buffer { word in
        for i in 0..<5 where bytes[bytes.count - 5 + i] | 0x20 != word[i] { return false }
        return true
    }
}
