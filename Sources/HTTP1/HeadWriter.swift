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

    package mutating func append(decimal value: UInt64) {
        guard value >= 10 else { return append(byte: ASCII.zero &+ UInt8(truncatingIfNeeded: value)) }
        var digits = 2
        var power: UInt64 = 100
        while digits < 20, value >= power {
            digits &+= 1
            // Of 10^20, which does not fit, nothing is compared.
            power = digits < 20 ? power &* 10 : power
        }
        append(decimal: value, digits: digits)
    }

    /// The last `digits` decimal digits, with zeros before them.
    package mutating func append(decimal value: UInt64, digits: Int) {
        guard let room = reserve(digits) else { return }
        var rest = value
        var place = digits
        while place > 0 {
            place &-= 1
            let (tenth, digit) = rest.quotientAndRemainder(dividingBy: 10)
            room.storeBytes(of: ASCII.zero &+ UInt8(truncatingIfNeeded: digit), toByteOffset: place, as: UInt8.self)
            rest = tenth
        }
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
