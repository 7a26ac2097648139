internal import AccessPolicy
internal import HTTP1

/// What the client's head says about the body otherwise than the upstream's does.
struct ResponseForm {
    /// The body goes out without its coding.
    var dropsCoding = false
    /// Another `Accept-Encoding` would have got it in another coding (RFC 9110 §12.5.5).
    var varies = false
    /// `Content-Length` tells of a body that is not sent.
    var keepsLength = false
}

extension Exchange {
    /// An answer without a body, to HEAD or a 304, says what would be said of GET's (RFC 9110 §9.3.2, §15.4.5).
    func responseForm(_ head: ResponseHead, _ bytes: Span<UInt8>) -> ResponseForm {
        guard !response.isCollected else { return ResponseForm(dropsCoding: response.inflater != nil) }
        let isGzip = head.status != 206 && ContentCoding(head, bytes) == .gzip
        guard response.framing.isNone else {
            return ResponseForm(
                dropsCoding: response.inflater != nil, varies: isGzip && response.framing != .length(0))
        }
        guard request.method == .head && head.status != 204 || head.status == 304 else { return ResponseForm() }
        let isRewritten = request.endpoint != nil && (head.status == 200 || head.status == 304) && isJSON(head, bytes)
        let dropsCoding = isGzip && (isRewritten || !request.acceptsGzip)
        return ResponseForm(
            dropsCoding: dropsCoding, varies: isGzip && !isRewritten,
            keepsLength: !dropsCoding && !isRewritten && request.verdict.filter.isNone)
    }
}
