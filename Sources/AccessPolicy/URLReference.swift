/// The parts of a URL reference (RFC 3986 §4.1) that the rewriting needs, found without a copy. With `escaped` the
/// bytes are the inside of a JSON string (RFC 8259 §7), whose escapes stand for other bytes: `\/`, `\u0068`.
enum URLReference {
    struct Authority {
        /// False for a network-path reference, `//host/path`.
        var hasScheme: Bool
        var isSecure: Bool
        var range: Range<Int>
    }

    /// One character: its code, and where the next one starts.
    struct Unit {
        var code: UInt16
        var next: Int
    }

    /// The character at `at`; a broken escape stands for itself, and equals nothing that is looked for.
    static func unit(_ bytes: Span<UInt8>, _ at: Int, escaped: Bool) -> Unit {
        let byte = bytes[at]
        guard escaped, byte == UInt8(ascii: "\\"), at + 1 < bytes.count else {
            return Unit(code: UInt16(byte), next: at + 1)
        }
        let kind = bytes[at + 1]
        switch kind {
        case UInt8(ascii: "u"):
            guard at + 6 <= bytes.count else { return Unit(code: UInt16(byte), next: at + 1) }
            var code: UInt16 = 0
            for i in at + 2..<at + 6 {
                guard let digit = hexadecimalValue(bytes[i]) else { return Unit(code: UInt16(byte), next: at + 1) }
                code = code << 4 | UInt16(digit)
            }
            return Unit(code: code, next: at + 6)
        case UInt8(ascii: "b"): return Unit(code: 8, next: at + 2)
        case UInt8(ascii: "t"): return Unit(code: 9, next: at + 2)
        case UInt8(ascii: "n"): return Unit(code: 10, next: at + 2)
        case UInt8(ascii: "f"): return Unit(code: 12, next: at + 2)
        case UInt8(ascii: "r"): return Unit(code: 13, next: at + 2)
        default: return Unit(code: UInt16(kind), next: at + 2)
        }
    }

    /// Where the text after `expected` starts, or nil when something else is there.
    static func skip(
        _ expected: Span<UInt8>, in bytes: Span<UInt8>, at start: Int, escaped: Bool, ignoringCase: Bool = false
    ) -> Int? {
        var at = start
        for i in expected.indices {
            guard at < bytes.count else { return nil }
            let found = unit(bytes, at, escaped: escaped)
            let code = ignoringCase ? lowercased(found.code) : found.code
            guard code == UInt16(expected[i]) else { return nil }
            at = found.next
        }
        return at
    }

    static func skip(
        _ expected: StaticString, in bytes: Span<UInt8>, at start: Int, escaped: Bool, ignoringCase: Bool = false
    ) -> Int? {
        let buffer = UnsafeBufferPointer(start: expected.utf8Start, count: expected.utf8CodeUnitCount)
        return skip(buffer.span, in: bytes, at: start, escaped: escaped, ignoringCase: ignoringCase)
    }

    /// The authority of an http or https URL, or of a network-path reference; nil for every other reference.
    /// It goes up to the first `/`, `?` or `#`, whatever else is in it (RFC 3986 §3.2).
    static func authority(in bytes: Span<UInt8>, escaped: Bool) -> Authority? {
        var found = Authority(hasScheme: false, isSecure: false, range: 0..<0)
        var start = 0
        if let afterScheme = skip("http", in: bytes, at: 0, escaped: escaped, ignoringCase: true) {
            found.hasScheme = true
            start = afterScheme
            if let afterS = skip("s", in: bytes, at: start, escaped: escaped, ignoringCase: true) {
                found.isSecure = true
                start = afterS
            }
            guard let afterColon = skip(":", in: bytes, at: start, escaped: escaped) else { return nil }
            start = afterColon
        }
        guard let first = skip("//", in: bytes, at: start, escaped: escaped) else { return nil }
        var at = first
        while at < bytes.count {
            let next = unit(bytes, at, escaped: escaped)
            if next.code == UInt16(UInt8(ascii: "/")) || next.code == UInt16(UInt8(ascii: "?"))
                || next.code == UInt16(UInt8(ascii: "#"))
            {
                break
            }
            at = next.next
        }
        found.range = first..<at
        return found
    }

    /// Bytes of a host and a port, and no byte that ends a URL, a header's `<…>` or a JSON string.
    static func isAuthority(_ bytes: Span<UInt8>) -> Bool {
        guard !bytes.isEmpty, bytes[0] != UInt8(ascii: ":") else { return false }
        for i in bytes.indices {
            switch bytes[i] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "%"):
                continue
            default:
                return false
            }
        }
        return true
    }

    /// The same host and port, without regard to case, when a scheme's own port may be left out.
    static func sameAuthority(
        _ a: Span<UInt8>, isSecure aIsSecure: Bool, _ b: Span<UInt8>, isSecure bIsSecure: Bool
    ) -> Bool {
        let x = withoutDefaultPort(a, isSecure: aIsSecure)
        let y = withoutDefaultPort(b, isSecure: bIsSecure)
        guard x == y else { return false }
        for i in 0..<x where lowercased(UInt16(a[i])) != lowercased(UInt16(b[i])) { return false }
        return true
    }

    /// The same host, whatever the ports.
    static func sameHost(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
        let x = withoutPort(a)
        guard x == withoutPort(b) else { return false }
        for i in 0..<x where lowercased(UInt16(a[i])) != lowercased(UInt16(b[i])) { return false }
        return true
    }

    /// The length of the host; the colons inside the brackets of an IPv6 address are none of a port (RFC 3986 §3.2.2).
    private static func withoutPort(_ bytes: Span<UInt8>) -> Int {
        var at = bytes.count
        while at > 0, bytes[at - 1] >= UInt8(ascii: "0"), bytes[at - 1] <= UInt8(ascii: "9") { at -= 1 }
        return at > 0 && bytes[at - 1] == UInt8(ascii: ":") ? at - 1 : bytes.count
    }

    private static func withoutDefaultPort(_ bytes: Span<UInt8>, isSecure: Bool) -> Int {
        let port: StaticString = isSecure ? ":443" : ":80"
        let start = bytes.count - port.utf8CodeUnitCount
        guard start > 0, skip(port, in: bytes, at: start, escaped: false) != nil else { return bytes.count }
        return start
    }

    static func lowercased(_ code: UInt16) -> UInt16 {
        code >= 0x41 && code <= 0x5a ? code | 0x20 : code
    }

    static func hexadecimalValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
