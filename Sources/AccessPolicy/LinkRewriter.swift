/// The scheme that a client's connection was accepted with.
package enum ClientScheme: Sendable {
    case http, https

    var text: StaticString { self == .http ? "http://" : "https://" }
}

/// Keeps clients of the elevated route behind the proxy: what Sentry says about its own address is said about the
/// proxy's.
///
/// Sentry writes its URLs with the option `system.url-prefix`, which the proxy does not know. So it is the place, not
/// the address, that tells Sentry's own URLs:
///
/// | place | rewritten |
/// |---|---|
/// | `Link` (RFC 8288) | every `<…>` with `rel` previous, prev or next: always the next page of this API |
/// | `Location` | the upstream's own authority, or a path under `/api/0/`; all else leads elsewhere on purpose (a stored file, a login page) and stays |
/// | JSON of a `RewrittenEndpoint` | the members that name Sentry itself |
///
/// Scheme and authority become `--public-url`, or else the request's scheme and Host, or else nothing: a path. The upstream's
/// path prefix is taken out, also from a reference that is a path already. Other relative references stay.
///
/// A class, so that handing it on copies nothing.
package final class LinkRewriter: Sendable {
    private let publicURL: PublicURL?
    private let upstreamAuthority: [UInt8]
    private let upstreamIsSecure: Bool
    private let upstreamPrefix: [UInt8]

    /// - Parameters:
    ///   - publicURL: `--public-url`.
    ///   - upstreamAuthority: host and port as in the Host field that is sent upstream.
    ///   - upstreamPrefix: the path of `--sentry-uri`; a slash at its end does not count.
    package init(publicURL: PublicURL?, upstreamAuthority: [UInt8], upstreamIsSecure: Bool, upstreamPrefix: [UInt8]) {
        self.publicURL = publicURL
        self.upstreamAuthority = upstreamAuthority
        self.upstreamIsSecure = upstreamIsSecure
        var prefix = upstreamPrefix
        while prefix.last == UInt8(ascii: "/") { prefix.removeLast() }
        self.upstreamPrefix = prefix
    }

    /// Writes scheme and authority of the proxy as this client reaches it; nothing when that is not known.
    /// - Parameter host: the request's Host; empty when it had none.
    package func writeBase(scheme: ClientScheme, host: Span<UInt8>, into sink: inout some ByteSink) {
        if let publicURL {
            sink.append(publicURL.bytes.span)
        } else if URLReference.isAuthority(host) {
            sink.append(text: scheme.text)
            sink.append(host)
        }
    }

    /// Writes a `Link` value with its pages behind the proxy. Anything else is copied.
    /// - Parameter host: the request's Host; empty when it had none.
    package func rewriteLink(
        _ value: Span<UInt8>, scheme: ClientScheme, host: Span<UInt8>, into sink: inout some ByteSink
    ) {
        var copied = 0
        var at = 0
        while let open = index(of: UInt8(ascii: "<"), in: value, from: at),
            let close = index(of: UInt8(ascii: ">"), in: value, from: open + 1)
        {
            let parameters = LinkParameters.read(value, from: close + 1)
            if parameters.isPage {
                sink.append(value.extracting(copied..<open + 1))
                rewrite(value.extracting(open + 1..<close), escaped: false, scheme: scheme, host: host, into: &sink)
                copied = close
            }
            at = parameters.end
        }
        sink.append(value.extracting(copied..<value.count))
    }

    /// Writes a `Location` value, behind the proxy if it leads to Sentry.
    /// - Parameter host: the request's Host; empty when it had none.
    package func rewriteLocation(
        _ value: Span<UInt8>, scheme: ClientScheme, host: Span<UInt8>, into sink: inout some ByteSink
    ) {
        if let authority = URLReference.authority(in: value, escaped: false) {
            let upstreamAuthority = upstreamAuthority
            let isOwn = URLReference.sameAuthority(
                value.extracting(authority.range),
                isSecure: authority.hasScheme ? authority.isSecure : upstreamIsSecure,
                upstreamAuthority.span, isSecure: upstreamIsSecure
            )
            let path = afterPrefix(value, from: authority.range.upperBound, escaped: false)
            guard isOwn || URLReference.skip("/api/0/", in: value, at: path, escaped: false) != nil else {
                sink.append(value)
                return
            }
        }
        rewrite(value, escaped: false, scheme: scheme, host: host, into: &sink)
    }

    /// Whether a redirect shows that the upstream's base is another one: its https, where http is asked, or another authority
    /// with the very path that was asked for. Written behind the proxy it would bring the client back to the same request,
    /// with the token on the way each time.
    /// - Parameters:
    ///   - value: of `Location`.
    ///   - path: what the client asked for, without query; or its beginning, with `isCut`.
    /// - Returns: the range of scheme and authority in `value`, which is that base.
    package func betterBase(_ value: Span<UInt8>, path: Span<UInt8>, isCut: Bool) -> Range<Int>? {
        guard let authority = URLReference.authority(in: value, escaped: false), authority.hasScheme,
            authority.isSecure || !upstreamIsSecure,
            URLReference.isAuthority(value.extracting(authority.range))
        else { return nil }
        let base = 0..<authority.range.upperBound
        let upstreamAuthority = upstreamAuthority
        let named = value.extracting(authority.range)
        if authority.isSecure, !upstreamIsSecure, URLReference.sameHost(named, upstreamAuthority.span) { return base }
        if authority.isSecure == upstreamIsSecure,
            URLReference.sameAuthority(
                named, isSecure: authority.isSecure, upstreamAuthority.span, isSecure: upstreamIsSecure)
        {
            return nil
        }
        let start = afterPrefix(value, from: authority.range.upperBound, escaped: false)
        guard !path.isEmpty, let end = URLReference.skip(path, in: value, at: start, escaped: false) else { return nil }
        let isWhole = end == value.count || value[end] == UInt8(ascii: "?") || value[end] == UInt8(ascii: "#")
        return isWhole || isCut ? base : nil
    }

    /// Begins to write a JSON body with the endpoint's URLs behind the proxy; every other byte stays as it is.
    package func beginBody(of endpoint: RewrittenEndpoint) -> BodyRewrite {
        BodyRewrite(walker: JSONURLWalker(endpoint))
    }

    /// Goes on with the next `bytes` of the body. It is read once, so a caller learns only at the end that it was no
    /// JSON, and throws away what was written.
    /// - Parameters:
    ///   - body: all of it, the same each time.
    ///   - host: the request's Host; empty when it had none.
    package func rewrite(
        _ body: Span<UInt8>, next bytes: Int, _ state: inout BodyRewrite, scheme: ClientScheme, host: Span<UInt8>,
        into sink: inout some ByteSink
    ) -> BodyRewrite.Progress {
        state.end = min(body.count, state.end + bytes)
        while true {
            switch state.walker.next(in: body, until: state.end) {
            case .text(let range):
                sink.append(body.extracting(state.copied..<range.lowerBound))
                rewrite(body.extracting(range), escaped: true, scheme: scheme, host: host, into: &sink)
                state.copied = range.upperBound
            case .paused:
                return .more
            case .end:
                guard state.walker.isWhole else { return .notJSON }
                sink.append(body.extracting(state.copied..<body.count))
                return .done
            }
        }
    }

    /// Writes one reference: an absolute one under the proxy's base, a path without the upstream's prefix, any other as it is.
    private func rewrite(
        _ reference: Span<UInt8>, escaped: Bool, scheme: ClientScheme, host: Span<UInt8>, into sink: inout some ByteSink
    ) {
        var isAbsolute = false
        var path = 0
        if let authority = URLReference.authority(in: reference, escaped: escaped) {
            isAbsolute = true
            path = authority.range.upperBound
        }
        let start = afterPrefix(reference, from: path, escaped: escaped)
        let rest = reference.extracting(start..<reference.count)
        // A path of the proxy's own is before every other.
        let publicPath = publicURL.map(\.path) ?? []
        let isPathOfPublic =
            !isAbsolute && !publicPath.isEmpty && URLReference.skip("/", in: rest, at: 0, escaped: escaped) != nil
        guard isAbsolute || start > 0 || isPathOfPublic else {
            sink.append(reference)
            return
        }
        if isAbsolute, let publicURL {
            sink.append(publicURL.bytes.span)
        } else if isPathOfPublic {
            sink.append(publicPath.span)
        } else if isAbsolute, URLReference.isAuthority(host) {
            sink.append(text: scheme.text)
            sink.append(host)
        } else if URLReference.skip("//", in: rest, at: 0, escaped: escaped) != nil {
            // Without an authority before it, this would name another host (RFC 3986 §4.2).
            sink.append(text: "/.")
        } else if URLReference.skip("/", in: rest, at: 0, escaped: escaped) == nil {
            sink.append(text: "/")
        }
        sink.append(rest)
    }

    /// Where the path goes on after the upstream's prefix, which ends at a segment's end; or `start` when it is not there.
    private func afterPrefix(_ reference: Span<UInt8>, from start: Int, escaped: Bool) -> Int {
        let upstreamPrefix = upstreamPrefix
        guard !upstreamPrefix.isEmpty,
            let end = URLReference.skip(upstreamPrefix.span, in: reference, at: start, escaped: escaped)
        else { return start }
        guard end < reference.count else { return end }
        switch URLReference.unit(reference, end, escaped: escaped).code {
        case UInt16(UInt8(ascii: "/")), UInt16(UInt8(ascii: "?")), UInt16(UInt8(ascii: "#")): return end
        default: return start
        }
    }

    private func index(of byte: UInt8, in bytes: Span<UInt8>, from start: Int) -> Int? {
        var at = start
        while at < bytes.count {
            if bytes[at] == byte { return at }
            at += 1
        }
        return nil
    }
}

/// How far the rewriting of one body has come.
package struct BodyRewrite {
    package enum Progress: Sendable { case more, done, notJSON }

    fileprivate var walker: JSONURLWalker
    /// Bytes that were written, or stand rewritten in what was.
    fileprivate var copied = 0
    /// Where the slice at hand ends.
    fileprivate var end = 0

    fileprivate init(walker: JSONURLWalker) {
        self.walker = walker
    }
}
