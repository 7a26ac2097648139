/// Writes a message head into memory that somebody else owns. Nothing is allocated and nothing is
/// written past the end: what does not fit sets `overflowed`, and the head must then not be sent.
@usableFromInline
package struct HeadWriter {
    // Invariant for every unsafe use below: 0 <= count <= buffer.count, and a copy happens only after
    // `reserve` has shown that it ends within the buffer: what it returns has room for as many bytes as it was asked for.
    // The owner keeps the buffer alive for as long as the writer is in use.
    @usableFromInline let buffer: UnsafeMutableRawBufferPointer
    /// Bytes written so far.
    @usableFromInline package internal(set) var count = 0
    /// Something did not fit.
    @usableFromInline package internal(set) var overflowed = false

    package init(_ buffer: UnsafeMutableRawBufferPointer) {
        self.buffer = buffer
    }

    /// Room for so many bytes, counted in; nil when there is none.
    @inlinable @inline(__always)
    mutating func reserve(_ bytes: Int) -> UnsafeMutableRawPointer? {
        guard !overflowed, bytes <= buffer.count &- count, let start = buffer.baseAddress else {
            overflowed = true
            return nil
        }
        let room = start + count
        count &+= bytes
        return room
    }

    package mutating func append(_ bytes: Span<UInt8>) {
        guard !bytes.isEmpty, let room = reserve(bytes.count) else { return }
        bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            Self.copy(start, source.count, to: room)
        }
    }

    /// Most of what is copied is short: a call and its choice among ways to copy would cost more than that.
    @inline(__always)
    private static func copy(_ source: UnsafeRawPointer, _ count: Int, to room: UnsafeMutableRawPointer) {
        if count > 16 {
            room.copyMemory(from: source, byteCount: count)
        } else if count >= 8 {
            let last = source.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
            room.storeBytes(of: source.loadUnaligned(as: UInt64.self), as: UInt64.self)
            room.storeBytes(of: last, toByteOffset: count &- 8, as: UInt64.self)
        } else if count >= 4 {
            let last = source.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
            room.storeBytes(of: source.loadUnaligned(as: UInt32.self), as: UInt32.self)
            room.storeBytes(of: last, toByteOffset: count &- 4, as: UInt32.self)
        } else {
            for i in 0..<count {
                room.storeBytes(of: source.load(fromByteOffset: i, as: UInt8.self), toByteOffset: i, as: UInt8.self)
            }
        }
    }

    package mutating func append(_ bytes: [UInt8]) {
        append(bytes.span)
    }

    @inlinable @inline(__always)
    package mutating func append(_ text: StaticString) {
        guard text.utf8CodeUnitCount > 0, let room = reserve(text.utf8CodeUnitCount) else { return }
        text.withUTF8Buffer { source in
            guard let start = source.baseAddress else { return }
            room.copyMemory(from: start, byteCount: source.count)
        }
    }

    @inlinable @inline(__always)
    package mutating func append(byte: UInt8) {
        reserve(1)?.storeBytes(of: byte, as: UInt8.self)
    }

    /// The first `bytes` bytes of a word, eight at most, the first in its lowest place.
    @inlinable @inline(__always)
    package mutating func append(word: UInt64, count bytes: Int) {
        precondition(0...8 ~= bytes)
        let start = count
        guard let room = reserve(bytes) else { return }
        // All eight are stored where there is room for them: what comes next is written over those behind the count.
        if buffer.count &- start >= 8 {
            room.storeBytes(of: word.littleEndian, as: UInt64.self)
        } else {
            for i in 0..<bytes {
                room.storeBytes(
                    of: UInt8(truncatingIfNeeded: word &>> UInt64(8 &* i)), toByteOffset: i, as: UInt8.self)
            }
        }
    }

    /// `bytes` between two others.
    package mutating func append(_ first: UInt8, _ bytes: Span<UInt8>, _ last: UInt8) {
        guard let room = reserve(bytes.count &+ 2) else { return }
        room.storeBytes(of: first, as: UInt8.self)
        bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            Self.copy(start, source.count, to: room + 1)
        }
        room.storeBytes(of: last, toByteOffset: bytes.count &+ 1, as: UInt8.self)
    }

    package mutating func append(decimal value: UInt64) {
        let (above, eight) = value.quotientAndRemainder(dividingBy: Self.hundredMillion)
        if above > 0 {
            append(decimal: above)
            return append(decimal: eight, digits: 8)
        }
        let digits = Self.eightDigits(eight)
        // At least the last one is written, a zero too.
        let leading = min(digits.trailingZeroBitCount &>> 3, 7)
        append(word: (digits | Self.zeros) &>> UInt64(8 &* leading), count: 8 &- leading)
    }

    /// The last `digits` decimal digits, eight at most, with zeros before them.
    @inline(__always)
    package mutating func append(decimal value: UInt64, digits: Int) {
        precondition(1...8 ~= digits)
        let word = Self.eightDigits(value % Self.hundredMillion) | Self.zeros
        append(word: word &>> UInt64(64 &- 8 &* digits), count: digits)
    }

    private static let hundredMillion: UInt64 = 100_000_000
    /// Eight times the digit 0.
    private static let zeros: UInt64 = 0x3030_3030_3030_3030

    /// The decimal digits of a number below 10^8 as values, a byte each, the first in the lowest place: halves, quarters and
    /// eighths of the number beside each other in one word, each divided by a multiplication that is exact for so few digits.
    @inline(__always)
    private static func eightDigits(_ value: UInt64) -> UInt64 {
        let high = value / 10_000
        let fours = high | (value &- high &* 10_000) &<< 32
        let hundreds = (fours &* 10_486) &>> 20 & 0x0000_007f_0000_007f
        let twos = hundreds | (fours &- hundreds &* 100) &<< 16
        let tens = (twos &* 103) &>> 10 & 0x000f_000f_000f_000f
        return tens | (twos &- tens &* 10) &<< 8
    }

    /// The size line of a chunk (RFC 9112 §7.1) without its CRLF.
    package mutating func append(hexadecimal value: UInt64) {
        var shift = max(0, (64 - value.leadingZeroBitCount + 3) / 4 - 1) * 4
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(shift) & 0xf)
            append(byte: digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            shift -= 4
        }
    }

    /// Keeps the first `bytes` bytes that were written and drops the rest.
    package mutating func truncate(to bytes: Int) {
        precondition(bytes >= 0 && bytes <= count)
        count = bytes
        overflowed = false
    }
}
