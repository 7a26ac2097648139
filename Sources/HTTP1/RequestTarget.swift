extension Method {
    /// The method that `name` spells, case and all (RFC 9110 §9.1).
    init(_ bytes: Span<UInt8>, _ name: ByteSlice) {
        self =
            switch name.count {
            case 3 where bytesEqual(bytes, name, "GET"): .get
            case 3 where bytesEqual(bytes, name, "PUT"): .put
            case 4 where bytesEqual(bytes, name, "HEAD"): .head
            case 4 where bytesEqual(bytes, name, "POST"): .post
            case 5 where bytesEqual(bytes, name, "PATCH"): .patch
            case 5 where bytesEqual(bytes, name, "TRACE"): .trace
            case 6 where bytesEqual(bytes, name, "DELETE"): .delete
            case 7 where bytesEqual(bytes, name, "CONNECT"): .connect
            case 7 where bytesEqual(bytes, name, "OPTIONS"): .options
            default: .other
            }
    }
}

/// CONNECT and TRACE, in any case: methods are case-sensitive, but Django folds them to upper case, and TRACE would mirror
/// the token that was put in.
func isRefusedMethod(_ bytes: Span<UInt8>, _ name: ByteSlice) -> Bool {
    fieldEquals(bytes, name, "connect") || fieldEquals(bytes, name, "trace")
}

/// The form of a request target, and what of it goes upstream (RFC 9112 §3.2). Its bytes were checked one by one.
func requestTarget(
    _ bytes: Span<UInt8>, _ head: RequestHead
) throws(ParseError) -> (form: TargetForm, path: ByteSlice, authority: ByteSlice) {
    let target = head.target
    switch bytes[Int(target.start)] {
    case ASCII.slash:
        return (.origin, target, .empty)
    case ASCII.asterisk:
        if bytesEqual(bytes, head.methodName, "PRI") { throw .http2Preface }
        guard target.count == 1, head.method == .options else { throw .malformedTarget }
        return (.asterisk, target, .empty)
    default:
        let (path, authority) = try partsOfAbsoluteForm(bytes, target)
        return (.absolute, path, authority)
    }
}

/// The path and query of an `absolute-form` with the scheme http or https (RFC 9112 §3.2.2), and its authority, which does
/// not route: the proxy has one upstream. A query right behind the authority is refused: a slash would have to be
/// put before it, and no client sends it.
private func partsOfAbsoluteForm(
    _ bytes: Span<UInt8>, _ target: ByteSlice
) throws(ParseError) -> (path: ByteSlice, authority: ByteSlice) {
    let authorityStart: Int
    if fieldHasPrefix(bytes, target, "http://") {
        authorityStart = Int(target.start) + 7
    } else if fieldHasPrefix(bytes, target, "https://") {
        authorityStart = Int(target.start) + 8
    } else {
        throw .malformedTarget
    }
    let end = target.range.upperBound
    var pathStart = authorityStart
    while pathStart < end, bytes[pathStart] != ASCII.slash { pathStart += 1 }
    // `isValidAuthority` knows no `?` and no `@`.
    guard isValidAuthority(bytes, authorityStart..<pathStart) else { throw .malformedTarget }
    return (
        ByteSlice(start: pathStart, count: end - pathStart),
        ByteSlice(start: authorityStart, count: pathStart - authorityStart)
    )
}

/// `HTTP-version = "HTTP" "/" DIGIT "." DIGIT` (RFC 9112 §2.3): whether `byte` may stand at `index` of it, 0..<8.
@inline(__always)
func isVersionByte(_ byte: UInt8, at index: Int) -> Bool {
    switch index {
    case 0: byte == UInt8(ascii: "H")
    case 1, 2: byte == UInt8(ascii: "T")
    case 3: byte == UInt8(ascii: "P")
    case 4: byte == ASCII.slash
    case 6: byte == ASCII.dot
    default: byte.isDigit
    }
}

/// The version whose eight bytes begin at `start`.
func httpVersion(_ bytes: Span<UInt8>, at start: Int) throws(ParseError) -> HTTPVersion {
    guard bytes[start + 5] == ASCII.zero + 1 else { throw .unsupportedVersion }
    switch bytes[start + 7] {
    case ASCII.zero: return .http10
    case ASCII.zero + 1: return .http11
    default: throw .unsupportedVersion
    }
}
