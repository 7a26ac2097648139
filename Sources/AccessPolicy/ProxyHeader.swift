internal import HTTP1

/// What is known of a PROXY protocol header, versions 1 and 2, from the connection's first bytes.
package enum ProxyHeader: Sendable, Equatable {
    /// A longer one than any balancer sends; the specification's own bound for version 1 is 107.
    package static let mostBytes = 4_096

    /// More bytes are needed.
    case partial
    /// It is not a PROXY header.
    case malformed
    /// - Parameters:
    ///   - count: the header's bytes.
    ///   - client: nil when it does not say one: the balancer speaks for itself (`LOCAL`), or its client has no IP address.
    case whole(count: Int, client: ClientAddress?)

    /// Looks at a connection's bytes from the first one. The verdict is the same however the bytes are split.
    package init(_ bytes: Span<UInt8>) {
        guard !bytes.isEmpty else {
            self = .partial
            return
        }
        self = bytes[0] == UInt8(ascii: "P") ? Self.version1(bytes) : Self.version2(bytes)
    }

    // MARK: Version 1

    private static let mostTextBytes = 107

    private static func version1(_ bytes: Span<UInt8>) -> ProxyHeader {
        guard begins(bytes, "PROXY ") else { return .malformed }
        var end = 0
        while end < min(bytes.count, mostTextBytes), bytes[end] != UInt8(ascii: "\n") { end += 1 }
        guard end < mostTextBytes else { return .malformed }
        guard end < bytes.count else { return .partial }
        guard bytes[end - 1] == UInt8(ascii: "\r") else { return .malformed }
        let line = bytes.extracting(6..<end - 1)
        var at = 0
        let family = word(line, &at)
        if spells(line, family, "UNKNOWN") { return .whole(count: end + 1, client: nil) }
        let isIPv4 = spells(line, family, "TCP4")
        guard isIPv4 || spells(line, family, "TCP6"),
            let source = IPAddress(line.extracting(word(line, &at))), !isIPv4 || source.isIPv4,
            let target = IPAddress(line.extracting(word(line, &at))), !isIPv4 || target.isIPv4,
            let port = readPort(line.extracting(word(line, &at))), readPort(line.extracting(word(line, &at))) != nil,
            at > line.count
        else { return .malformed }
        return .whole(count: end + 1, client: ClientAddress(ip: source, port: port))
    }

    /// The next word, with one blank behind it; `at` is past the line's end after the last one.
    private static func word(_ line: Span<UInt8>, _ at: inout Int) -> Range<Int> {
        let start = min(at, line.count)
        var end = start
        while end < line.count, line[end] != UInt8(ascii: " ") { end += 1 }
        at = end + 1
        return start..<end
    }

    private static func spells(_ line: Span<UInt8>, _ range: Range<Int>, _ word: StaticString) -> Bool {
        range.count == word.utf8CodeUnitCount && begins(line.extracting(range), word)
    }

    // MARK: Version 2

    private static let fixedBytes = 16

    private static func version2(_ bytes: Span<UInt8>) -> ProxyHeader {
        guard begins(bytes, "\r\n\r\n\0\r\nQUIT\n") else { return .malformed }
        guard bytes.count > 12 else { return .partial }
        guard bytes[12] == 0x20 || bytes[12] == 0x21 else { return .malformed }
        guard bytes.count >= fixedBytes else { return .partial }
        let isLocal = bytes[12] == 0x20
        let family = bytes[13]
        let length = Int(bytes[14]) << 8 | Int(bytes[15])
        guard fixedBytes + length <= mostBytes else { return .malformed }
        let addressBytes: Int? =
            switch family {
            case 0x00: 0
            case 0x11, 0x12: 12
            case 0x21, 0x22: 36
            case 0x31, 0x32: 216
            default: isLocal ? 0 : nil
            }
        guard let addressBytes, isLocal || length >= addressBytes else { return .malformed }
        guard bytes.count >= fixedBytes + length else { return .partial }
        guard !isLocal else { return .whole(count: fixedBytes + length, client: nil) }
        // Datagrams are not what came here.
        let client: ClientAddress? =
            switch family {
            case 0x11:
                ClientAddress(
                    ip: IPAddress(v4: UInt32(truncatingIfNeeded: number(bytes, at: 16, count: 4))),
                    port: UInt16(truncatingIfNeeded: number(bytes, at: 24, count: 2)))
            case 0x21:
                ClientAddress(
                    ip: IPAddress(high: number(bytes, at: 16, count: 8), low: number(bytes, at: 24, count: 8)),
                    port: UInt16(truncatingIfNeeded: number(bytes, at: 48, count: 2)))
            default: nil
            }
        return .whole(count: fixedBytes + length, client: client)
    }

    private static func number(_ bytes: Span<UInt8>, at start: Int, count: Int) -> UInt64 {
        var number: UInt64 = 0
        for index in start..<start + count { number = number << 8 | UInt64(bytes[index]) }
        return number
    }

    /// Whether `bytes`, as far as they go, are those of `text`.
    private static func begins(_ bytes: Span<UInt8>, _ text: StaticString) -> Bool {
        text.withUTF8Buffer { text in
            let text = text.span
            for index in 0..<min(bytes.count, text.count) where bytes[index] != text[index] { return false }
            return true
        }
    }
}
