// Comparing names and values inside a head, and taking comma-separated values apart, without a copy.
//
// `expected` is always a literal in lower case; what came in is folded byte by byte.

/// `bytes[slice]` is `expected` without regard to the case of ASCII letters.
package func fieldEquals(_ bytes: Span<UInt8>, _ slice: ByteSlice, _ expected: StaticString) -> Bool {
    equals(bytes, slice.range, expected, words: { $0.lowercased.word }, fold: { $0.lowercased })
}

/// `text` is `expected`, which has no capitals, without regard to the case of ASCII letters.
package func fieldEquals(_ text: Span<UInt8>, _ expected: Span<UInt8>) -> Bool {
    equals(text, 0..<text.count, expected, words: { $0.lowercased.word }, fold: { $0.lowercased })
}

/// `bytes[slice]` is exactly `expected`.
package func bytesEqual(_ bytes: Span<UInt8>, _ slice: ByteSlice, _ expected: StaticString) -> Bool {
    equals(bytes, slice.range, expected, words: { $0.word }, fold: { $0 })
}

/// `bytes` and `expected` are the same.
package func bytesEqual(_ bytes: Span<UInt8>, _ expected: Span<UInt8>) -> Bool {
    equals(bytes, 0..<bytes.count, expected, words: { $0.word }, fold: { $0 })
}

/// `bytes[slice]` begins with `expected`, without regard to the case of ASCII letters.
package func fieldHasPrefix(_ bytes: Span<UInt8>, _ slice: ByteSlice, _ expected: StaticString) -> Bool {
    let count = expected.utf8CodeUnitCount
    guard Int(slice.count) >= count else { return false }
    return equals(
        bytes, slice.range.lowerBound..<slice.range.lowerBound + count, expected, words: { $0.lowercased.word },
        fold: { $0.lowercased })
}

@inline(__always)
private func equals(
    _ bytes: Span<UInt8>, _ range: Range<Int>, _ expected: StaticString, words: (EightBytes) -> UInt64,
    fold: (UInt8) -> UInt8
) -> Bool {
    guard range.count == expected.utf8CodeUnitCount else { return false }
    return expected.withUTF8Buffer { equals(bytes, range, $0.span, words: words, fold: fold) }
}

/// Eight bytes at a time; the last eight may overlap those before.
@inline(__always)
private func equals(
    _ bytes: Span<UInt8>, _ range: Range<Int>, _ expected: Span<UInt8>, words: (EightBytes) -> UInt64,
    fold: (UInt8) -> UInt8
) -> Bool {
    let count = expected.count
    guard range.count == count else { return false }
    guard count >= 8 else {
        if count >= 4 {
            return words(EightBytes(bytes.bytes, fourAt: range.lowerBound, and: range.upperBound - 4))
                == EightBytes(expected.bytes, fourAt: 0, and: count - 4).word
        }
        for i in 0..<count where fold(bytes[range.lowerBound + i]) != expected[i] { return false }
        return true
    }
    let (actual, wanted) = (bytes.extracting(range).bytes, expected.bytes)
    var at = 0
    while true {
        guard words(EightBytes(actual, at: at)) == EightBytes(wanted, at: at).word else { return false }
        guard at < count - 8 else { return true }
        at = min(at + 8, count - 8)
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
        var at = start
        var isQuoted = false
        while at < end {
            let byte = bytes[at]
            if byte == ASCII.quote {
                isQuoted.toggle()
            } else if isQuoted {
                if byte == ASCII.backslash { at = min(at + 1, end - 1) }
            } else if byte == separator {
                break
            }
            at += 1
        }
        position = at
        return trimmingBlanks(bytes, start..<at)
    }
}

/// Whether a list has an element, without regard to case. Most lists are one element.
func hasElement(_ bytes: Span<UInt8>, _ list: ByteSlice, _ expected: StaticString) -> Bool {
    if fieldEquals(bytes, list, expected) { return true }
    var elements = ListElements(list)
    while let element = elements.next(bytes) {
        if fieldEquals(bytes, element, expected) { return true }
    }
    return false
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
