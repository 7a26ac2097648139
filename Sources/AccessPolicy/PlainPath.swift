internal import HTTP1

/// The segments of a path that has one reading for everybody (the plain form), found in one pass.
///
/// The upstream matches on the decoded path, and what lies before it may fold `//` and dot segments or decode twice. So
/// nothing is repaired: a path with an empty segment, a dot segment, `\`, `;`, a control byte, a byte beyond ASCII, a
/// broken escape, or an escape for `/`, `\`, `%`, a dot segment or a control byte has no plain form.
struct PlainPath {
    static let mostSegments = 12

    /// Where the segments start and end in the path; those beyond the last place are checked and not kept.
    private(set) var starts = InlineArray<12, Int32>(repeating: 0)
    private(set) var ends = InlineArray<12, Int32>(repeating: 0)
    /// All segments, also those that are not kept. A slash at the end begins none.
    private(set) var count = 0
    /// The segments that hold escapes, a bit each; segments beyond the last place share its bit.
    private(set) var escaped: UInt16 = 0
    /// Where the query's `?` or the end is.
    private(set) var end = 0

    /// Bytes that stand for themselves to every reader: VCHAR without `#`, `%`, `.`, `/`, `;`, `?` and `\`.
    private static func isOrdinary(_ byte: UInt8) -> Bool {
        let word: UInt64 = byte & 0x40 == 0 ? 0x77ff_3fd6_0000_0000 : 0x7fff_ffff_efff_ffff
        return byte < 0x80 && word &>> UInt64(byte & 0x3f) & 1 == 1
    }

    /// - Parameter path: path and query of a request target, which begins with `/`.
    /// - Returns: nil for a path that is not plain.
    init?(_ path: Span<UInt8>) {
        guard !path.isEmpty, path[0] == ASCII.slash else { return nil }
        var at = 1
        while true {
            let start = at
            // Decoded bytes of this segment that are no dots: a segment of dots alone must be longer than two.
            var isDotsOnly = true
            var decodedCount = 0
            var hasEscape = false
            while at < path.count {
                let byte = path[at]
                if Self.isOrdinary(byte) {
                    isDotsOnly = false
                } else if byte == ASCII.slash || byte == UInt8(ascii: "?") {
                    break
                } else if byte == UInt8(ascii: "%") {
                    guard at + 2 < path.count, let high = path[at + 1].hexDigitValue,
                        let low = path[at + 2].hexDigitValue, Self.mayBeEscaped(high << 4 | low)
                    else { return nil }
                    hasEscape = true
                    isDotsOnly = isDotsOnly && high << 4 | low == ASCII.dot
                    at += 2
                } else if byte != ASCII.dot {
                    return nil
                }
                decodedCount += 1
                at += 1
            }
            let isAtEnd = at == path.count || path[at] == UInt8(ascii: "?")
            if at == start {
                guard isAtEnd else { return nil }
                end = at
                return
            }
            if isDotsOnly && decodedCount <= 2 { return nil }
            let place = min(count, Self.mostSegments - 1)
            if count < Self.mostSegments {
                starts[place] = Int32(truncatingIfNeeded: start)
                ends[place] = Int32(truncatingIfNeeded: at)
            }
            if hasEscape { escaped |= 1 << UInt16(place) }
            count += 1
            if isAtEnd {
                end = at
                return
            }
            at += 1
        }
    }

    private static func mayBeEscaped(_ value: UInt8) -> Bool {
        switch value {
        case 0..<0x20, 0x7f, ASCII.slash, ASCII.backslash, UInt8(ascii: "%"): false
        default: true
        }
    }

    /// The bytes of a segment that was kept.
    func segment(_ index: Int) -> Range<Int> { Int(starts[index])..<Int(ends[index]) }
}

/// Whether the bytes, decoded once, are `expected`. The escapes were checked.
func decodesTo(_ expected: Span<UInt8>, _ bytes: Span<UInt8>) -> Bool {
    var at = 0
    for i in expected.indices {
        guard at < bytes.count else { return false }
        var byte = bytes[at]
        at += 1
        if byte == UInt8(ascii: "%"), at + 1 < bytes.count, let high = bytes[at].hexDigitValue,
            let low = bytes[at + 1].hexDigitValue
        {
            byte = high << 4 | low
            at += 2
        }
        guard byte == expected[i] else { return false }
    }
    return at == bytes.count
}
