internal import AccessPolicy
internal import HTTP1

/// What is changed in an answer's fields besides the rules: URLs that lead away from the proxy, and a coding that is
/// taken off.
struct RelayedFieldEditor: ResponseFieldEditor {
    let rewriter: LinkRewriter
    let scheme: ClientScheme
    /// The request's Host; the memory stays valid while the head is written.
    let host: UnsafeBufferPointer<UInt8>
    let rewritesLinks: Bool
    let dropsCoding: Bool
    /// Another `Accept-Encoding` would have got another answer, so it belongs into `Vary` (RFC 9110 §12.5.5).
    var mustVary: Bool

    var fields: KnownFields {
        var fields = KnownFields()
        if rewritesLinks { fields = fields | (.link | .location) }
        if mustVary { fields = fields | .vary }
        if dropsCoding { fields = fields | (.etag | .contentEncoding | .acceptRanges) }
        return fields
    }

    mutating func edit(_ field: FieldLine, _ bytes: Span<UInt8>, into writer: inout HeadWriter) -> Bool {
        if rewritesLinks, field.known == .link {
            writer.append("Link: ")
            rewriter.rewriteLink(bytes.extracting(field.value.range), scheme: scheme, host: host.span, into: &writer)
            writer.append("\r\n")
            return true
        }
        if rewritesLinks, field.known == .location {
            writer.append("Location: ")
            rewriter.rewriteLocation(
                bytes.extracting(field.value.range), scheme: scheme, host: host.span, into: &writer)
            writer.append("\r\n")
            return true
        }
        if mustVary, field.known == .vary, namesAcceptEncoding(field.value, bytes) { mustVary = false }
        guard dropsCoding else { return false }
        if field.known == .etag {
            let tag = bytes.extracting(field.value.range)
            // A strong tag stands for the coded bytes, which this client does not get (RFC 9110 §8.8.3.3).
            guard !tag.isEmpty, tag[0] == UInt8(ascii: "\"") else { return false }
            writer.append("ETag: W/")
            writer.append(tag)
            writer.append("\r\n")
            return true
        }
        // Ranges would be of the coded bytes too (RFC 9110 §14.1).
        return field.known == .contentEncoding || field.known == .acceptRanges
    }

    mutating func finish(into writer: inout HeadWriter) {
        if mustVary { writer.append("Vary: Accept-Encoding\r\n") }
    }
}

/// `*` names every field.
private func namesAcceptEncoding(_ value: ByteSlice, _ bytes: Span<UInt8>) -> Bool {
    var elements = ListElements(value)
    while let element = elements.next(bytes) {
        if fieldEquals(bytes, element, "accept-encoding") || fieldEquals(bytes, element, "*") { return true }
    }
    return false
}
