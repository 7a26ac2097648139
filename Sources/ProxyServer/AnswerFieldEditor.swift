internal import AccessPolicy
internal import HTTP1

/// What is changed in an answer's fields besides the rules: URLs that lead away from the proxy, and a coding that is
/// taken off.
struct AnswerFieldEditor: ResponseFieldEditor {
    let rewriter: LinkRewriter
    let scheme: ClientScheme
    /// The request's Host; the memory stays valid while the head is written.
    let host: UnsafeBufferPointer<UInt8>
    let rewritesLinks: Bool
    let dropsCoding: Bool

    mutating func edit(name: Span<UInt8>, value: Span<UInt8>, into writer: inout HeadWriter) -> Bool {
        if rewritesLinks, isFieldName(name, "link") {
            writer.append("Link: ")
            rewriter.rewriteLink(value, scheme: scheme, host: host.span, into: &writer)
            writer.append("\r\n")
            return true
        }
        if rewritesLinks, isFieldName(name, "location") {
            writer.append("Location: ")
            rewriter.rewriteLocation(value, scheme: scheme, host: host.span, into: &writer)
            writer.append("\r\n")
            return true
        }
        return dropsCoding && isFieldName(name, "content-encoding")
    }
}
