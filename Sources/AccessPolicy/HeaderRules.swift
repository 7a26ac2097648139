/// Which way a request goes.
@usableFromInline
package enum Route: UInt8, Sendable {
    /// Sentry's token is put in.
    case elevated
    /// The client's own credentials stay.
    case bypass

    /// The same as `==`, which is not inlined where it is asked for in another module.
    @inlinable @inline(__always)
    package var isElevated: Bool { if case .elevated = self { true } else { false } }
}

/// What to do with one field, or with all fields with one prefix. Fields without a rule pass unchanged.
package struct HeaderRule: Sendable {
    /// The routes on which a rule acts.
    package enum Scope: Sendable { case both, elevated }

    /// What the proxy sends in the place of what it dropped.
    package enum Replacement: Sendable {
        case upstreamAuthority, ownEncoding, connectionClose, framing, interimAnswer, bearerToken, requestID

        /// The words of the reference's table.
        package var words: StaticString {
            switch self {
            case .upstreamAuthority: "the upstream's authority sent"
            case .ownEncoding: "the proxy sends its own"
            case .connectionClose: "`Connection: close` sent"
            case .framing: "framing is written anew"
            case .interimAnswer: "`100-continue` is answered by the proxy"
            case .requestID: "the proxy's own sent"
            case .bearerToken: "`Authorization: Bearer <token>` sent"
            }
        }
    }

    /// The field as docs/reference/headers.md spells it; a `*` at the end stands for any ending.
    package let name: StaticString
    package let scope: Scope
    package let replacement: Replacement?
    /// The reference's reason.
    package let why: StaticString

    static func drop(_ name: StaticString, on scope: Scope, _ why: StaticString) -> HeaderRule {
        HeaderRule(name: name, scope: scope, replacement: nil, why: why)
    }

    static func set(
        _ name: StaticString, _ replacement: Replacement, on scope: Scope, _ why: StaticString
    ) -> HeaderRule {
        HeaderRule(name: name, scope: scope, replacement: replacement, why: why)
    }
}

/// The header rules, one row a rule. A test holds docs/reference/headers.md against these rows.
package enum HeaderRules {
    package static let request: [HeaderRule] = [
        .set("Accept-Encoding", .ownEncoding, on: .both, "one encoding for all clients"),
        .drop("Accept-Language", on: .both, "one language for all clients"),
        .set("Connection", .connectionClose, on: .both, "RFC 9110 §7.6.1; so is every field that it names"),
        .set("Content-Length", .framing, on: .both, "RFC 9112 §6"),
        .set("Keep-Alive", .framing, on: .both, "RFC 9112 §6"),
        .set("Proxy-Connection", .framing, on: .both, "RFC 9112 §6"),
        .set("Trailer", .framing, on: .both, "RFC 9112 §6"),
        .set("Transfer-Encoding", .framing, on: .both, "RFC 9112 §6"),
        .set("Expect", .interimAnswer, on: .both, "RFC 9110 §10.1.1"),
        .drop("Forwarded", on: .both, forwarded),
        .drop("Via", on: .both, forwarded),
        .drop("X-Forwarded-*", on: .both, forwarded),
        .drop("X-Real-IP", on: .both, forwarded),
        .set("Host", .upstreamAuthority, on: .both, "RFC 9110 §7.2"),
        .drop("Proxy-Authorization", on: .both, "meant for this hop only"),
        .drop("Te", on: .both, "meant for this hop only"),
        .drop("Upgrade", on: .both, "meant for this hop only"),
        .drop("X-Sentry-Relay-*", on: .both, "Sentry trusts a relay by its address, and the address is the proxy's"),
        .drop("Script-Name", on: .both, otherPath),
        .drop("Path-Info", on: .both, otherPath),
        .drop("X-Original-URL", on: .both, otherPath),
        .drop("X-Rewrite-URL", on: .both, otherPath),
        .drop("X-HTTP-Method", on: .both, otherMethod),
        .drop("X-HTTP-Method-Override", on: .both, otherMethod),
        .drop("X-Method-Override", on: .both, otherMethod),
        .drop("Proxy", on: .both, "a CGI's HTTP_PROXY"),
        .set("Authentication", .bearerToken, on: .elevated, "isolation"),
        .set("Authorization", .bearerToken, on: .elevated, "isolation"),
        .set("Cookie", .bearerToken, on: .elevated, "isolation"),
        .drop("Origin", on: .elevated, "Sentry answers 400 to a token with an Origin"),
        .drop("X-Sentry-Auth", on: .elevated, identity),
        .drop("X-Viewer-Context", on: .elevated, identity),
        .drop("X-Is-Agent", on: .elevated, identity),
    ]

    package static let response: [HeaderRule] = [
        .set("Connection", .connectionClose, on: .both, "RFC 9110 §7.6.1; so is every field that it names"),
        .set("Content-Length", .framing, on: .both, "RFC 9112 §6; it stays on answers to HEAD and on 304"),
        .set("Keep-Alive", .framing, on: .both, "RFC 9112 §6"),
        .set("Proxy-Connection", .framing, on: .both, "RFC 9112 §6"),
        .set("Trailer", .framing, on: .both, "RFC 9112 §6"),
        .set("Transfer-Encoding", .framing, on: .both, "RFC 9112 §6"),
        .set("Upgrade", .framing, on: .both, "RFC 9112 §6"),
        .set("X-Request-Id", .requestID, on: .both, "the log has it as `id`"),
        .drop("Set-Cookie", on: .elevated, "isolation"),
        .drop("Www-Authenticate", on: .elevated, "isolation"),
    ]

    private static let forwarded: StaticString =
        "none is added; Sentry takes REMOTE_ADDR from X-Forwarded-For, and a client's address there breaks the system token"
    private static let otherPath: StaticString = "some servers take the path from them, behind the proxy's decision"
    private static let otherMethod: StaticString = "some servers take the method from them, behind the proxy's decision"
    private static let identity: StaticString = "other ways to claim an identity"

    static let compiledRequest = CompiledRules(request)
    static let compiledResponse = CompiledRules(response)
}
