/// `bytes[range]` is `host [ ":" port ]` (RFC 9110 §4.2.1, §7.2; RFC 3986 §3.2.2), with a host that is not empty and a port of
/// at most 65535. User information is not part of it. Of the IP literals, IPv6 without a zone is taken; IPvFuture has no use.
package func isValidAuthority(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    guard let hostEnd = endOfHost(bytes, range), hostEnd > range.lowerBound else { return false }
    guard hostEnd < range.upperBound else { return true }
    guard bytes[hostEnd] == ASCII.colon else { return false }
    var port = 0
    for i in hostEnd + 1..<range.upperBound {
        guard bytes[i].isDigit else { return false }
        port = port * 10 + Int(bytes[i] - ASCII.zero)
        guard port <= 65_535 else { return false }
    }
    return true
}

/// The end of the host that begins `range`: before its colon, or behind its bracket. nil: no host.
private func endOfHost(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
    var i = range.lowerBound
    guard i < range.upperBound else { return nil }
    if bytes[i] == ASCII.leftBracket {
        while i < range.upperBound, bytes[i] != ASCII.rightBracket { i += 1 }
        guard i < range.upperBound, isIPv6Address(bytes, range.lowerBound + 1..<i) else { return nil }
        return i + 1
    }
    while true {
        i = endOfRegisteredName(bytes, from: i, to: range.upperBound)
        guard i < range.upperBound, bytes[i] != ASCII.colon else { return i }
        guard bytes[i] == UInt8(ascii: "%"), i + 2 < range.upperBound, bytes[i + 1].hexDigitValue != nil,
            bytes[i + 2].hexDigitValue != nil
        else { return nil }
        i += 3
    }
}

/// `IPv6address` of RFC 3986 §3.2.2: eight groups of 1 to 4 hexadecimal digits, one run of them as `::`, the last two also
/// as an IPv4 address.
func isIPv6Address(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    var groups = 0
    var hasElision = false
    var i = range.lowerBound
    let end = range.upperBound
    if i + 1 < end, bytes[i] == ASCII.colon, bytes[i + 1] == ASCII.colon {
        hasElision = true
        i += 2
    }
    while i < end {
        let start = i
        while i < end, bytes[i].hexDigitValue != nil { i += 1 }
        if i < end, bytes[i] == ASCII.dot {
            groups += 2
            return isIPv4Address(bytes, start..<end) && (hasElision ? groups < 8 : groups == 8)
        }
        guard 1...4 ~= i - start else { return false }
        groups += 1
        guard i < end else { break }
        guard bytes[i] == ASCII.colon else { return false }
        i += 1
        guard i < end else { return false }
        if bytes[i] == ASCII.colon {
            guard !hasElision else { return false }
            hasElision = true
            i += 1
        }
    }
    return hasElision ? groups < 8 : groups == 8
}

/// `IPv4address` of RFC 3986 §3.2.2: four decimal octets without leading zeros.
package func isIPv4Address(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
    var octets = 0
    var digits = 0
    var value = 0
    var i = range.lowerBound
    while i < range.upperBound {
        let byte = bytes[i]
        i &+= 1
        if byte == ASCII.dot {
            guard digits > 0 else { return false }
            octets &+= 1
            digits = 0
            value = 0
        } else {
            guard byte.isDigit, digits == 0 || value > 0 else { return false }
            value = value &* 10 &+ Int(byte &- ASCII.zero)
            digits &+= 1
            guard value <= 255 else { return false }
        }
    }
    return octets == 3 && digits > 0
}
