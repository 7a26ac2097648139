internal import HTTP1

/// Which paths may be elevated: those in plain form that lead neither to `/oauth/`, which would hand out a real token, nor
/// to ingest (`/api/<project>/…`, and the older `/api/store/` and `/api/embed/`), which has authentication of its own.
///
/// Sentry may be told of the upstream's path prefix or not, by a server that takes it, or a part of it, off. So what is never
/// elevated is looked for behind every segment of it.
package struct ElevatedPaths: Sendable {
    /// The prefix's last segment is `api`: ingest may begin with the request's first segment.
    private let prefixEndsWithAPI: Bool
    /// Nothing is elevated: the prefix is not in plain form, or leads by itself to a place that is never elevated.
    package let isPrefixBarred: Bool
    /// `--elevate-paths`; empty is all. Each begins and ends with a slash.
    private let chosen: [[UInt8]]

    /// Every path in plain form, without a prefix before it.
    package static let all = ElevatedPaths()

    private init() {
        (prefixEndsWithAPI, isPrefixBarred, chosen) = (false, false, [])
    }

    /// - Parameters:
    ///   - upstreamPrefix: the path of `--sentry-uri`.
    ///   - chosen: what `--elevate-paths` names.
    package init(upstreamPrefix: [UInt8], chosen: [[UInt8]] = []) {
        self.chosen = chosen
        let span = upstreamPrefix.span
        guard !upstreamPrefix.isEmpty else {
            (isPrefixBarred, prefixEndsWithAPI) = (false, false)
            return
        }
        guard let prefix = PlainPath(span), prefix.count <= PlainPath.mostSegments, prefix.escaped == 0 else {
            (isPrefixBarred, prefixEndsWithAPI) = (true, false)
            return
        }
        var isBarred = false
        for i in 0..<prefix.count {
            let second = i + 1 < prefix.count ? prefix.slice(i + 1) : nil
            if isNeverElevated(span, prefix.slice(i), second) { isBarred = true }
        }
        isPrefixBarred = isBarred
        prefixEndsWithAPI = prefix.count > 0 && fieldEquals(span, prefix.slice(prefix.count - 1), "api")
    }

    /// What `--elevate-paths` may name: a path in plain form that begins and ends with a slash.
    package static func isChoice(_ path: [UInt8]) -> Bool {
        PlainPath(path.span).map { $0.end == path.count && path.last == ASCII.slash } ?? false
    }

    /// - Parameter path: path and query of a request target.
    package func contains(_ path: Span<UInt8>) -> Bool { contains(path, PlainPath(path)) }

    /// - Parameters:
    ///   - path: path and query of a request target.
    ///   - plain: its plain form; nil when it has none.
    func contains(_ path: Span<UInt8>, _ plain: PlainPath?) -> Bool {
        guard !isPrefixBarred else { return false }
        // Absolute form may come without a path (RFC 9112 §3.2.2).
        if !path.isEmpty {
            guard let plain else { return false }
            if plain.count > 0 {
                if isNeverElevated(path, plain.slice(0), plain.count > 1 ? plain.slice(1) : nil) { return false }
                if prefixEndsWithAPI, isIngest(path, plain.slice(0)) { return false }
            }
        }
        guard !chosen.isEmpty else { return true }
        for place in chosen where begins(path, place.span) { return true }
        return false
    }
}

/// Whether the path is under `place`, or `place` without its last slash.
private func begins(_ path: Span<UInt8>, _ place: Span<UInt8>) -> Bool {
    let name = place.count - 1
    guard path.count >= name else { return name == 0 }
    for i in 0..<name where path[i] != place[i] { return false }
    return path.count == name || path[name] == UInt8(ascii: "/") || path[name] == UInt8(ascii: "?")
}

/// Letters have no case here: whatever leads a request to Sentry may not look at it.
private func isNeverElevated(_ path: Span<UInt8>, _ first: ByteSlice, _ second: ByteSlice?) -> Bool {
    if fieldEquals(path, first, "oauth") { return true }
    guard let second, fieldEquals(path, first, "api") else { return false }
    return isIngest(path, second)
}

/// Whether the segment behind `/api/` is a project's, as any reader of numbers might take it, or an older place of ingest.
private func isIngest(_ path: Span<UInt8>, _ segment: ByteSlice) -> Bool {
    switch path[Int(segment.start)] {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"): !bytesEqual(path, segment, "0")
    default: fieldEquals(path, segment, "store") || fieldEquals(path, segment, "embed")
    }
}

extension PlainPath {
    fileprivate func slice(_ index: Int) -> ByteSlice {
        let range = segment(index)
        return ByteSlice(start: range.lowerBound, count: range.count)
    }
}
