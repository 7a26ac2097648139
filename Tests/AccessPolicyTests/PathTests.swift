import AccessPolicy
import HTTP1
import Testing

/// Which paths are elevated, with no alias configured: everything that is not barred.
@Suite struct PathTests {
    private func route(_ path: String) throws -> Route? {
        var head = RequestHead()
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
        "/", "", "*", "/api/0/", "/api/0", "/api/0?x=/oauth/", "/api/0/?next=../../oauth/", "/api/0/organizations/",
        "//api//0//x/",
        "/api/%30/organizations/", "/api/0/organizations/oauth/", "/api/0/organizations/api/1/", "/api/0/projects/1/2/",
        "/api/0/organizations/acme/releases/a%2Fb%40..1.0/", "/api/0/organizations/acme/releases/100%25/",
        "/api/0/x/50%/",
        "/api/0/organizations/acme/releases/a%252Fb/", "/oauths/", "/oaut/", "/oauth2/token/", "/xoauth/", "/apis/1/",
        "/api/", "/api",
        "/api/embed/error-page/", "/api/0/organizations/...a/", "/api/0/organizations/.../", "/api/0/%", "/api/0/%2",
        "/api/0/%zz/",
        "/_health/", "/organizations/oauth/",
    ]) func otherPathsAreElevated(_ path: String) throws {
        #expect(try route(path) == .elevated)
    }

    /// The streaming reader gives the verdict of a plain one that decodes until nothing changes.
    @Test func agreesWithAPlainReading() throws {
        var random = SeededGenerator(state: 7)
        let pieces = [
            "/", "%2f", "%252F", "oauth", "o%61uth", "api", "0", "1", "%31", "%30", ".", "..", "%2e", ";", "%", "%2",
            "5", "x", "\\", "%5c",
            "A", "%00", "y-1.x", "?", "#", "abcdefgh",
        ]
        var barred = 0
        for _ in 0..<20_000 {
            // Half of them where most requests go: there, a path that looks plain is not taken apart.
            let path =
                (Bool.random(using: &random) ? "/" : "/api/0/")
                + (0..<Int.random(in: 1...8, using: &random)).map { _ in pieces.randomElement(using: &random)! }
                .joined()
            let expected = plainlyBarred(path)
            barred += expected ? 1 : 0
            #expect(try (route(path) == .bypass) == expected, "\(path)")
        }
        #expect(barred > 1000 && barred < 19_000)
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
