package import HTTP1

/// How the end of a body will be told to the other side (RFC 9112 §6).
@usableFromInline
package enum OutgoingFraming: Sendable, Equatable {
    case none
    case length(UInt64)
    case chunked
    /// Responses only: the body ends with the connection.
    case untilClose

    // The same as `==`, which is not inlined where it is asked for in another module.

    @inlinable @inline(__always)
    package var isNone: Bool { if case .none = self { true } else { false } }

    @inlinable @inline(__always)
    package var isChunked: Bool { if case .chunked = self { true } else { false } }
}

/// The encoding that the proxy requests from the upstream.
package enum UpstreamEncoding: String, Sendable, CaseIterable { case identity, gzip }

/// The parts of an upstream head that never change, made once at start. A class, so that handing it on copies nothing.
package final class UpstreamTarget: Sendable {
    /// The value of `Host`.
    package let authority: [UInt8]
    /// What goes before every path; empty, or with a leading and without a trailing slash.
    package let pathPrefix: [UInt8]
    package let acceptEncoding: UpstreamEncoding
    /// Scheme and authority, when requests go to a forward proxy and so in absolute form (RFC 9112 §3.2.2); else empty.
    package let absoluteBase: [UInt8]
    /// From behind the path to the client's fields.
    let endOfRequestLine: [UInt8]

    /// Slashes at the end of `pathPrefix` are removed.
    package init(
        authority: [UInt8], pathPrefix: [UInt8] = [], acceptEncoding: UpstreamEncoding = .identity,
        absoluteBase: [UInt8] = []
    ) {
        self.absoluteBase = absoluteBase
        self.authority = authority
        var prefix = pathPrefix
        while prefix.last == UInt8(ascii: "/") { prefix.removeLast() }
        self.pathPrefix = prefix
        self.acceptEncoding = acceptEncoding
        endOfRequestLine = Array(" HTTP/1.1\r\nHost: ".utf8) + authority + Array("\r\n".utf8)
    }
}

/// Writes the upstream's request head anew from the parsed fields: nothing that was not understood is sent on.
///
/// What the proxy puts in is written after the client's fields were sifted, so that no `Connection: authorization`
/// can take it out. `Authorization` is the last field.
/// - Parameters:
///   - bytes: the buffer that `head` was parsed from.
///   - editedTarget: path and query that go upstream in place of the client's.
///   - forwardedFor: on the bypass, the client's address for `X-Forwarded-For`; nil sends none.
///   - token: Sentry's token; needed on the elevated route, not looked at on the bypass.
///   - proxyAuthorization: the value of `Proxy-Authorization` for a forward proxy; left out when empty.
/// - Returns: where the token lies in what `writer` holds, so that a replay can put another one of the same length
///   there or write the head again; nil on the bypass.
/// - Throws: `HeadRewriteError`; nothing of the head may be sent then, nor when the writer overflowed.
package func writeRequestHead(
    _ head: RequestHead, _ bytes: Span<UInt8>, decision: Forward, target: UpstreamTarget,
    editedTarget: Span<UInt8>? = nil, framing: OutgoingFraming, token: Span<UInt8>?,
    proxyAuthorization: Span<UInt8>? = nil, forwardedFor: IPAddress? = nil, into writer: inout HeadWriter
) throws(HeadRewriteError) -> ByteSlice? {
    var dropped = HeaderRules.compiledRequest.dropped(on: decision.route)
    if decision.dropAuthorization { dropped = dropped | .authorization }
    let nominated = try ConnectionOptions(head, bytes)

    if editedTarget == nil, head.path.start == head.methodName.range.upperBound + 1, target.goesAsItIs(head) {
        writer.append(bytes.extracting(head.methodName.range.lowerBound..<head.path.range.upperBound))
    } else {
        writer.append(bytes.extracting(head.methodName.range))
        writer.append(byte: UInt8(ascii: " "))
        if let editedTarget {
            writer.append(target.absoluteBase)
            writer.append(target.pathPrefix)
            writer.append(editedTarget)
        } else {
            writeTarget(head, bytes, target, into: &writer)
        }
    }
    writer.append(target.endOfRequestLine)

    var run = FieldRun()
    for i in head.fields.indices {
        let field = head.fields[i]
        if dropped.contains(field.known) { continue }
        if nominated.nameFields, nominated.contains(field.name, head.fields, bytes) { continue }
        run.append(field, bytes, to: &writer)
    }
    run.end(bytes, &writer)

    switch target.acceptEncoding {
    case .identity: writer.append("Accept-Encoding: identity\r\n")
    case .gzip: writer.append("Accept-Encoding: gzip\r\n")
    }
    writer.append(framing)
    writer.append("Connection: close\r\n")
    if !decision.route.isElevated, let forwardedFor {
        writer.append("X-Forwarded-For: ")
        forwardedFor.write(into: &writer)
        writer.append("\r\n")
    }
    if let proxyAuthorization, !proxyAuthorization.isEmpty {
        writer.append("Proxy-Authorization: ")
        writer.append(proxyAuthorization)
        writer.append("\r\n")
    }

    var place: ByteSlice?
    if decision.route.isElevated {
        guard let token, !token.isEmpty else { throw .tokenMissing }
        writer.append("Authorization: Bearer ")
        place = ByteSlice(start: writer.count, count: token.count)
        writer.append(token)
        writer.append("\r\n")
    }
    writer.append("\r\n")
    return place
}

extension UpstreamTarget {
    /// The target goes upstream with nothing before it: method, blank and target are copied at once.
    fileprivate func goesAsItIs(_ head: RequestHead) -> Bool {
        if case .origin = head.form { pathPrefix.isEmpty && absoluteBase.isEmpty } else { false }
    }
}

private func writeTarget(
    _ head: RequestHead, _ bytes: Span<UInt8>, _ target: UpstreamTarget, into writer: inout HeadWriter
) {
    writer.append(target.absoluteBase)
    guard head.form != .asterisk else {
        // In absolute form it is the base without a path (RFC 9112 §3.2.4).
        if target.absoluteBase.isEmpty { writer.append(byte: UInt8(ascii: "*")) }
        return
    }
    let path = bytes.extracting(head.path.range)
    writer.append(target.pathPrefix)
    // Absolute form may come without a path (RFC 9112 §3.2.2).
    if path.isEmpty || path[0] != UInt8(ascii: "/") { writer.append(byte: UInt8(ascii: "/")) }
    writer.append(path)
}

/// A hand that may change single response fields on their way to the client.
package protocol ResponseFieldEditor {
    /// The fields that it wants to see.
    var fields: KnownFields { get }

    /// Called for each of these fields that the rules keep, in order.
    /// - Parameter bytes: the buffer that the field points into.
    /// - Returns: true when the field is dealt with: written in another form (a whole line with its CRLF), or
    ///   left out by writing nothing. False passes it on as it came.
    mutating func edit(_ field: FieldLine, _ bytes: Span<UInt8>, into writer: inout HeadWriter) -> Bool

    /// Called once, behind the last field: writes whole lines that are to be added.
    mutating func finish(into writer: inout HeadWriter)
}

extension ResponseFieldEditor {
    package mutating func finish(into writer: inout HeadWriter) {}
}

/// Writes the client's response head anew: the upstream's status, reason and kept fields, in their order.
/// - Parameters:
///   - framing: of the body that the client gets.
///   - requestID: the value of `X-Request-Id`.
///   - keepsContentLength: true for an answer to HEAD and for 304, where `Content-Length` tells of a body that is
///     not sent (RFC 9110 §8.6); `framing` must be `.none` then.
/// - Throws: `HeadRewriteError.tooManyConnectionOptions`; answer 502. Nothing may be sent when the writer overflowed.
package func writeResponseHead<Editor: ResponseFieldEditor>(
    _ head: ResponseHead, _ bytes: Span<UInt8>, route: Route, framing: OutgoingFraming, requestID: Span<UInt8>,
    keepsContentLength: Bool = false, editor: inout Editor, into writer: inout HeadWriter
) throws(HeadRewriteError) {
    try writeStatusAndFields(
        head, bytes, route: route, keepsContentLength: keepsContentLength && framing.isNone, editor: &editor,
        into: &writer)
    writer.append(framing)
    writer.append("X-Request-Id: ")
    writer.append(requestID)
    writer.append("\r\nConnection: close\r\n\r\n")
}

private func writeStatusAndFields<Editor: ResponseFieldEditor>(
    _ head: ResponseHead, _ bytes: Span<UInt8>, route: Route, keepsContentLength: Bool, editor: inout Editor,
    into writer: inout HeadWriter
) throws(HeadRewriteError) {
    var dropped = HeaderRules.compiledResponse.dropped(on: route)
    if keepsContentLength { dropped = dropped.subtracting(.contentLength) }
    let edited = editor.fields
    let nominated = try ConnectionOptions(head, bytes)
    writer.append("HTTP/1.1 ")
    writer.append(decimal: UInt64(head.status))
    // The blank stays even when there is no reason (RFC 9112 §4).
    writer.append(byte: UInt8(ascii: " "))
    writer.append(bytes.extracting(head.reason.range))
    writer.append("\r\n")
    var run = FieldRun()
    for i in head.fields.indices {
        let field = head.fields[i]
        if dropped.contains(field.known) { continue }
        if nominated.nameFields, !(keepsContentLength && field.known == .contentLength),
            nominated.contains(field.name, head.fields, bytes)
        {
            continue
        }
        if edited.contains(field.known), field.known != .contentLength {
            run.end(bytes, &writer)
            if editor.edit(field, bytes, into: &writer) { continue }
        }
        run.append(field, bytes, to: &writer)
    }
    run.end(bytes, &writer)
    editor.finish(into: &writer)
}

/// Lines that stand one behind the other and go on as they are: they are copied at once.
private struct FieldRun {
    private var start = 0
    private var end = 0

    @inline(__always)
    mutating func append(_ field: FieldLine, _ bytes: Span<UInt8>, to writer: inout HeadWriter) {
        if field.isUsual, Int(field.name.start) == end {
            end = Int(field.value.start) &+ Int(field.value.count) &+ 2
        } else {
            begin(field, bytes, to: &writer)
        }
    }

    private mutating func begin(_ field: FieldLine, _ bytes: Span<UInt8>, to writer: inout HeadWriter) {
        let line = field.name.range.lowerBound
        self.end(bytes, &writer)
        if field.isUsual {
            (start, end) = (line, field.value.range.upperBound + 2)
        } else {
            writer.append(bytes.extracting(field.name.range))
            writer.append(": ")
            writer.append(bytes.extracting(field.value.range))
            writer.append("\r\n")
        }
    }

    mutating func end(_ bytes: Span<UInt8>, _ writer: inout HeadWriter) {
        if start < end { writer.append(bytes.extracting(start..<end)) }
        (start, end) = (0, 0)
    }
}

extension HeadWriter {
    fileprivate mutating func append(_ framing: OutgoingFraming) {
        switch framing {
        case .none, .untilClose: break
        case .length(let count):
            append("Content-Length: ")
            append(decimal: count)
            append("\r\n")
        case .chunked: append("Transfer-Encoding: chunked\r\n")
        }
    }
}
