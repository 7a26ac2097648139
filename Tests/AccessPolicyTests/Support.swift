import AccessPolicy
import HTTP1
import Testing

/// A head as the parser gave it, with the bytes that it points into.
struct ParsedRequest {
    var head: RequestHead
    var bytes: [UInt8]
}

struct ParsedResponse {
    var head: ResponseHead
    var bytes: [UInt8]
}

/// Parses a request of these lines; `Host` is there already.
func request(_ line: String = "GET /api/0/ HTTP/1.1", _ fields: [String] = []) throws -> ParsedRequest {
    let bytes = Array(([line, "Host: proxy"] + fields + ["", ""]).joined(separator: "\r\n").utf8)
    let parser = RequestHeadParser()
    #expect(try parser.parse(bytes.span))
    return ParsedRequest(head: parser.head, bytes: bytes)
}

func response(_ line: String = "HTTP/1.1 200 OK", _ fields: [String] = []) throws -> ParsedResponse {
    let bytes = Array(([line] + fields + ["", ""]).joined(separator: "\r\n").utf8)
    let parser = ResponseHeadParser()
    #expect(try parser.parse(bytes.span))
    return ParsedResponse(head: parser.head, bytes: bytes)
}

/// What `body` writes into a buffer of `capacity` bytes.
func written(capacity: Int = 131_072, _ body: (inout HeadWriter) throws -> Void) rethrows -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 1)
    defer { buffer.deallocate() }
    var writer = HeadWriter(buffer)
    try body(&writer)
    #expect(!writer.overflowed)
    return Array(buffer[0..<writer.count])
}

// CR LF is one Character, so the empty line at the end of a head is two.
let token = "sntryu_0123456789abcdef"
let target = UpstreamTarget(authority: Array("sentry-web:9000".utf8))

struct Upstream {
    var text: String
    var lines: [String]
    var tokenPlace: ByteSlice?
    /// Field lines, without the request line.
    var fields: [String] { Array(lines.dropFirst()) }
}

/// The head that the upstream gets for a request.
func upstream(
    _ request: ParsedRequest, _ decision: Forward = Forward(route: .elevated), target: UpstreamTarget = target,
    framing: OutgoingFraming = .none
) throws -> Upstream {
    var place: ByteSlice?
    let tokenBytes = Array(token.utf8)
    let bytes = try written { writer in
        place = try writeRequestHead(
            request.head, request.bytes.span, decision: decision, target: target, framing: framing,
            token: tokenBytes.span, into: &writer)
    }
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.hasSuffix("\r\n\r\n"))
    return Upstream(
        text: text, lines: text.dropLast(2).split(separator: "\r\n").map(String.init), tokenPlace: place)
}

/// The head that the client gets for a response.
func client(
    _ response: ParsedResponse, route: Route = .elevated, framing: OutgoingFraming = .none,
    keepsContentLength: Bool = false
) throws -> [String] {
    var editor = NoFieldEdits()
    let id = Array("0a1b2c3d4e5f6071".utf8)
    let bytes = try written { writer in
        try writeResponseHead(
            response.head, response.bytes.span, route: route, framing: framing, requestID: id.span,
            keepsContentLength: keepsContentLength, editor: &editor, into: &writer)
    }
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.hasSuffix("\r\n\r\n"))
    return text.dropLast(2).split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
}

/// SplitMix64: the same numbers at every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}

/// Leaves every field as it came.
struct NoFieldEdits: ResponseFieldEditor {
    /// A struct of no size has no address, and ThreadSanitizer looks up the address of every `inout` argument.
    private let occupied = true

    var fields: KnownFields { KnownFields() }

    init() {}

    mutating func edit(_ field: FieldLine, _ bytes: Span<UInt8>, into writer: inout HeadWriter) -> Bool {
        false
    }
}
