package import HTTP1

/// Every answer that the proxy gives by itself when it does not relay one.
package enum ErrorAnswer: UInt8, Sendable, CaseIterable {
    case badRequest, methodNotAllowed, requestTimeout, lengthRequired, contentTooLarge, uriTooLong, headerFieldsTooLarge
    case internalError, notImplemented
    case badGateway, upstreamUnreachable
    case overloaded, memoryShort, tokenUnavailable, draining
    case gatewayTimeout, versionNotSupported
    case notFound, expectationFailed
    /// The listener speaks TLS, and the client does not.
    case plainHTTP
    /// The balancer did not say whom it speaks for.
    case proxyHeaderMissing
    /// To an alias whose time is over, that may not do this, or that does too much.
    case aliasExpired, aliasRefused, aliasLimited
    /// Which projects an alias is held to is not known yet.
    case identifiersUnknown
    /// The aliases that the device flow has granted have not been read yet: a 401 would end a login that holds.
    case grantsUnread
    /// Sentry's own 401, to a bounded alias: the client would throw its alias away for it.
    case tokenNotAccepted
    case credentialsMissing, credentialsRefused, aliasMisplaced, aliasUnknown
    case originRefused, hostRefused

    private struct Row {
        var status: Int
        /// RFC 9110 §15 (431: RFC 6585 §5).
        var reason: StaticString
        /// For the client: no inner detail; ASCII without `"`, `\` and control bytes, so that it is JSON as it stands.
        var message: StaticString
        var hasRetryAfter = false
        /// Sentry's challenge goes with it (RFC 9110 §15.5.2).
        var isChallenge = false
    }

    private var row: Row {
        switch self {
        case .badRequest: Row(status: 400, reason: "Bad Request", message: "The request is malformed.")
        case .plainHTTP:
            Row(
                status: 400, reason: "Bad Request",
                message: "This port speaks https and the request came as http: use https:// in the URL.")
        case .proxyHeaderMissing:
            Row(
                status: 400, reason: "Bad Request",
                message: "The connection does not begin with a PROXY header, which this port expects of its balancer.")
        case .aliasExpired: Row(status: 401, reason: "Unauthorized", message: "Token expired")
        case .aliasRefused: Row(status: 403, reason: "Forbidden", message: "This alias may not do this.")
        case .aliasLimited:
            Row(status: 429, reason: "Too Many Requests", message: "This alias asks too often.", hasRetryAfter: true)
        case .identifiersUnknown:
            Row(
                status: 503, reason: "Service Unavailable",
                message: "The proxy has not learned yet which projects this alias is held to.", hasRetryAfter: true)
        case .grantsUnread:
            Row(
                status: 503, reason: "Service Unavailable",
                message: "This proxy's aliases granted by sign-in have not been read yet: their store is away.",
                hasRetryAfter: true)
        case .tokenNotAccepted:
            Row(status: 502, reason: "Bad Gateway", message: "Sentry did not accept this proxy's token.")
        case .originRefused:
            Row(
                status: 400, reason: "Bad Request",
                message: "This proxy has no aliases, so it takes no request with this Origin: see --allow-origin.")
        case .hostRefused:
            Row(
                status: 400, reason: "Bad Request",
                message: "This proxy has no aliases, so it does not answer to this name in Host: see --allow-host.")
        // The words of Sentry, for clients that know them.
        case .credentialsMissing:
            Row(
                status: 401, reason: "Unauthorized", message: "Authentication credentials were not provided.",
                isChallenge: true)
        case .credentialsRefused:
            Row(status: 401, reason: "Unauthorized", message: "Invalid token", isChallenge: true)
        case .aliasMisplaced:
            Row(
                status: 401, reason: "Unauthorized",
                message: "An alias of this proxy is taken as Authorization: Bearer and nowhere else.",
                isChallenge: true)
        case .aliasUnknown:
            Row(
                status: 401, reason: "Unauthorized",
                message: "This is not a current alias of this proxy: it was withdrawn or mistyped.", isChallenge: true)
        case .notFound: Row(status: 404, reason: "Not Found", message: "There is nothing at this path.")
        case .methodNotAllowed:
            Row(status: 405, reason: "Method Not Allowed", message: "This method is not allowed here.")
        case .requestTimeout: Row(status: 408, reason: "Request Timeout", message: "The request came too slowly.")
        case .lengthRequired:
            Row(
                status: 411, reason: "Length Required",
                message:
                    "This chunked request body is too long to be sent on: send it again with a Content-Length.")
        case .contentTooLarge:
            Row(status: 413, reason: "Content Too Large", message: "The request body is larger than this proxy allows.")
        case .uriTooLong: Row(status: 414, reason: "URI Too Long", message: "The request target is too long.")
        case .expectationFailed:
            Row(status: 417, reason: "Expectation Failed", message: "This expectation cannot be met.")
        case .headerFieldsTooLarge:
            Row(
                status: 431, reason: "Request Header Fields Too Large",
                message: "The request head is too long or has too many fields.")
        case .internalError:
            Row(status: 500, reason: "Internal Server Error", message: "The proxy failed on this request.")
        case .notImplemented:
            Row(status: 501, reason: "Not Implemented", message: "This method or transfer coding is not known here.")
        case .badGateway: Row(status: 502, reason: "Bad Gateway", message: "Sentry gave no valid answer.")
        case .upstreamUnreachable:
            Row(status: 502, reason: "Bad Gateway", message: "Sentry could not be reached.")
        case .overloaded:
            Row(
                status: 503, reason: "Service Unavailable", message: "The proxy has too many requests in flight.",
                hasRetryAfter: true)
        case .memoryShort:
            Row(
                status: 503, reason: "Service Unavailable",
                message: "The proxy has no memory for this request at the moment.", hasRetryAfter: true)
        case .tokenUnavailable:
            Row(
                status: 503, reason: "Service Unavailable",
                message: "The proxy has no Sentry token yet: its token source has not given one.", hasRetryAfter: true)
        case .draining:
            Row(
                status: 503, reason: "Service Unavailable", message: "The proxy is shutting down.", hasRetryAfter: true)
        case .gatewayTimeout:
            Row(status: 504, reason: "Gateway Timeout", message: "Sentry did not answer in time.")
        case .versionNotSupported:
            Row(
                status: 505, reason: "HTTP Version Not Supported",
                message: "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
        }
    }

    package var status: Int { row.status }
    package var reason: StaticString { row.reason }
    package var message: StaticString { row.message }
    package var hasRetryAfter: Bool { row.hasRetryAfter }
    package var isChallenge: Bool { row.isChallenge }
}

/// Writes an answer of the proxy's own, whole: head and body.
///
/// JSON is `{"detail": "<message>"}` with no other key, the only form whose message sentry-cli shows.
/// - Parameters:
///   - message: what the client reads in place of the answer's own message; printable ASCII without `"` and `\\`.
///   - fields: whole field lines to send besides.
///   - requestID: the value of `X-Request-Id`; left out when empty.
///   - retryAfterSeconds: the value of `Retry-After`, 1 when nil; used only by answers that have one.
///   - isHead: leave the body out (RFC 9110 §9.3.2); `Content-Length` is that of the body all the same.
package func writeAnswer(
    _ answer: ErrorAnswer, message: Span<UInt8> = Span(), fields: Span<UInt8> = Span(), format: AnswerFormat,
    requestID: Span<UInt8>, retryAfterSeconds: Int?, isHead: Bool,
    into writer: inout HeadWriter
) {
    let own = answer.message
    let messageCount = message.isEmpty ? own.utf8CodeUnitCount : message.count
    let before: StaticString
    let after: StaticString
    let type: StaticString
    switch format {
    case .json: (type, before, after) = ("application/json", "{\"detail\": \"", "\"}")
    case .text: (type, before, after) = ("text/plain; charset=utf-8", "", "\n")
    }
    let length = before.utf8CodeUnitCount + messageCount + after.utf8CodeUnitCount

    writer.append("HTTP/1.1 ")
    writer.append(decimal: UInt64(answer.status))
    writer.append(" ")
    writer.append(answer.reason)
    writer.append("\r\nContent-Type: ")
    writer.append(type)
    writer.append("\r\nContent-Length: ")
    writer.append(decimal: UInt64(length))
    writer.append("\r\nCache-Control: no-store\r\nConnection: close\r\n")
    // RFC 9110 §15.5.6: a 405 names the methods that are allowed.
    if answer == .methodNotAllowed { writer.append("Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n") }
    if answer.isChallenge { writer.append("WWW-Authenticate: xBasic realm=\"api\"\r\n") }
    if answer.hasRetryAfter {
        writer.append("Retry-After: ")
        writer.append(decimal: UInt64(max(retryAfterSeconds ?? 1, 0)))
        writer.append("\r\n")
    }
    if !requestID.isEmpty {
        writer.append("X-Request-Id: ")
        writer.append(requestID)
        writer.append("\r\n")
    }
    writer.append(fields)
    writer.append("\r\n")
    guard !isHead else { return }
    writer.append(before)
    if message.isEmpty { writer.append(own) } else { writer.append(message) }
    writer.append(after)
}

extension ErrorAnswer {
    /// The answer to a client whose request violated a rule of the parser.
    package init(_ error: ParseError) {
        switch error.status {
        case 405: self = .methodNotAllowed
        case 413: self = .contentTooLarge
        case 414: self = .uriTooLong
        case 417: self = .expectationFailed
        case 431: self = .headerFieldsTooLarge
        case 501: self = .notImplemented
        case 502: self = .badGateway
        case 505: self = .versionNotSupported
        default: self = .badRequest
        }
    }
}
