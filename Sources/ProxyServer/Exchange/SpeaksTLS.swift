internal import HTTP1

// What a server of https sends to somebody who speaks http.

/// The beginning of a TLS record that is an alert (RFC 8446 §5.1), as far as it is there; no answer begins so.
func isTLSAlert(_ bytes: Span<UInt8>) -> Bool {
    bytes.count > 0 && bytes[0] == 0x15 && (bytes.count == 1 || bytes[1] == 0x03)
}

/// Whether the beginning of a 400's body is how nginx, Go's net/http (Caddy) or Apache httpd ask for https.
func asksForTLS(_ bytes: Span<UInt8>, from start: Int) -> Bool {
    for at in start..<min(bytes.count, start + 1_024) {
        let rest = ByteSlice(start: at, count: bytes.count - at)
        for i in plainRequestSentences.indices where fieldHasPrefix(bytes, rest, plainRequestSentences[i]) {
            return true
        }
    }
    return false
}

private let plainRequestSentences: InlineArray<3, StaticString> = [
    "the plain http request was sent to https port",
    "client sent an http request to an https server",
    "speaking plain http to an ssl-enabled server port",
]
