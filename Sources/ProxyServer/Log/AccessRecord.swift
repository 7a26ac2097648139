internal import AccessPolicy
internal import EventLoop
internal import HTTP1
internal import System
internal import TLS

/// Why an exchange did not go as it should: for the log and the counters, never for the client.
enum Cause: Equatable {
    case none
    case policy
    /// The connection did not begin with a PROXY header, which its balancer owes.
    case proxyHeader
    case badRequest(ParseError)
    case unresolved
    case connect(SystemError)
    case connectTimeout
    case tls(TLSFailure)
    /// The forward proxy opened no tunnel, or wants credentials.
    case proxyRefused
    case upstreamClosed
    case upstream(SystemError)
    case badResponse(ParseError)
    /// http was spoken to an upstream of https.
    case speaksTLS
    case unwritableResponse
    /// The upstream redirects to what should be its base.
    case wrongBase
    case truncatedResponse
    case corruptGzip
    case internalError
    /// The proxy's own answer says it.
    case answered(ErrorAnswer)
    /// A body could not be spooled: the disk or the room for such bodies is full.
    case spool
    case clientLeft
    /// No byte of the answer moved for too long.
    case stalled

    /// All went well; cheaper than `==`, which has to look at what is inside.
    @inline(__always)
    var isNone: Bool { if case .none = self { true } else { false } }

    /// The name in the log and in the metrics.
    var name: StaticString {
        switch self {
        case .none: "none"
        case .policy: "policy"
        case .proxyHeader: "proxy_header"
        case .badRequest: "bad_request"
        case .unresolved: "unresolved"
        case .connect(.refused): "connection_refused"
        case .connect: "connect_failed"
        case .connectTimeout: "connect_timeout"
        case .tls(let failure): failure.logName
        case .proxyRefused: "proxy_refused"
        case .upstreamClosed: "closed_before_answer"
        case .upstream(.reset): "reset_by_upstream"
        case .upstream: "upstream_failed"
        case .badResponse: "bad_answer"
        case .speaksTLS: "upstream_speaks_tls"
        case .unwritableResponse: "unwritable_answer"
        case .wrongBase: "wrong_base"
        case .truncatedResponse: "truncated_answer"
        case .corruptGzip: "corrupt_gzip"
        case .internalError: "internal_error"
        case .spool: "spool_failed"
        case .clientLeft: "client_left"
        case .stalled: "answer_stalled"
        case .answered(let answer):
            switch answer {
            case .requestTimeout: "request_timeout"
            case .lengthRequired: "length_required"
            case .contentTooLarge: "content_too_large"
            case .overloaded: "overloaded"
            case .memoryShort: "memory_short"
            case .tokenUnavailable: "token_unavailable"
            case .gatewayTimeout: "answer_timeout"
            case .draining: "draining"
            case .badGateway, .upstreamUnreachable: "bad_gateway"
            case .headerFieldsTooLarge: "head_too_large"
            case .identifiersUnknown: "identifiers_unknown"
            case .grantsUnread: "grants_unread"
            case .tokenNotAccepted: "token_not_accepted"
            case .aliasExpired, .aliasRefused, .aliasLimited: "policy"
            case .credentialsMissing, .credentialsRefused: "bypass_off"
            case .aliasMisplaced: "alias_misplaced"
            case .aliasUnknown: "alias_unknown"
            case .originRefused: "origin_refused"
            case .hostRefused: "host_refused"
            case .badRequest, .methodNotAllowed, .uriTooLong, .internalError, .notImplemented, .versionNotSupported,
                .notFound, .expectationFailed, .plainHTTP, .proxyHeaderMissing:
                "refused"
            }
        }
    }

    /// A refusal by the head alone.
    init(refusedBy answer: ErrorAnswer) {
        switch answer {
        case .credentialsMissing, .credentialsRefused, .aliasMisplaced, .aliasUnknown, .grantsUnread, .originRefused,
            .hostRefused:
            self = .answered(answer)
        default: self = .policy
        }
    }

    /// The names that metrics show from the start.
    static let allNames: [StaticString] = [
        "bypass_off", "alias_misplaced", "alias_unknown", "grants_unread", "origin_refused", "host_refused",
        "policy", "proxy_header", "bad_request", "unresolved", "connection_refused", "connect_failed",
        "connect_timeout", "proxy_refused", "closed_before_answer", "reset_by_upstream", "upstream_failed",
        "bad_answer", "upstream_speaks_tls",
        "unwritable_answer", "wrong_base",
        "truncated_answer", "corrupt_gzip", "internal_error", "spool_failed", "client_left", "answer_stalled",
        "request_timeout",
        "length_required", "content_too_large", "overloaded", "memory_short", "token_unavailable", "answer_timeout",
        "head_too_large", "identifiers_unknown", "token_not_accepted", "tls_untrusted", "tls_expired",
        "tls_not_yet_valid", "tls_wrong_name",
        "tls_protocol_version", "tls_silent", "tls_not_tls", "tls_plain_http", "tls_alert", "tls_no_certificate",
        "tls_closed",
        "tls_reset", "tls_corrupt_record", "tls_record_flood", "tls_system_error", "tls_handshake",
    ]

    /// Those among them that are TLS's own.
    static var tlsNames: [StaticString] { allNames.filter { $0.description.hasPrefix("tls_") } }

    /// What exactly was wrong with the bytes, when it was that.
    var detail: StaticString? {
        switch self {
        case .badRequest(let error), .badResponse(let error): error.summary
        case .tls(let failure): failure.detail
        case .speaksTLS: "the upstream speaks TLS: --sentry-uri should begin with https://"
        case .none, .policy, .proxyHeader, .unresolved, .connect, .connectTimeout, .proxyRefused, .upstreamClosed,
            .upstream,
            .unwritableResponse, .wrongBase, .truncatedResponse, .corruptGzip, .internalError, .spool, .answered,
            .clientLeft,
            .stalled:
            nil
        }
    }
}

extension Cause {
    /// The number that says more: an alert, an `errno` or OpenSSL's reason.
    var code: Int? {
        if case .tls(let failure) = self { failure.code } else { nil }
    }

    var isTLS: Bool { if case .tls = self { true } else { false } }
}

/// What the access log and the counters will say of one exchange.
struct AccessRecord {
    var id: UInt64 = 0
    var acceptedAt = Instant.never
    var dialedAt = Instant.never
    var connectedAt = Instant.never
    var firstByteAt = Instant.never
    var endedAt = Instant.never
    var status = 0
    var isLocalResponse = false
    var bytesUp: UInt64 = 0
    var bytesDown: UInt64 = 0
    var route = Route.bypass
    /// Where the alias is counted; unlike its index it outlives a reload.
    var aliasSlot: Int?
    /// It was decided where the request goes.
    var isRouted = false
    var retry = RetryOutcome.none
    var cause = Cause.none
    // What is computed is inlined: a call would be handed a copy of all the bytes.

    /// Sentry's own 401 to an elevated request.
    @inline(__always)
    var isRefusedByUpstream: Bool { status == 401 && !isLocalResponse && isRouted && route.isElevated }
    /// What the rights of the alias said; nil for an alias without bounds.
    var rights: RightsRecord?
    init() {}

    init(id: UInt64, acceptedAt: Instant) {
        self.id = id
        self.acceptedAt = acceptedAt
    }

    /// A first or second sending begins: the times of one before do not count.
    mutating func dialed(at time: Instant) {
        (dialedAt, connectedAt, firstByteAt) = (time, .never, .never)
    }

    /// Bytes of the answer came; the first time counts.
    mutating func gotByte(at time: Instant) {
        if firstByteAt == .never { firstByteAt = time }
    }

    /// What went wrong, if nothing did before.
    mutating func blame(_ next: Cause) {
        if cause.isNone { cause = next }
    }

    /// An address took the connection: that another one did not is no failure of the request.
    mutating func connected(at time: Instant) {
        connectedAt = time
        cause = .none
    }
}

/// What the rights of an alias said of a request, for the log and the counters.
struct RightsRecord {
    let reason: RefusalReason?
    /// It went on although it would be refused outside of shadow mode.
    let isShadowed: Bool
    /// Parts of the path.
    let organization: ByteSlice
    let project: ByteSlice
    let object: ByteSlice

    init(_ verdict: Verdict) {
        if case .refuse(let reason) = verdict.outcome {
            (self.reason, isShadowed) = (reason, false)
        } else {
            (reason, isShadowed) = (verdict.wouldRefuse, verdict.wouldRefuse != nil)
        }
        (organization, project, object) = (verdict.names.organization, verdict.names.project, verdict.names.object)
    }

    /// As the log and the metrics have it.
    var name: StaticString { reason == nil ? "allowed" : isShadowed ? "would_refuse" : "refused" }
    var isRefused: Bool { reason != nil && !isShadowed }
}
