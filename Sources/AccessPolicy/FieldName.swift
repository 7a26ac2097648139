internal import HTTP1

/// Whether two field names are one and the same to the upstream.
func isSameFieldName(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    for i in a.indices where a[i].foldedUnderWSGI != b[i].foldedUnderWSGI { return false }
    return true
}

/// Whether `name` is the field that `lowercase` names; `lowercase` is ASCII, without capitals and without `_`.
package func isFieldName(_ name: Span<UInt8>, _ lowercase: StaticString) -> Bool {
    guard name.count == lowercase.utf8CodeUnitCount else { return false }
    return lowercase.withUTF8Buffer { buffer in
        let expected = buffer.span
        for i in name.indices where name[i].foldedUnderWSGI != expected[i] { return false }
        return true
    }
}

/// The range without the blanks (SP, HTAB: RFC 9110 §5.6.3) at both ends.
func trimmed(_ range: Range<Int>, _ bytes: Span<UInt8>) -> Range<Int> {
    var start = range.lowerBound
    var end = range.upperBound
    while start < end, isBlank(bytes[start]) { start += 1 }
    while end > start, isBlank(bytes[end - 1]) { end -= 1 }
    return start..<end
}

@inline(__always)
func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
}
