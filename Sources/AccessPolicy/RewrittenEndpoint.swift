internal import HTTP1

/// The endpoints whose JSON names Sentry's own address to clients that follow it.
package enum RewrittenEndpoint: Sendable, Equatable, CaseIterable {
    /// `/api/0/organizations/{organization}/chunk-upload/`
    case chunkUpload
    /// `/api/0/organizations/{organization}/`
    case organization
    /// `/api/0/organizations/`
    case organizationList
    /// `/api/0/organizations/{organization}/region/`
    case region
    /// `/api/0/users/me/regions/`
    case regionList
    /// `/api/canonical/0/` of Bugsink: names its collections.
    case canonicalRoot
    /// Whatever is below it: pages of a collection name those beside them.
    case canonicalPage

    /// The endpoint of a request's path (without query), as the client sent it. Compared as Sentry does: case counts,
    /// percent-encoding does not; a missing slash at the end is forgiven.
    package init?(path: Span<UInt8>) {
        guard let base = PathSegment.skip("api", in: path, at: 0) else { return nil }
        if let canonical = PathSegment.skip("canonical", in: path, at: base) {
            guard let zero = PathSegment.skip("0", in: path, at: canonical) else { return nil }
            self = PathSegment.isEnd(path, zero) ? .canonicalRoot : .canonicalPage
            return
        }
        guard let zero = PathSegment.skip("0", in: path, at: base) else { return nil }
        if let organizations = PathSegment.skip("organizations", in: path, at: zero) {
            if PathSegment.isEnd(path, organizations) {
                self = .organizationList
            } else if let slug = PathSegment.skip(nil, in: path, at: organizations) {
                if PathSegment.isEnd(path, slug) {
                    self = .organization
                } else if let last = PathSegment.skip("chunk-upload", in: path, at: slug), PathSegment.isEnd(path, last)
                {
                    self = .chunkUpload
                } else if let last = PathSegment.skip("region", in: path, at: slug), PathSegment.isEnd(path, last) {
                    self = .region
                } else {
                    return nil
                }
            } else {
                return nil
            }
        } else if let users = PathSegment.skip("users", in: path, at: zero),
            let me = PathSegment.skip("me", in: path, at: users),
            let regions = PathSegment.skip("regions", in: path, at: me), PathSegment.isEnd(path, regions)
        {
            self = .regionList
        } else {
            return nil
        }
    }

    /// The same for a path that has a plain form, most of which are told by two of their segments.
    package init?(_ plain: PlainPath, _ path: Span<UInt8>) {
        guard plain.escaped == 0 else {
            self.init(path: path.extracting(first: plain.end))
            return
        }
        guard plain.count >= 2 else { return nil }
        func has(_ index: Int, _ name: StaticString) -> Bool {
            isText(path.extracting(plain.segment(index)), name)
        }
        // Nearly all paths begin so.
        let isAPI = path.count >= 7 && bytesEqual(path, ByteSlice(start: 0, count: 7), "/api/0/")
        guard isAPI || has(0, "api") else { return nil }
        guard isAPI || has(1, "0") else {
            guard plain.count >= 3, has(1, "canonical"), has(2, "0") else { return nil }
            self = plain.count == 3 ? .canonicalRoot : .canonicalPage
            return
        }
        switch plain.count {
        case 3 where has(2, "organizations"): self = .organizationList
        case 4 where has(2, "organizations"): self = .organization
        case 5:
            switch plain.segment(4).count {
            case 12 where has(4, "chunk-upload") && has(2, "organizations"): self = .chunkUpload
            case 6 where has(4, "region") && has(2, "organizations"): self = .region
            case 7 where has(4, "regions") && has(3, "me") && has(2, "users"): self = .regionList
            default: return nil
            }
        default: return nil
        }
    }

    /// Where its URLs are.
    var steps: [JSONStep] {
        switch self {
        case .chunkUpload, .region: Self.url
        case .organization: Self.organizationLinks
        case .organizationList: Self.listLinks
        case .regionList: Self.regions
        case .canonicalRoot: Self.anyMember
        case .canonicalPage: Self.pages
        }
    }

    private static let url: [JSONStep] = [.member("url")]
    private static let organizationLinks: [JSONStep] = [
        .member("links"), .eitherMember("regionUrl", "organizationUrl"),
    ]
    private static let listLinks: [JSONStep] = [.element] + organizationLinks
    private static let anyMember: [JSONStep] = [.anyMember]
    private static let pages: [JSONStep] = [.eitherMember("next", "previous")]
    private static let regions: [JSONStep] = [.member("regions"), .element, .member("url")]
}

/// One segment of a path at a time.
private enum PathSegment {
    /// Where the path goes on after `/` and this segment, or any segment that is not empty.
    static func skip(_ name: StaticString?, in path: Span<UInt8>, at start: Int) -> Int? {
        guard start < path.count, path[start] == UInt8(ascii: "/") else { return nil }
        var at = start + 1
        guard let name else {
            while at < path.count, path[at] != UInt8(ascii: "/") { at += 1 }
            return at > start + 1 ? at : nil
        }
        for i in 0..<name.utf8CodeUnitCount {
            guard at < path.count else { return nil }
            var byte = path[at]
            at += 1
            if byte == UInt8(ascii: "%"), at + 1 < path.count,
                let high = URLReference.hexadecimalValue(path[at]),
                let low = URLReference.hexadecimalValue(path[at + 1])
            {
                byte = high << 4 | low
                at += 2
            }
            guard byte == name.utf8Start[i] else { return nil }
        }
        return at == path.count || path[at] == UInt8(ascii: "/") ? at : nil
    }

    /// Nothing is left but perhaps a slash.
    static func isEnd(_ path: Span<UInt8>, _ at: Int) -> Bool {
        at == path.count || at == path.count - 1 && path[at] == UInt8(ascii: "/")
    }
}
