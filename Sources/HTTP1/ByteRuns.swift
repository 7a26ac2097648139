internal import CByteRuns

// Where a run of bytes of one kind ends, eight bytes at a time: heads are mostly such runs.

/// Eight bytes in one word, the first in the lowest bits. Each test answers with marks: bit 7 of a byte's eight bits.
@usableFromInline
package struct EightBytes: Sendable {
    @usableFromInline package let word: UInt64

    @inlinable @inline(__always)
    package init(word: UInt64) { self.word = word }

    /// The bytes at `offset`. The load checks its bounds; it is called unsafe because not every type may have any bits.
    @inlinable @inline(__always)
    package init(_ bytes: RawSpan, at offset: Int) {
        word = UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// The four bytes at each of two offsets. See above for the loads.
    @inlinable @inline(__always)
    init(_ bytes: RawSpan, fourAt first: Int, and second: Int) {
        let low = UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: first, as: UInt32.self))
        let high = UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: second, as: UInt32.self))
        word = UInt64(low) | UInt64(high) << 32
    }

    /// `byte` in all eight places.
    @inlinable @inline(__always)
    static func all(_ byte: UInt8) -> UInt64 { 0x0101_0101_0101_0101 &* UInt64(byte) }

    @inlinable @inline(__always)
    static var marks: UInt64 { all(0x80) }

    /// The bytes from `offset`, and zeros behind the end.
    @inlinable @inline(__always)
    package init(_ bytes: Span<UInt8>, padded offset: Int) {
        if bytes.count - offset >= 8 {
            self.init(bytes.bytes, at: offset)
        } else {
            var word: UInt64 = 0
            for i in offset..<bytes.count { word |= UInt64(bytes[i]) << UInt64(8 * (i - offset)) }
            self.init(word: word)
        }
    }

    /// Whether the bytes are those of `text`, a literal of eight.
    @inline(__always)
    func spell(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { EightBytes(UnsafeRawBufferPointer($0).bytes, at: 0).word == word }
    }

    /// Bit 5 set in every byte: capitals become small letters, small letters and hyphens stay.
    @inline(__always)
    var inSmallLetters: UInt64 { word | Self.all(0x20) }

    /// Marks the bytes less than `bound` (up to 0x80). The lowest mark is exact, a borrow may set false ones above it.
    @inlinable @inline(__always)
    package func less(than bound: UInt8) -> UInt64 { (word &- Self.all(bound)) & ~word & Self.marks }

    /// Marks the bytes that are `byte`. The lowest mark is exact, a borrow may set false ones above it.
    @inlinable @inline(__always)
    package func equal(to byte: UInt8) -> UInt64 { EightBytes(word: word ^ Self.all(byte)).less(than: 1) }

    /// Marks the bytes that are not `byte`, every mark exact.
    @inlinable @inline(__always)
    func notEqual(to byte: UInt8) -> UInt64 {
        let difference = word ^ Self.all(byte)
        return ((difference & ~Self.marks) &+ ~Self.marks | difference) & Self.marks
    }

    /// Marks the bytes outside `first...last`, which are ASCII; every mark exact.
    @inlinable @inline(__always)
    func outside(_ first: UInt8, _ last: UInt8) -> UInt64 {
        let fromFirst = (word | Self.marks) &- Self.all(first)
        let beyondLast = (word & ~Self.marks) &+ Self.all(0x7f - last)
        return (~fromFirst | beyondLast | word) & Self.marks
    }

    /// Each byte as `UInt8.lowercased` has it.
    @inlinable @inline(__always)
    package var lowercased: EightBytes {
        let capitals = outside(UInt8(ascii: "A"), UInt8(ascii: "Z")) ^ Self.marks
        return EightBytes(word: word | capitals >> 2)
    }

    /// Each byte as `UInt8.foldedUnderWSGI` has it.
    @inlinable @inline(__always)
    package var foldedUnderWSGI: EightBytes {
        let capitals = outside(UInt8(ascii: "A"), UInt8(ascii: "Z")) ^ Self.marks
        let underscores = notEqual(to: ASCII.underscore) ^ Self.marks
        // A mark becomes the bits in which the two spellings differ.
        let difference = UInt64(ASCII.underscore ^ ASCII.hyphen)
        return EightBytes(word: word ^ (capitals >> 2) ^ ((underscores >> 7) &* difference))
    }

    /// The first `count` bytes, 0...8, and zeros in the place of the others.
    @inlinable @inline(__always)
    package func first(_ count: Int) -> EightBytes {
        count >= 8 ? self : EightBytes(word: word & ((1 << UInt64(8 &* count)) &- 1))
    }
}

/// The end of the run of bytes that belong together: the first one in `bytes[start..<end]` that does not, or `end`.
/// - Parameters:
///   - suspects: marks every byte that does not belong; those that it marks for nothing only cost time.
@inlinable @inline(__always)
package func endOfRun(
    _ bytes: Span<UInt8>, from start: Int, to end: Int, suspects: (EightBytes) -> UInt64, belongs: (UInt8) -> Bool
) -> Int {
    // Ends where the loop does, so that the loop's condition is the load's bounds check.
    let raw = bytes.extracting(0..<end).bytes
    var at = start
    while raw.byteCount - at >= 8 {
        let marks = suspects(EightBytes(raw, at: at))
        at += marks.trailingZeroBitCount >> 3
        guard marks != 0 else { continue }
        guard belongs(bytes[at]) else { return at }
        at += 1
    }
    while at < end, belongs(bytes[at]) { at += 1 }
    return at
}

/// The same for a run that C finds the end of, sixteen bytes at a time.
@inline(__always)
private func endOfRun(
    _ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ find: (UnsafePointer<UInt8>, Int, Int) -> Int
) -> Int {
    precondition(0 <= start && start <= end && end <= bytes.count)
    return bytes.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return end }
        return find(base, start, end)
    }
}

/// The end of a run of letters, digits and hyphens: of what nearly all field names are made, and segments of paths.
package func endOfUsualRun(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
    endOfUsualName(bytes, from: start, to: end)
}

/// The end of a run of letters, digits, hyphens and underscores: what base64url is made of (RFC 4648 §5), and most tokens.
package func endOfBase64URL(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
    endOfRun(bytes, start, end) { cbyteruns_end_of_base64url($0, $1, $2) }
}

/// Which of at most 64 bytes from `start` on are not of base64url: a bit for each, the first byte's in the lowest place.
package func beyondBase64URL(_ bytes: Span<UInt8>, from start: Int) -> UInt64 {
    precondition(0 <= start && start <= bytes.count)
    return bytes.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return 0 }
        return cbyteruns_beyond_base64url(base, start, buffer.count)
    }
}

/// The end of a run of hexadecimal digits and hyphens: of what UUIDs are made.
package func endOfUUID(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
    endOfRun(bytes, start, end) { cbyteruns_end_of_uuid($0, $1, $2) }
}

/// As `endOfUsualRun`, inlined.
@inline(__always)
func endOfUsualName(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
    endOfRun(bytes, start, end) { cbyteruns_end_of_name($0, $1, $2) }
}

/// A whole field line of the usual form: letters, digits and hyphens, a colon, one blank, a value without blanks around it, CRLF.
/// - Returns: where its name and its value end; a name that ends at 0 is none.
@inline(__always)
func usualLine(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> (name: Int, value: Int) {
    precondition(0 <= start && start <= end && end <= bytes.count)
    return bytes.withUnsafeBufferPointer { buffer in
        var value = 0
        guard let base = buffer.baseAddress else { return (0, 0) }
        return (cbyteruns_usual_line(base, start, end, &value), value)
    }
}

/// The end of a run of `field-vchar / SP / HTAB` (RFC 9110 §5.5).
@inline(__always)
func endOfFieldValue(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
    var at = start
    while true {
        at = endOfRun(bytes, at, end) { cbyteruns_end_of_text($0, $1, $2) }
        guard at < end, bytes[at] == ASCII.tab else { return at }
        at += 1
    }
}

/// The end of a run of `tchar` (RFC 9110 §5.6.2), which are mostly letters, digits and hyphens.
func endOfToken(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
    var at = start
    while true {
        at = endOfUsualName(bytes, from: at, to: end)
        guard at < end, ByteClass.token.contains(bytes[at]) else { return at }
        at += 1
    }
}

/// The end of a run of bytes that a request target may hold: `ByteClass.target`.
@inline(__always)
func endOfTarget(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
    endOfRun(bytes, start, end) { cbyteruns_end_of_target($0, $1, $2) }
}

/// The end of a run of visible ASCII without `"`, `=` and `\`: a word of logfmt.
package func endOfWord(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
    endOfRun(bytes, start, end) { cbyteruns_end_of_word($0, $1, $2) }
}

/// The end of a run of bytes of a `reg-name`: `ByteClass.registeredName`.
func endOfRegisteredName(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
    var at = start
    while true {
        at = endOfRun(bytes, at, end) { cbyteruns_end_of_host($0, $1, $2) }
        guard at < end, ByteClass.registeredName.contains(bytes[at]) else { return at }
        at += 1
    }
}
