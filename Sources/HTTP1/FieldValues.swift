// Comparing names and values inside a head, and taking comma-separated values apart, without a copy.
//
// `expected` is always a literal in lower case; what came in is folded byte by byte.

/// `bytes[slice]` is `expected` without regard to the case of ASCII letters.
@inlinable
package func fieldEquals(_ bytes: Span<UInt8>, _ slice: ByteSlice, _ expected: StaticString) -> Bool {
    equals(bytes, slice.range, expected) { $0.lowercased }
}

/// `bytes[slice]` is the field name `expected` for a WSGI server, which reads `_` as `-`: both become `_` in the
/// environment (PEP 3333, RFC 3875 §4.1.18).
@inlinable
package func fieldNameEqualsUnderWSGI(_ bytes: Span<UInt8>, _ slice: ByteSlice, _ expected: StaticString) -> Bool {
    equals(bytes, slice.range, expected) { $0.foldedUnderWSGI }
}

/// `bytes[slice]` is exactly `expected`.
@inlinable
package func bytesEqual(_ bytes: Span<UInt8>, _ slice: ByteSlice, _ expected: StaticString) -> Bool {
    equals(bytes, slice.range, expected) { $0 }
}

/// `bytes[slice]` begins with `expected`, without regard to the case of ASCII letters.
package func fieldHasPrefix(_ bytes: Span<UInt8>, _ slice: ByteSlice, _ expected: StaticString) -> Bool {
    let count = expected.utf8CodeUnitCount
    guard Int(slice.count) >= count else { return false }
    return equals(bytes, slice.range.lowerBound..<slice.range.lowerBound + count, expected) { $0.lowercased }
}

@inlinable @inline(__always)
func equals(
    _ bytes: Span<UInt8>, _ range: Range<Int>, _ expected: StaticString, fold: (UInt8) -> UInt8
) -> Bool {
    guard range.count == expected.utf8CodeUnitCount else { return false }
    return expected.withUTF8Buffer { literal in
        for i in 0..<literal.count where fold(bytes[range.lowerBound + i]) != literal[i] { return false }
        return true
    }
}

/// The elements of a comma-separated value (RFC 9110 §5.6.1), without the blanks around them. Commas inside a
/// quoted-string do not separate. Empty elements are passed over, as a recipient must; `foundEmpty` tells of them.
package struct ListElements {
    private var position: Int
    private let end: Int
    /// An empty element was passed over, or the whole value is empty.
    package private(set) var foundEmpty: Bool

    package init(_ value: ByteSlice) {
        position = value.range.lowerBound
        end = value.range.upperBound
        foundEmpty = value.isEmpty
    }

    /// The next element that is not empty, or nil.
    package mutating func next(_ bytes: Span<UInt8>) -> ByteSlice? {
        while position < end {
            let element = upToSeparator(bytes, ASCII.comma)
            // A comma at the very end has an empty element behind it.
            if position < end {
                position += 1
                if position == end { foundEmpty = true }
            }
            if !element.isEmpty { return element }
            foundEmpty = true
        }
        return nil
    }

    private mutating func upToSeparator(_ bytes: Span<UInt8>, _ separator: UInt8) -> ByteSlice {
        let start = position
        var isQuoted = false
        while position < end {
            let byte = bytes[position]
            if byte == ASCII.quote {
                isQuoted.toggle()
            } else if isQuoted, byte == ASCII.backslash {
                position = min(position + 1, end - 1)
            } else if !isQuoted, byte == separator {
                break
            }
            position += 1
        }
        return trimmingBlanks(bytes, start..<position)
    }
}

/// `range` of `bytes` without the blanks at both ends.
package func trimmingBlanks(_ bytes: Span<UInt8>, _ range: Range<Int>) -> ByteSlice {
    var (start, end) = (range.lowerBound, range.upperBound)
    while start < end, bytes[start].isBlank { start += 1 }
    while start < end, bytes[end - 1].isBlank { end -= 1 }
    return ByteSlice(start: start, count: end - start)
}

/// `bytes[slice]` is a token (RFC 9110 §5.6.2).
package func isToken(_ bytes: Span<UInt8>, _ slice: ByteSlice) -> Bool {
    for i in slice.range where !ByteClass.token.contains(bytes[i]) { return false }
    return !slice.isEmpty
}
