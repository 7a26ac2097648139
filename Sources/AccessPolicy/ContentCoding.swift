package import HTTP1

/// Whether the client takes an answer that is coded with gzip (RFC 9110 §12.5.3). `x-gzip` is the same coding (§8.4.1.3).
package func acceptsGzip(_ head: RequestHead, _ bytes: Span<UInt8>) -> Bool {
    guard head.fields.contains(.acceptEncoding) else { return false }
    var named: Bool?
    var any: Bool?
    for i in head.fields.indices(around: .acceptEncoding) where head.fields[i].known == .acceptEncoding {
        let value = head.fields[i].value
        // Most lists name codings alone, gzip first.
        if value.count >= 4, isPlainList(bytes.extracting(value.range)),
            fieldEquals(bytes, ByteSlice(start: Int(value.start), count: 4), "gzip"),
            value.count == 4 || bytes[Int(value.start) + 4] == UInt8(ascii: ",")
        {
            named = true
            continue
        }
        var elements = ListElements(value)
        while let element = elements.next(bytes) {
            let (coding, isAcceptable) = weighed(element, bytes)
            if fieldEquals(bytes, coding, "gzip") || fieldEquals(bytes, coding, "x-gzip") {
                named = isAcceptable
            } else if bytesEqual(bytes, coding, "*") {
                any = isAcceptable
            }
        }
    }
    return named ?? any ?? false
}

/// Neither a weight nor a quoted string is in the list: whatever else it names, what it names is acceptable.
private func isPlainList(_ value: Span<UInt8>) -> Bool {
    for i in value.indices where value[i] == UInt8(ascii: ";") || value[i] == UInt8(ascii: "\"") { return false }
    return true
}

/// An element without its weight, and whether the weight is more than nothing.
private func weighed(_ element: ByteSlice, _ bytes: Span<UInt8>) -> (ByteSlice, Bool) {
    let range = element.range
    guard let semicolon = range.first(where: { bytes[$0] == UInt8(ascii: ";") }) else { return (element, true) }
    let coding = trimmingBlanks(bytes, range.lowerBound..<semicolon)
    // A weight of zero has no other digit than zeros (RFC 9110 §12.4.2).
    let weight = trimmingBlanks(bytes, semicolon + 1..<range.upperBound)
    let hasValue = weight.range.contains { UInt8(ascii: "1")...UInt8(ascii: "9") ~= bytes[$0] }
    return (coding, hasValue)
}

/// The one coding of an answer's body.
package enum ContentCoding: Sendable, Equatable {
    case identity
    case gzip
    /// Another coding, or several.
    case unsupported

    package init(_ head: ResponseHead, _ bytes: Span<UInt8>) {
        self = .identity
        guard head.fields.contains(.contentEncoding) else { return }
        for i in head.fields.indices(around: .contentEncoding) where head.fields[i].known == .contentEncoding {
            let field = head.fields[i]
            let isFirst = self == .identity
            if isFirst, fieldEquals(bytes, field.value, "gzip") || fieldEquals(bytes, field.value, "x-gzip") {
                self = .gzip
            } else if !(isFirst && fieldEquals(bytes, field.value, "identity")) {
                self = .unsupported
            }
        }
    }
}

/// Whether the body is JSON by its media type (RFC 9110 §8.3).
package func isJSON(_ head: ResponseHead, _ bytes: Span<UInt8>) -> Bool {
    head.fields.first(.contentType).map { fieldHasPrefix(bytes, $0, "application/json") } ?? false
}
