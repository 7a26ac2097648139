/// Writes a message head into memory that somebody else owns. Nothing is allocated and nothing is
/// written past the end: what does not fit sets `overflowed`, and the head must then not be sent.
@usableFromInline
package struct HeadWriter {
    // Invariant for every unsafe use below: 0 <= count <= buffer.count, and a copy happens only after
    // `reserve` has shown that it ends within the buffer. The owner keeps the buffer alive for as long
    // as the writer is in use.
    @usableFromInline let buffer: UnsafeMutableRawBufferPointer
    /// Bytes written so far.
    @usableFromInline package internal(set) var count = 0
    /// Something did not fit.
    @usableFromInline package internal(set) var overflowed = false

    package init(_ buffer: UnsafeMutableRawBufferPointer) {
        self.buffer = buffer
    }

    @inlinable @inline(__always)
    mutating func reserve(_ bytes: Int) -> Int? {
        guard !overflowed, bytes <= buffer.count - count else {
            overflowed = true
            return nil
        }
        let at = count
        count += bytes
        return at
    }

    @inlinable
    package mutating func append(_ bytes: Span<UInt8>) {
        guard !bytes.isEmpty, let at = reserve(bytes.count) else { return }
        bytes.withUnsafeBytes { source in
            UnsafeMutableRawBufferPointer(rebasing: buffer[at..<at + source.count]).copyMemory(from: source)
        }
    }

    @inlinable
    package mutating func append(_ bytes: [UInt8]) {
        append(bytes.span)
    }

    @inlinable @inline(__always)
    package mutating func append(_ text: StaticString) {
        guard let at = reserve(text.utf8CodeUnitCount) else { return }
        text.withUTF8Buffer { source in
            UnsafeMutableRawBufferPointer(rebasing: buffer[at..<at + source.count])
                .copyMemory(from: UnsafeRawBufferPointer(source))
        }
    }

    @inlinable @inline(__always)
    package mutating func append(byte: UInt8) {
        guard let at = reserve(1) else { return }
        buffer[at] = byte
    }

    package mutating func append(decimal value: UInt64) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var first = 20
        var rest = value
        repeat {
            first -= 1
            digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        append(digits.span.extracting(first..<20))
    }

    /// The last `digits` decimal digits, with zeros before them.
    package mutating func append(decimal value: UInt64, digits: Int) {
        guard let at = reserve(digits) else { return }
        var rest = value
        for place in (at..<at + digits).reversed() {
            buffer[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
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
