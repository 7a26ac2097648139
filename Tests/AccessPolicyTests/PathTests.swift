import AccessPolicy
import HTTP1
import Testing

/// Which paths are elevated, with no alias configured: paths in plain form that are not barred.
@Suite struct PathTests {
    private func route(_ path: String) throws -> Route? {
        let head = RequestHead()
        head.method = .get
        head.path = ByteSlice(start: 0, count: path.utf8.count)
        guard case .forward(let forward) = decide(head, Array(path.utf8).span, PolicyConfiguration()) else {
            return nil
        }
        return forward.route
    }

    @Test(arguments: [
        "/oauth/", "/oauth", "/oauth/token/", "/oauth?x", "/oauth/token/?x=/api/0/", "/OAuth/token/", "/%6fauth/",
        "/%6F%61%75%74%68/",
        "/oauth%2ftoken/", "/oauth%2Ftoken/", "//oauth/", "///oauth/token", "/%2foauth/", "/%2Foauth", "/./oauth/",
        "/%2e/oauth/",
        "/api/0/../../oauth/", "/api/0/%2e%2E/%2e./oauth/", "/x/..%2foauth/", "/../oauth/", "/..;/oauth/",
        "/;a=b/oauth/",
        "/oauth;a=b/token/", "/oauth%3btoken", "/oauth%3fx", "/oauth%23x", "/oauth%00/", "/o%00auth/", "/%09oauth/",
        "/oauth%20/",
        "/oauth%0a", "\\oauth\\token", "/%5coauth/", "/oauth%5ctoken/",
        // Decoded more than once.
        "/%256fauth/", "/%25256fauth/", "/%%36fauth/", "/%6%66auth/", "/%25%36%66auth/", "/oauth%252ftoken/",
        "/%252e%252e/oauth/",
        "/%252foauth/", "/%%%%%%%%%%%%%%%%%%%%oauth/", "/%2%2%2%2%2%2%2%2%2%2%2%2%2%2%2%2/",
    ]) func oauthIsNeverElevated(_ path: String) throws {
        #expect(try route(path) == .bypass)
    }

    @Test(arguments: [
        "/api/1/envelope/", "/api/42/store/", "/api/123", "/api/1", "/API/1/envelope/", "/%61pi/1/envelope/",
        "/api%2f1%2fenvelope/",
        "//api//1//envelope/", "/api/%31/envelope/", "/api/%2531/envelope/", "/api/00/envelope/", "/api/01/envelope/",
        "/api/0001/",
        "/api/+1/envelope/", "/api/-1/", "/api/%201/envelope/", "/api/0%00/", "/api/0%201/", "/api/0;x/",
        "/api/1;x/envelope/",
        "/api/%d9%a1/envelope/", "/api/%ef%bc%91/", "/api/./1/", "/api/0/../1/envelope/", "/api/x/../1/envelope/",
        "/api/;x/1/",
        "/api\\1\\envelope", "/api/1?x", "/api/1%3fx", "/api/99999999999999999999/",
    ]) func ingestIsNeverElevated(_ path: String) throws {
        #expect(try route(path) == .bypass)
    }

    @Test(arguments: [
        "/", "", "/?x", "/api/0/", "/api/0", "/api/0?x=/oauth/", "/api/0/?next=../../oauth/", "/api/0/organizations/",
        "/api/0/organizations/oauth/", "/api/0/organizations/api/1/", "/api/0/projects/1/2/",
        "/api/0/organizations/acme/releases/a%40..1.0%2Bb/", "/api/0/organizations/acme/releases/%C3%A9%20b/",
        "/api/0/organizations/acme/releases/%f0%9f%9a%80/",
        "/api/0/organizations/acme/releases/a%3Bb%3Fc%23d/", "/api/0/organizations/acme/releases/{a}|~!@$&'()*+,=:/",
        "/oauths/", "/oaut/", "/oauth2/token/", "/xoauth/", "/apis/1/", "/api/", "/api", "/api/embedded/",
        "/api/stores/",
        "/api/hooks/mailgun/inbound/", "/api/0/organizations/...a/", "/api/0/organizations/.../", "/_health/",
        "/organizations/oauth/", "/api/0/a/b/c/d/e/f/g/h/i/j/k/l/m/n/",
    ]) func otherPathsInPlainFormAreElevated(_ path: String) throws {
        #expect(try route(path) == .elevated)
    }

    @Test(arguments: [
        // An empty segment.
        "//", "//x", "//x/oauth/token/", "/api//0/", "/api/0//", "//api//0//x/", "/api/0/x//?y",
        // Dot segments, bare and escaped, with what some readers leave out.
        "/api/0/./x/", "/api/0/x/..", "/api/0/%2e/", "/api/0/x/%2E./y/", "/api/0/x/..%3Bp/", "/api/0/x/%20../",
        "/api/0/x/.%23/", "/api/0/x/%20%3Bp/", "/api/0/x/%3Bp/",
        // Parameters and other slashes.
        "/;x/api/0/", "/;\\0/oauth/token/", "/api/;\\x/1/envelope/", "/api/0/x;p/", "/api/0/x\\y/", "/api\\0\\x/",
        // An escape where routes are told apart.
        "/api/%30/organizations/", "/%61pi/0/", "/x/%61/", "/%78/",
        // What a second decoding would change, or a first one turn into another path.
        "/api/0/x/a%2Fb/", "/api/0/x/a%5Cb/", "/api/0/x/100%25/", "/api/0/x/a%252Fb/", "/api/0/x/a%00b/",
        "/api/0/x/a%7Fb/",
        "/api/0/x/a%0Ab/", "/api/0/x/50%/", "/api/0/x/%", "/api/0/x/%2", "/api/0/x/%zz/", "/api/0/x/%4",
        // No UTF-8: overlong, cut short, a surrogate, beyond Unicode.
        "/api/0/x/%C0%AF/", "/api/0/x/%E0%80%AF/", "/api/0/x/%C3/", "/api/0/x/%C3a/", "/api/0/x/%ED%A0%80/",
        "/api/0/x/%F4%90%80%80/", "/api/0/x/%A9/", "/api/0/x/%FF/", "/api/0/x/%F8%88%80%80%80/",
        // Bytes that no request target has.
        "/api/0/x#y", "/api/0/\u{e9}/", "/api/0/x y/", "/api/0/x\ty/",
        // Not a path.
        "*", "api/0/",
        // Older places of ingest.
        "/api/store/", "/api/embed/", "/api/embed/error-page/", "/API/Store", "/api/store?x",
    ]) func otherFormsAndOlderIngestAreNotElevated(_ path: String) throws {
        #expect(try route(path) == .bypass)
    }

    private func elevates(_ path: String, prefix: String, chosen: [String] = []) throws -> Bool {
        let head = RequestHead()
        head.method = .get
        head.path = ByteSlice(start: 0, count: path.utf8.count)
        let paths = ElevatedPaths(upstreamPrefix: Array(prefix.utf8), chosen: chosen.map { Array($0.utf8) })
        let decision = decide(head, Array(path.utf8).span, PolicyConfiguration(elevatedPaths: paths))
        return decision == .forward(Forward(route: .elevated))
    }

    @Test func theUpstreamsPrefixIsJudgedWithThePath() throws {
        #expect(try elevates("/api/0/x/", prefix: "/sentry"))
        #expect(try elevates("/1/envelope/", prefix: "/sentry"))
        #expect(try !elevates("/1/envelope/", prefix: "/api"))
        #expect(try !elevates("/store/", prefix: "/sentry/API"))
        #expect(try elevates("/0/organizations/", prefix: "/api"))
        #expect(try elevates("/1/x/", prefix: "/api/0"))
        // Whoever takes the prefix off sees this.
        #expect(try !elevates("/oauth/token/", prefix: "/sentry"))
        #expect(try !elevates("/api/1/envelope/", prefix: "/a/b"))
        #expect(try !elevates("/api/%30/x/", prefix: "/a/b"))
        #expect(try !elevates("/x/", prefix: "/a/oauth/b"))
        for prefix in ["/a//b", "/a/%62", "/a/../b", "/a;b"] {
            #expect(try !elevates("/api/0/x/", prefix: prefix), "\(prefix)")
            #expect(ElevatedPaths(upstreamPrefix: Array(prefix.utf8)).isPrefixBarred, "\(prefix)")
        }
    }

    @Test func chosenPathsNarrowIt() throws {
        let chosen = ["/api/0/", "/_health/"]
        for path in ["/api/0/", "/api/0", "/api/0?x", "/api/0/x/", "/_health/", "/_health"] {
            #expect(try elevates(path, prefix: "", chosen: chosen), "\(path)")
        }
        for path in ["/", "/api/", "/api/01/", "/api/0x/", "/organizations/acme/", "/_healthy/", "/API/0/", "//api/0/"]
        {
            #expect(try !elevates(path, prefix: "/sentry", chosen: chosen), "\(path)")
        }
        #expect(try elevates("/x/", prefix: "", chosen: ["/"]))
        for choice in ["", "/api", "api/0/", "/api//", "/%61pi/", "/api/0/?x/", "/a/../"] {
            #expect(!ElevatedPaths.isChoice(Array(choice.utf8)), "\(choice)")
        }
        #expect(ElevatedPaths.isChoice(Array("/api/0/".utf8)) && ElevatedPaths.isChoice(Array("/".utf8)))
    }

    /// `#require` takes no span.
    private func plainPath(_ path: [UInt8]) -> PlainPath? { PlainPath(path.span) }

    @Test func segmentsAreNotedWithTheirEscapes() throws {
        let path = Array("/api/0/organizations/acme/releases/a%20b/x?y=/z".utf8)
        let plain = try #require(plainPath(path))
        let names = (0..<plain.count).map { String(decoding: path[plain.segment($0)], as: UTF8.self) }
        #expect(names == ["api", "0", "organizations", "acme", "releases", "a%20b", "x"])
        #expect(plain.escaped == 1 << 5 && path[plain.end] == UInt8(ascii: "?"))
        let long = Array("/api/0/a/b/c/d/e/f/g/h/i/j/%6b/l/".utf8)
        let noted = try #require(plainPath(long))
        #expect(noted.count == 14 && noted.escaped == 1 << 11 && noted.end == long.count)
    }

    /// What the worst of readers would take for a barred place is never elevated, and a path without any of what readers
    /// differ in is judged by its first names.
    @Test func agreesWithAPlainReading() throws {
        var random = SeededGenerator(state: 7)
        let pieces = [
            "/", "/", "/x", "%2f", "%252F", "oauth", "o%61uth", "api", "0", "1", "%31", "%30", ".", "..", "%2e", ";",
            "%",
            "%2", "5", "x", "\\", "%5c", "A", "%00", "y-1.x", "?", "#", "abcdefgh", "/api/", "/0/", "/1/",
        ]
        var (elevated, plain) = (0, 0)
        for _ in 0..<20_000 {
            let path =
                (Bool.random(using: &random) ? "/" : "/api/0/")
                + (0..<Int.random(in: 1...8, using: &random)).map { _ in pieces.randomElement(using: &random)! }
                .joined()
            let isElevated = try route(path) == .elevated
            if plainlyBarred(path) { #expect(!isElevated, "\(path)") }
            let name = path.prefix { $0 != "?" }
            if !name.contains(where: { "%;#\\".contains($0) }), !name.contains("//"),
                !name.split(separator: "/").contains(where: { $0 == "." || $0 == ".." })
            {
                plain += 1
                #expect(isElevated == !plainlyBarred(path), "\(path)")
            }
            elevated += isElevated ? 1 : 0
        }
        #expect(elevated > 1000 && elevated < 19_000 && plain > 1000)
    }

    private func plainlyBarred(_ path: String) -> Bool {
        var bytes = Array(path.utf8.prefix { $0 != UInt8(ascii: "?") })
        while let at = bytes.indices.first(where: { escape(bytes, $0) != nil }) {
            bytes.replaceSubrange(at...at + 2, with: [escape(bytes, at)!])
        }
        let segments = bytes.split { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
            .map { segment in
                let name = segment.prefix { !";?#".utf8.contains($0) }.filter { $0 > 0x20 && $0 != 0x7f }
                return (name: String(decoding: name, as: UTF8.self).lowercased(), isPlain: name.count == segment.count)
            }
            .filter { !$0.name.isEmpty }
        if segments.contains(where: { $0.name == "." || $0.name == ".." }) { return true }
        if segments.first?.name == "oauth" { return true }
        guard segments.count > 1, segments[0].name == "api", segments[1].name.first!.isNumber else { return false }
        return segments[1].name != "0" || !segments[1].isPlain
    }

    private func escape(_ bytes: [UInt8], _ at: Int) -> UInt8? {
        guard bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.count else { return nil }
        return UInt8(String(decoding: bytes[at + 1...at + 2], as: UTF8.self), radix: 16)
    }
}
