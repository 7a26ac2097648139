// Where a message body ends: the one place that decides it (RFC 9112 §6.3), for requests and for responses.

/// The framing of a request's body.
/// - Parameter bytes: the buffer that `head` was parsed from.
/// - Throws: every way in which the two framing fields are refused.
func requestFraming(_ head: RequestHead, _ bytes: Span<UInt8>) throws(ParseError) -> BodyFraming {
    // Most requests have neither field, and a call is handed a copy of all fields.
    guard FramingFields.arePresent(among: head.fields.present) else { return .none }
    let found = try FramingFields(head.fields, bytes, underWSGI: true)
    return try found.framing(head.version) ?? .none
}

/// The framing of a response's body. `.untilClose` if no field says.
/// - Parameter requestMethod: the method of the request that is answered.
package func responseFraming(
    _ head: ResponseHead, _ bytes: Span<UInt8>, requestMethod: Method
) throws(ParseError) -> BodyFraming {
    // No body whatever the fields say (RFC 9112 §6.3, first rule).
    if head.status < 200 || head.status == 204 { return .none }
    // The field is asked for here: a call is handed a copy of all fields.
    let found =
        if let length = head.fields.onlyUsual(.contentLength), !head.fields.contains(.transferEncoding) {
            try FramingFields(length, bytes)
        } else {
            try FramingFields(head.fields, bytes, underWSGI: false)
        }
    // The length in these is that of another answer (RFC 9110 §8.6). It goes to the client, so it has been checked.
    if requestMethod == .head || head.status == 304 { return .none }
    return try found.framing(head.version) ?? .untilClose
}

/// What the framing fields of one head say, before they are weighed against each other.
private struct FramingFields {
    private var length: UInt64?
    private var hasTransferEncoding = false
    private var chunkedCount = 0
    private var otherCodingCount = 0
    private var finalIsChunked = false

    private static var known: KnownFields { .contentLength | .transferEncoding }

    static func arePresent(among fields: KnownFields) -> Bool { !(fields & known).isEmpty }

    /// Nothing but one length, as most messages with a body have it.
    init(_ length: FieldLine, _ bytes: Span<UInt8>) throws(ParseError) {
        self.length = try contentLength(bytes, length.value)
    }

    /// - Parameter underWSGI: the receiver reads `_` as `-`, so a disguised field is an attack.
    init(_ fields: FieldLines, _ bytes: Span<UInt8>, underWSGI: Bool) throws(ParseError) {
        guard Self.arePresent(among: fields.present) else { return }
        try read(fields, bytes, underWSGI: underWSGI)
    }

    private mutating func read(_ fields: FieldLines, _ bytes: Span<UInt8>, underWSGI: Bool) throws(ParseError) {
        for i in fields.indices {
            let field = fields[i]
            switch field.known {
            case .contentLength:
                guard field.isUsual || fieldEquals(bytes, field.name, "content-length") else {
                    if underWSGI { throw .disguisedFramingField }
                    continue
                }
                // Equal values too: a list of lengths is a sign of a broken or hostile sender.
                guard length == nil else { throw .duplicateContentLength }
                length = try contentLength(bytes, field.value)
            case .transferEncoding:
                guard field.isUsual || fieldEquals(bytes, field.name, "transfer-encoding") else {
                    if underWSGI { throw .disguisedFramingField }
                    continue
                }
                try addCodings(bytes, field.value)
            default: break
            }
        }
    }

    /// Several Transfer-Encoding lines are one list. Stricter than RFC 9110 §5.6.1 in that an empty element is refused:
    /// parsers differ over it.
    private mutating func addCodings(_ bytes: Span<UInt8>, _ value: ByteSlice) throws(ParseError) {
        hasTransferEncoding = true
        var elements = ListElements(value)
        while let coding = elements.next(bytes) {
            // No registered coding has parameters, and chunked must not (RFC 9112 §7.1).
            guard isToken(bytes, coding) else { throw .malformedTransferEncoding }
            finalIsChunked = fieldEquals(bytes, coding, "chunked")
            if finalIsChunked { chunkedCount += 1 } else { otherCodingCount += 1 }
        }
        guard !elements.foundEmpty else { throw .malformedTransferEncoding }
    }

    /// nil: neither field is there.
    func framing(_ version: HTTPVersion) throws(ParseError) -> BodyFraming? {
        guard hasTransferEncoding else { return length.map { .length($0) } }
        guard version == .http11 else { throw .transferEncodingInHTTP10 }
        guard length == nil else { throw .contentLengthWithTransferEncoding }
        guard chunkedCount < 2 else { throw .chunkedTwice }
        guard finalIsChunked else { throw .chunkedNotFinal }
        guard otherCodingCount == 0 else { throw .unknownTransferCoding }
        return .chunked
    }
}

/// `Content-Length = 1*DIGIT` (RFC 9110 §8.6), up to 2^63-1, so that it fits every integer that a length is put into.
private func contentLength(_ bytes: Span<UInt8>, _ value: ByteSlice) throws(ParseError) -> UInt64 {
    guard !value.isEmpty else { throw .malformedContentLength }
    var result: UInt64 = 0
    var isTooLarge = false
    let end = value.range.upperBound
    var i = value.range.lowerBound
    while i < end {
        let byte = bytes[i]
        guard byte.isDigit else {
            // A list is two lengths in one field, whether or not they are equal.
            throw byte == ASCII.comma ? .duplicateContentLength : .malformedContentLength
        }
        i += 1
        guard !isTooLarge else { continue }
        result = result * 10 + UInt64(byte &- ASCII.zero)
        isTooLarge = result > UInt64(Int64.max) / 10 && i < end || result > UInt64(Int64.max)
    }
    guard !isTooLarge else { throw .contentLengthTooLarge }
    return result
}
