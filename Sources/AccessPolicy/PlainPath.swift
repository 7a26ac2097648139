internal import HTTP1

/// A path in plain form: every server between the proxy and Sentry's routes reads it the same way.
///
/// Servers on the way decode escapes once more or not at all, fold `//` and dot segments, read `\` as `/`, and cut off what
/// follows `;`. A path on which none of that has an effect has one reading:
///
/// - it begins with `/`, and no segment is empty, but for the one behind the last slash;
/// - it has neither `\`, `;` nor `#`, no control byte and no byte beyond ASCII;
/// - its first two segments, by which routes are told apart, have no escape;
/// - an escape is whole, and stands neither for `/`, `\`, `%` nor a control byte; those of a segment together are UTF-8,
///   since Django writes broken UTF-8 as escapes again;
/// - no segment is a dot segment, escapes decoded, blanks left out and `;`, `?` or `#` cut off.
///
/// Clients of Sentry send no other form. Nothing is repaired: the path goes upstream with its own bytes.
package struct PlainPath: Sendable {
    static let mostSegments = 12

    // Small, since it is handed on by value along a request.

    /// Where the slash before each segment is, and behind them where the last one ends: one slash stands between two segments.
    /// Those beyond the last place are checked and not kept.
    private var slashes = InlineArray<13, Int32>(repeating: 0)
    private var segmentCount: Int32 = 0
    private var pathEnd: Int32 = 1
    /// The segments that hold escapes, a bit each; segments beyond the last place share its bit.
    package private(set) var escaped: UInt16 = 0

    /// - Parameter path: path and query of a request target, which begins with `/`; the query is not looked at.
    /// - Returns: nil when the path is not in plain form.
    package init?(_ path: Span<UInt8>) {
        guard !path.isEmpty, path[0] == ASCII.slash, path.count < Int32.max else { return nil }
        if readUsualSegments(path) { return }
        var end = end
        defer { pathEnd = Int32(end) }
        while end < path.count, path[end] != UInt8(ascii: "?") {
            guard let next = noteSegment(path, from: end) else { return nil }
            end = next
            guard end < path.count, path[end] == ASCII.slash else { return }
            end += 1
        }
    }

    /// All segments, also those that are not kept. A slash at the end begins none.
    @inline(__always)
    package var count: Int { Int(segmentCount) }
    /// Where the query's `?` or the end is.
    @inline(__always)
    package var end: Int { Int(pathEnd) }

    /// Reads the segments that have no escape and nothing else that may have to be refused, and leaves `end` where the next begins.
    /// - Returns: whether that were all.
    private mutating func readUsualSegments(_ path: Span<UInt8>) -> Bool {
        var (block, start) = (1, 1)
        defer { pathEnd = Int32(truncatingIfNeeded: start) }
        var marks = beyondBase64URL(path, from: block)
        while true {
            while marks == 0 {
                block += 64
                guard block < path.count else { return noteUsualSegment(path, &start, to: path.count) }
                marks = beyondBase64URL(path, from: block)
            }
            let at = block + marks.trailingZeroBitCount
            marks &= marks &- 1
            switch path[at] {
            case ASCII.slash:
                guard noteUsualSegment(path, &start, to: at) else { return false }
                start = at + 1
            case UInt8(ascii: "?"): return noteUsualSegment(path, &start, to: at)
            default: guard Self.isSegmentByte(path[at]) else { return false }
            }
        }
    }

    /// - Returns: false for one that has to be looked at more closely.
    @inline(__always)
    private mutating func noteUsualSegment(_ path: Span<UInt8>, _ start: inout Int, to last: Int) -> Bool {
        // Behind a slash at the end no segment begins.
        guard start < last else { return last == path.count || path[last] == UInt8(ascii: "?") }
        guard path[start] != ASCII.dot else { return false }
        noteEnd(last)
        start = last
        return true
    }

    @inline(__always)
    private mutating func noteEnd(_ end: Int) {
        if count < Self.mostSegments { slashes[count + 1] = Int32(truncatingIfNeeded: end) }
        segmentCount += 1
    }

    /// The bytes of a segment that was kept.
    @inline(__always)
    package func segment(_ index: Int) -> Range<Int> {
        // A subscript of the array itself would copy all of it.
        let places = slashes.span
        return Int(places[index]) + 1..<Int(places[index + 1])
    }

    /// - Returns: the end of the segment; nil when it is not in plain form.
    private mutating func noteSegment(_ path: Span<UInt8>, from start: Int) -> Int? {
        var at = start
        var hasEscape = false
        while true {
            at = endOfUsualRun(path, from: at, to: path.count)
            while at < path.count, Self.isSegmentByte(path[at]) {
                at = endOfUsualRun(path, from: at + 1, to: path.count)
            }
            guard at < path.count, path[at] == UInt8(ascii: "%") else { break }
            hasEscape = true
            at += 1
        }
        guard at == path.count || path[at] == UInt8(ascii: "/") || path[at] == UInt8(ascii: "?") else { return nil }
        let range = start..<at
        if hasEscape {
            guard count >= 2, hasOneReading(path, range) else { return nil }
        } else {
            guard start < at, path[start] != UInt8(ascii: ".") || !isDotSegment(path, range) else { return nil }
        }
        if hasEscape { escaped |= 1 << UInt16(min(count, Self.mostSegments - 1)) }
        noteEnd(at)
        return at
    }

    /// Visible ASCII without the bytes that end a segment, begin an escape or have several readings.
    private static func isSegmentByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "%"), UInt8(ascii: "\\"), UInt8(ascii: ";"),
            UInt8(ascii: "#"):
            false
        default: 0x21...0x7e ~= byte
        }
    }
}

private func isDotSegment(_ path: Span<UInt8>, _ range: Range<Int>) -> Bool {
    guard range.count <= 2 else { return false }
    for i in range where path[i] != UInt8(ascii: ".") { return false }
    return true
}

/// A byte of a segment, its escape decoded once, and where the next one begins; nil for an escape that is not whole.
func decodedByte(_ path: Span<UInt8>, at index: Int, to end: Int) -> (byte: UInt8, next: Int)? {
    guard path[index] == UInt8(ascii: "%") else { return (path[index], index + 1) }
    guard index + 2 < end, let high = path[index + 1].hexDigitValue, let low = path[index + 2].hexDigitValue else {
        return nil
    }
    return (high << 4 | low, index + 3)
}

/// Whether the bytes, decoded once, are `expected`. The escapes were checked.
func decodesTo(_ expected: Span<UInt8>, _ bytes: Span<UInt8>) -> Bool {
    var at = 0
    for i in expected.indices {
        guard at < bytes.count, let (byte, next) = decodedByte(bytes, at: at, to: bytes.count), byte == expected[i]
        else { return false }
        at = next
    }
    return at == bytes.count
}

func decodesTo(_ expected: StaticString, _ bytes: Span<UInt8>) -> Bool {
    expected.withUTF8Buffer { decodesTo($0.span, bytes) }
}

/// Whether a segment with escapes means the same decoded once, twice and not at all.
private func hasOneReading(_ path: Span<UInt8>, _ range: Range<Int>) -> Bool {
    var at = range.lowerBound
    var text = UTF8Check()
    // Of the name as the most forgiving reader has it.
    var (nameCount, dots) = (0, 0)
    var isPastName = false
    while at < range.upperBound {
        guard let (byte, next) = decodedByte(path, at: at, to: range.upperBound) else { return false }
        at = next
        switch byte {
        case 0..<0x20, 0x7f, UInt8(ascii: "/"), UInt8(ascii: "\\"), UInt8(ascii: "%"): return false
        case UInt8(ascii: ";"), UInt8(ascii: "?"), UInt8(ascii: "#"): isPastName = true
        case UInt8(ascii: " "): break
        default:
            guard !isPastName else { break }
            nameCount += 1
            if byte == UInt8(ascii: ".") { dots += 1 }
        }
        guard text.take(byte) else { return false }
    }
    return text.isWhole && (nameCount > 0 ? nameCount > 2 || dots < nameCount : !isPastName)
}

/// Well-formed UTF-8 (Unicode, table 3-7), byte by byte.
private struct UTF8Check {
    private var missing = 0
    /// What the next continuation byte may be.
    private var allowed: ClosedRange<UInt8> = 0x80...0xbf

    var isWhole: Bool { missing == 0 }

    mutating func take(_ byte: UInt8) -> Bool {
        guard missing == 0 else {
            guard allowed ~= byte else { return false }
            missing -= 1
            allowed = 0x80...0xbf
            return true
        }
        switch byte {
        case 0..<0x80: return true
        case 0xc2...0xdf: missing = 1
        case 0xe0: (missing, allowed) = (2, 0xa0...0xbf)
        case 0xed: (missing, allowed) = (2, 0x80...0x9f)
        case 0xe1...0xef: missing = 2
        case 0xf0: (missing, allowed) = (3, 0x90...0xbf)
        case 0xf4: (missing, allowed) = (3, 0x80...0x8f)
        case 0xf1...0xf3: missing = 3
        default: return false
        }
        return true
    }
}
