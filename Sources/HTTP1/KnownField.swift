/// The fields that somebody here asks for by name. The parsers recognise them while they read, so that nobody behind them
/// compares names.
///
/// A name is what a WSGI server takes it for: without regard to case, `_` read as `-`, since both become `_` in the
/// environment (PEP 3333, RFC 3875 §4.1.18).
@usableFromInline
package enum KnownField: UInt8, Sendable, CaseIterable {
    case unknown
    case accept
    case acceptEncoding
    case acceptLanguage
    case acceptRanges
    case authentication
    case authorization
    case connection
    case contentEncoding
    case contentLength
    case contentType
    case cookie
    case etag
    case expect
    case forwarded
    case host
    case keepAlive
    case link
    case location
    case origin
    case pathInfo
    case proxy
    case proxyAuthorization
    case proxyConnection
    case referer
    case scriptName
    case secFetchSite
    case setCookie
    case te
    case traceparent
    case trailer
    case transferEncoding
    case upgrade
    case userAgent
    case vary
    case via
    case wwwAuthenticate
    case xForwardedFor
    /// Any other name that begins with `X-Forwarded-`.
    case xForwardedOther
    case xHTTPMethod
    case xHTTPMethodOverride
    case xIsAgent
    case xMethodOverride
    case xOriginalURL
    case xRealIP
    case xRequestID
    case xRewriteURL
    case xSentryAuth
    /// Any name that begins with `X-Sentry-Relay-`.
    case xSentryRelay
    case xViewerContext
}

extension KnownField {
    /// The name in small letters; it has letters and hyphens alone. A `*` at the end stands for any ending that no other name has.
    package var name: StaticString {
        switch self {
        case .unknown: "*"
        case .accept: "accept"
        case .acceptEncoding: "accept-encoding"
        case .acceptLanguage: "accept-language"
        case .acceptRanges: "accept-ranges"
        case .authentication: "authentication"
        case .authorization: "authorization"
        case .connection: "connection"
        case .contentEncoding: "content-encoding"
        case .contentLength: "content-length"
        case .contentType: "content-type"
        case .cookie: "cookie"
        case .etag: "etag"
        case .expect: "expect"
        case .forwarded: "forwarded"
        case .host: "host"
        case .keepAlive: "keep-alive"
        case .link: "link"
        case .location: "location"
        case .origin: "origin"
        case .pathInfo: "path-info"
        case .proxy: "proxy"
        case .proxyAuthorization: "proxy-authorization"
        case .proxyConnection: "proxy-connection"
        case .referer: "referer"
        case .scriptName: "script-name"
        case .secFetchSite: "sec-fetch-site"
        case .setCookie: "set-cookie"
        case .te: "te"
        case .traceparent: "traceparent"
        case .trailer: "trailer"
        case .transferEncoding: "transfer-encoding"
        case .upgrade: "upgrade"
        case .userAgent: "user-agent"
        case .vary: "vary"
        case .via: "via"
        case .wwwAuthenticate: "www-authenticate"
        case .xForwardedFor: "x-forwarded-for"
        case .xForwardedOther: "x-forwarded-*"
        case .xHTTPMethod: "x-http-method"
        case .xHTTPMethodOverride: "x-http-method-override"
        case .xIsAgent: "x-is-agent"
        case .xMethodOverride: "x-method-override"
        case .xOriginalURL: "x-original-url"
        case .xRealIP: "x-real-ip"
        case .xRequestID: "x-request-id"
        case .xRewriteURL: "x-rewrite-url"
        case .xSentryAuth: "x-sentry-auth"
        case .xSentryRelay: "x-sentry-relay-*"
        case .xViewerContext: "x-viewer-context"
        }
    }

    /// The field that `bytes[name]` is.
    package init(_ bytes: Span<UInt8>, _ name: ByteSlice) {
        self = KnownFieldTable.shared.field(bytes, name)
    }
}

/// Finds the field of a name, by open addressing: most names that nobody asks for lead to a free slot.
///
/// A class, so that a look-up does not copy the table.
final class KnownFieldTable: Sendable {
    /// A name in words of eight bytes, in small letters.
    private struct Entry: Sendable {
        /// The first eight bytes, or all there are and zeros.
        var first: UInt64 = 0
        /// The last eight, which may overlap the others; 0 when there are fewer than eight.
        var last: UInt64 = 0
        /// The second eight of more than sixteen, or 0.
        var second: UInt64 = 0
        /// Bytes of the name; 0 is a free slot.
        var count: UInt8 = 0
        var field = KnownField.unknown
    }

    static let shared = KnownFieldTable()

    private static let slotBits: UInt64 = 7
    private static let mostLooked = 24
    private let slots: InlineArray<128, Entry>
    private let forwarded: Entry
    private let relay: Entry

    private init() {
        var slots = InlineArray<128, Entry>(repeating: Entry())
        var (forwarded, relay) = (Entry(), Entry())
        for field in KnownField.allCases where field != .unknown {
            var name = field.name.withUTF8Buffer { Array($0) }
            let isPrefix = name.last == ASCII.asterisk
            if isPrefix { name.removeLast() }
            let entry = Self.entry(name, field)
            switch field {
            case .xForwardedOther: forwarded = entry
            case .xSentryRelay: relay = entry
            default:
                precondition(!isPrefix, "both prefixes are named here")
                var slot = Self.slot(entry.first, entry.last)
                while slots[slot].count > 0 { slot = (slot + 1) & (slots.count - 1) }
                slots[slot] = entry
            }
        }
        self.slots = slots
        (self.forwarded, self.relay) = (forwarded, relay)
    }

    private static func entry(_ name: [UInt8], _ field: KnownField) -> Entry {
        precondition(2..<Self.mostLooked ~= name.count, "a known name is shorter than what is looked at of any")
        let padded = name + [UInt8](repeating: 0, count: 8)
        func word(_ offset: Int) -> UInt64 { EightBytes(padded.span.bytes, at: offset).word }
        return Entry(
            first: word(0), last: name.count >= 8 ? word(name.count - 8) : 0, second: name.count > 16 ? word(8) : 0,
            count: UInt8(name.count), field: field)
    }

    @inline(__always)
    private static func slot(_ first: UInt64, _ last: UInt64) -> Int {
        // Multiplicative hashing, with a constant that leads no two of the names to one slot.
        Int(truncatingIfNeeded: ((first ^ last &<< 1) &* 0x8ba2_df84_0872_29fd) &>> (64 - slotBits))
    }

    /// The field of any name.
    func field(_ bytes: Span<UInt8>, _ name: ByteSlice) -> KnownField {
        var folded = InlineArray<32, UInt8>(repeating: 0)
        // Of one that is longer than every known name the beginning is enough: it may be one of the prefixes.
        let count = min(Int(name.count), Self.mostLooked)
        for i in 0..<count {
            let byte = bytes[Int(name.start) + i]
            guard ByteClass.token.contains(byte) else { return .unknown }
            folded[i] = byte.foldedUnderWSGI
        }
        return field(usualName: folded.span, from: 0, to: count)
    }

    /// The field of a name that has letters, digits and hyphens alone: once bit 5 is set, only letters and hyphens of it are what
    /// the entries have.
    @inline(__always)
    func field(usualName bytes: Span<UInt8>, from start: Int, to end: Int) -> KnownField {
        let count = end &- start
        // Fewer than eight bytes at the end of all of them: no line of a head is so, with what follows it.
        guard count >= 2, bytes.count &- start >= 8 else {
            return count < 2 ? .unknown : field(bytes, ByteSlice(start: start, count: count))
        }
        let raw = bytes.bytes
        var first = EightBytes(raw, at: start).inSmallLetters
        var last: UInt64 = 0
        if count < 8 {
            first &= .max &>> UInt64(truncatingIfNeeded: 64 &- 8 &* count)
        } else {
            last = EightBytes(raw, at: end &- 8).inSmallLetters
        }
        var slot = Self.slot(first, last)
        while true {
            let entry = slots[slot]
            if entry.first == first, entry.last == last, Int(entry.count) == count,
                count <= 16 || EightBytes(raw, at: start &+ 8).inSmallLetters == entry.second
            {
                return entry.field
            }
            guard entry.count > 0 else { break }
            slot = (slot &+ 1) & (slots.count &- 1)
        }
        if first == forwarded.first, begins(raw, start, count, forwarded) { return .xForwardedOther }
        if first == relay.first, begins(raw, start, count, relay) { return .xSentryRelay }
        return .unknown
    }

    private func begins(_ bytes: RawSpan, _ start: Int, _ count: Int, _ prefix: Entry) -> Bool {
        let length = Int(prefix.count)
        return count >= length && EightBytes(bytes, at: start + length - 8).inSmallLetters == prefix.last
    }
}

/// Some of the known fields.
@usableFromInline
package struct KnownFields: Sendable, Equatable {
    /// A bit for each.
    @usableFromInline var bits: UInt64

    @inlinable @inline(__always)
    package init(bits: UInt64 = 0) { self.bits = bits }

    @inlinable @inline(__always)
    package init(_ field: KnownField) { bits = 1 &<< UInt64(field.rawValue) }

    @inlinable @inline(__always)
    package func contains(_ field: KnownField) -> Bool { bits &>> UInt64(field.rawValue) & 1 == 1 }

    @inlinable @inline(__always)
    package var isEmpty: Bool { bits == 0 }

    @inlinable @inline(__always)
    package static func | (a: KnownFields, b: KnownFields) -> KnownFields { KnownFields(bits: a.bits | b.bits) }

    @inlinable @inline(__always)
    package static func & (a: KnownFields, b: KnownFields) -> KnownFields { KnownFields(bits: a.bits & b.bits) }

    @inlinable @inline(__always)
    package static func | (a: KnownFields, b: KnownField) -> KnownFields { a | KnownFields(b) }

    @inlinable @inline(__always)
    package func subtracting(_ field: KnownField) -> KnownFields { KnownFields(bits: bits & ~KnownFields(field).bits) }
}

extension KnownField {
    @inlinable @inline(__always)
    package static func | (a: KnownField, b: KnownField) -> KnownFields { KnownFields(a) | KnownFields(b) }
}
