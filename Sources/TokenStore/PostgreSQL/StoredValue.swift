/// Reads the `value` of Sentry's option row, in every encoding that a Sentry has written.
///
/// | Sentry | column | form |
/// |---|---|---|
/// | to 23.3 | text | base64 of a pickle (`PickleReader`) |
/// | 23.4 and later | text | a JSON string, quotes included |
/// | 25.8 and later | jsonb | a JSON string; `value::text` gives the same bytes |
/// | any, edited by hand | text | 32 to 128 hex digits without quotes, which Sentry takes too |
enum StoredValue {
    /// A token of 4096 bytes, every byte of it as `\u00XX`, fits.
    static let maximumBytes = 32_768

    /// - Returns: the token, or `nil` for what Sentry takes as no token and writes over: null and the empty string.
    /// - Throws: for everything else; the error names the kind of thing found, never its content.
    static func decode(_ bytes: Span<UInt8>) throws(StoredValueError) -> Secret? {
        guard bytes.count <= maximumBytes else { throw .tooLong }
        var start = 0
        var end = bytes.count
        while start < end, TokenText.isBlank(bytes[start]) { start += 1 }
        while end > start, TokenText.isBlank(bytes[end - 1]) { end -= 1 }
        guard start < end else { return nil }
        let value = bytes.extracting(start..<end)

        if isBareHex(value) { return try token(value) }
        switch value[0] {
        case UInt8(ascii: "\""): return try jsonString(value)
        case UInt8(ascii: "{"): throw .json(.object)
        case UInt8(ascii: "["): throw .json(.array)
        default: break
        }
        if equals(value, "null") { return nil }
        if equals(value, "true") || equals(value, "false") { throw .json(.boolean) }
        if isNumber(value) { throw .json(.number) }

        guard var pickle = Base64.decode(value) else { throw .unknownForm }
        defer { wipe(&pickle) }
        return try PickleReader.token(pickle.span)
    }

    /// The one check at the end of every encoding: what is stored goes into a header field as it is, so nothing is
    /// trimmed here.
    static func token(_ bytes: Span<UInt8>) throws(StoredValueError) -> Secret? {
        if bytes.isEmpty { return nil }
        do {
            return try TokenText.check(bytes)
        } catch {
            throw .token(error)
        }
    }

    private static func isBareHex(_ value: Span<UInt8>) -> Bool {
        guard (32...128).contains(value.count) else { return false }
        for index in 0..<value.count where hexDigit(value[index]) == nil { return false }
        return true
    }

    private static func equals(_ value: Span<UInt8>, _ word: StaticString) -> Bool {
        guard value.count == word.utf8CodeUnitCount else { return false }
        return word.withUTF8Buffer { word in
            for index in 0..<value.count where value[index] != word[index] { return false }
            return true
        }
    }

    /// Whether this is meant as a JSON number (RFC 8259 §6); what exactly is wrong with it makes no difference.
    private static func isNumber(_ value: Span<UInt8>) -> Bool {
        guard value[0] == UInt8(ascii: "-") || isDigit(value[0]) else { return false }
        for index in 0..<value.count {
            switch value[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
                UInt8(ascii: "e"), UInt8(ascii: "E"):
                continue
            default: return false
            }
        }
        return true
    }

    /// A JSON string (RFC 8259 §7), from its first quote to its last.
    private static func jsonString(_ value: Span<UInt8>) throws(StoredValueError) -> Secret? {
        var text: [UInt8] = []
        text.reserveCapacity(value.count)
        defer { wipe(&text) }
        var index = 1
        var isASCII = true
        while true {
            guard index < value.count else { throw .brokenJSONString }
            let byte = value[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard index == value.count else { throw .brokenJSONString }
                guard isASCII else { throw .token(.illegalByte) }
                return try token(text.span)
            case ..<0x20:
                throw .brokenJSONString
            case UInt8(ascii: "\\"):
                guard index < value.count else { throw .brokenJSONString }
                let escape = value[index]
                index += 1
                switch escape {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(escape)
                case UInt8(ascii: "b"): text.append(0x08)
                case UInt8(ascii: "f"): text.append(0x0C)
                case UInt8(ascii: "n"): text.append(0x0A)
                case UInt8(ascii: "r"): text.append(0x0D)
                case UInt8(ascii: "t"): text.append(0x09)
                case UInt8(ascii: "u"):
                    guard index + 4 <= value.count else { throw .brokenJSONString }
                    var unit: UInt16 = 0
                    for _ in 0..<4 {
                        guard let digit = hexDigit(value[index]) else { throw .brokenJSONString }
                        unit = unit << 4 | UInt16(digit)
                        index += 1
                    }
                    // No token has a character outside ASCII: surrogate pairs need not be put together.
                    if unit < 0x80 { text.append(UInt8(unit)) } else { isASCII = false }
                default: throw .brokenJSONString
                }
            default:
                text.append(byte)
            }
        }
    }
}

func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

/// The value of a hex digit in either case.
func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}

/// Base64 with padding and without line breaks (RFC 4648 §4), as Python's `b64encode` writes it.
enum Base64 {
    /// `nil` when the text is not exactly that; unused bits must be zero (RFC 4648 §3.5).
    static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        guard !text.isEmpty, text.count % 4 == 0 else { return nil }
        var padding = 0
        if text[text.count - 1] == UInt8(ascii: "=") { padding = text[text.count - 2] == UInt8(ascii: "=") ? 2 : 1 }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var bits: UInt32 = 0
        var held = 0
        for index in 0..<(text.count - padding) {
            guard let sextet = sextet(text[index]) else {
                wipe(&bytes)
                return nil
            }
            bits = (bits << 6 | UInt32(sextet)) & 0xFFFF
            held += 6
            if held >= 8 {
                held -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
            }
        }
        guard bits & (1 << UInt32(held) - 1) == 0 else {
            wipe(&bytes)
            return nil
        }
        return bytes
    }

    private static func sextet(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
