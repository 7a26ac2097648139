import AccessPolicy
import HTTP1
import Testing

/// Rewritten bytes, kept.
private struct Bytes: ByteSink {
    var all: [UInt8] = []
    mutating func append(_ bytes: Span<UInt8>) {
        for i in bytes.indices { all.append(bytes[i]) }
    }
    var text: String { String(decoding: all, as: UTF8.self) }
}

/// One rewriter and one request.
private struct Case {
    var publicURL: String?
    var prefix = ""
    var upstream = "sentry-web:9000"
    var upstreamIsSecure = false
    var scheme = ClientScheme.http
    var host = "proxy:8080"

    var rewriter: LinkRewriter {
        get throws {
            LinkRewriter(
                publicURL: try publicURL.map { try PublicURL(parsing: $0) }, upstreamAuthority: Array(upstream.utf8),
                upstreamIsSecure: upstreamIsSecure, upstreamPrefix: Array(prefix.utf8)
            )
        }
    }

    func link(_ value: String) throws -> String {
        var sink = Bytes()
        try rewriter.rewriteLink(Array(value.utf8).span, scheme: scheme, host: Array(host.utf8).span, into: &sink)
        return sink.text
    }

    func location(_ value: String) throws -> String {
        var sink = Bytes()
        try rewriter.rewriteLocation(Array(value.utf8).span, scheme: scheme, host: Array(host.utf8).span, into: &sink)
        return sink.text
    }

    func body(_ text: String, _ endpoint: RewrittenEndpoint) throws -> (text: String, isJSON: Bool) {
        let whole = try body(text, endpoint, sliceBytes: .max / 2)
        // Wherever the slices end, what comes out is the same.
        for sliceBytes in [1, 2, 3, 7] {
            let sliced = try body(text, endpoint, sliceBytes: sliceBytes)
            #expect(sliced == whole, "slices of \(sliceBytes)")
        }
        return whole
    }

    private func body(
        _ text: String, _ endpoint: RewrittenEndpoint, sliceBytes: Int
    ) throws -> (text: String, isJSON: Bool) {
        var sink = Bytes()
        let bytes = Array(text.utf8)
        let host = Array(host.utf8)
        var state = try rewriter.beginBody(of: endpoint)
        while true {
            switch try rewriter.rewrite(
                bytes.span, next: sliceBytes, &state, scheme: scheme, host: host.span, into: &sink)
            {
            case .more: continue
            case .done: return (sink.text, true)
            case .notJSON: return (text, false)
            }
        }
    }
}

struct LinkHeaderTests {
    private let sentry = """
        <http://sentry.example:9000/api/0/organizations/acme/issues/?query=a%20b&cursor=0:0:1>; rel="previous"; results="false"; \
        cursor="0:0:1", <http://sentry.example:9000/api/0/organizations/acme/issues/?query=a%20b&cursor=0:100:0>; rel="next"; \
        results="true"; cursor="0:100:0"
        """

    @Test func pagesStayBehindTheProxy() throws {
        let expected = sentry.replacing("http://sentry.example:9000", with: "http://proxy:8080")
        #expect(try Case().link(sentry) == expected)
        #expect(
            try Case(scheme: .https).link(sentry)
                == sentry.replacing("http://sentry.example:9000", with: "https://proxy:8080"))
        #expect(
            try Case(publicURL: "https://public.example/").link(sentry)
                == sentry.replacing("http://sentry.example:9000", with: "https://public.example"))
        #expect(try Case(host: "").link(sentry) == sentry.replacing("http://sentry.example:9000", with: ""))
        // Rewritten once more, nothing changes.
        #expect(try Case().link(expected) == expected)
    }

    @Test func otherRelationsStay() throws {
        for value in [
            "<https://cdn.example/>; rel=\"preconnect\"", "<https://a.example/x>; rel=\"https://next/\"",
            "<https://a.example/x>; title=\"rel=next\"", "<https://a.example/x>; relation=next",
            "<https://a.example/x>",
            "<https://a.example/x>; rel=nextish", "", "<", "<https://a.example/x", "rel=next", "<page?2>; rel=next",
            "<ftp://a.example/x>; rel=next",
        ] {
            #expect(try Case().link(value) == value)
        }
    }

    @Test func relationFormsAreUnderstood() throws {
        for relation in [
            "rel=next", "rel=\"next\"", "REL = \"foo Next\"", "rel=prev", "a=\"x,y;z\\\"\"; rel=previous",
            "a; rel=\"PREV\"",
        ] {
            let value = "<https://a.example/x?y>;\(relation), <https://b.example/>; rel=icon"
            #expect(try Case().link(value) == "<http://proxy:8080/x?y>;\(relation), <https://b.example/>; rel=icon")
        }
    }

    @Test func prefixIsTakenOut() throws {
        let prefixed = Case(prefix: "/sentry/")
        for (value, expected) in [
            ("https://s.example/sentry/api/0/x/?a", "http://proxy:8080/api/0/x/?a"),
            ("https://s.example/api/0/x/", "http://proxy:8080/api/0/x/"),
            ("https://s.example/sentry", "http://proxy:8080"),
            ("https://s.example/sentry?a", "http://proxy:8080?a"),
            ("https://s.example/sentryX/", "http://proxy:8080/sentryX/"),
            ("/sentry/api/0/x/", "/api/0/x/"),
            ("/sentry", "/"),
            ("/sentry//evil.example/", "/.//evil.example/"),
            ("/other/", "/other/"),
        ] {
            #expect(try prefixed.link("<\(value)>; rel=next") == "<\(expected)>; rel=next")
        }
    }

    @Test func everyOddHostFallsBackToAPath() throws {
        for host in ["", "a b", "a\"b", "a<b", "a\\b", "a/b", "u@a", ":80", "ä"] {
            #expect(try Case(host: host).link("<https://s.example/x>; rel=next") == "</x>; rel=next")
        }
        #expect(
            try Case(host: "[::1]:8080").link("<https://s.example/x>; rel=next") == "<http://[::1]:8080/x>; rel=next")
    }

    @Test func pathNeverBecomesAnotherHost() throws {
        let bare = Case(host: "")
        #expect(try bare.link("<https://s.example//evil.example/x>; rel=next") == "</.//evil.example/x>; rel=next")
        #expect(try bare.link("<https://s.example>; rel=next") == "</>; rel=next")
        #expect(try bare.link("<https://s.example?x>; rel=next") == "</?x>; rel=next")
        #expect(try Case().link("<//evil.example/x>; rel=next") == "<http://proxy:8080/x>; rel=next")
        #expect(try Case().link("<https://s\\@evil.example/x>; rel=next") == "<http://proxy:8080/x>; rel=next")
        #expect(try Case().link("<HTTPS://s.example/x>; rel=next") == "<http://proxy:8080/x>; rel=next")
    }
}

struct LocationTests {
    @Test func sentrysOwnAreRewritten() throws {
        for value in [
            "http://sentry-web:9000/auth/login/?next=%2F", "http://SENTRY-web:9000/auth/login/?next=%2F",
            "//sentry-web:9000/auth/login/?next=%2F",
        ] {
            #expect(try Case().location(value) == "http://proxy:8080/auth/login/?next=%2F")
        }
        // `system.url-prefix` is not known, the API's paths are.
        #expect(try Case().location("https://sentry.example/api/0/projects/") == "http://proxy:8080/api/0/projects/")
        #expect(
            try Case(prefix: "/s").location("https://sentry.example/s/api/0/projects/")
                == "http://proxy:8080/api/0/projects/")
        #expect(try Case(prefix: "/s").location("/s/api/0/projects/") == "/api/0/projects/")
    }

    @Test func defaultPortsMayBeLeftOut() throws {
        let secure = Case(upstream: "sentry.io", upstreamIsSecure: true)
        #expect(try secure.location("https://sentry.io:443/a") == "http://proxy:8080/a")
        #expect(try secure.location("http://sentry.io/a") == "http://proxy:8080/a")
        #expect(try secure.location("https://sentry.io:444/a") == "https://sentry.io:444/a")
        #expect(try Case(upstream: "a:80").location("http://a/b") == "http://proxy:8080/b")
    }

    @Test func othersStay() throws {
        for value in [
            "https://storage.example/bucket/file?signature=x", "https://sentry-web:9000.evil.example/x",
            "https://sentry-web/x", "/api/0/x/", "x", "", "?a", "mailto:a@example.org", "https://s.example/api/01/",
        ] {
            #expect(try Case().location(value) == value)
        }
    }
}

struct BetterBaseTests {
    /// The base that a redirect shows.
    private func base(_ location: String, path: String = "/api/0/x/", isCut: Bool = false, _ one: Case = Case()) throws
        -> String?
    {
        let bytes = Array(location.utf8)
        let range = try one.rewriter.betterBase(bytes.span, path: Array(path.utf8).span, isCut: isCut)
        return range.map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    @Test func itsOwnHttps() throws {
        for location in [
            "https://sentry-web/", "https://sentry-web:9443/auth/login/", "HTTPS://Sentry-Web:9000/api/0/x/?a",
            "https://sentry-web",
        ] {
            #expect(try base(location) != nil, "\(location)")
        }
        #expect(try base("https://sentry-web:9443/api/0/x/?a=1") == "https://sentry-web:9443")
        #expect(try base("https://[::1]/y/", Case(upstream: "[::1]:9000")) == "https://[::1]")
        #expect(try base("https://[::1]/y/", Case(upstream: "[::2]:9000")) == nil)
    }

    @Test func anotherNameWithTheSamePath() throws {
        #expect(try base("https://sentry.example/api/0/x/") == "https://sentry.example")
        #expect(try base("https://sentry.example:8443/api/0/x/?cursor=1") == "https://sentry.example:8443")
        #expect(try base("http://sentry.example/api/0/x/") == "http://sentry.example")
        #expect(try base("https://sentry.example/s/api/0/x/", Case(prefix: "/s")) == "https://sentry.example")
        let secure = Case(upstream: "sentry.io", upstreamIsSecure: true)
        #expect(try base("https://us.sentry.io/api/0/x/", secure) == "https://us.sentry.io")
        #expect(try base("https://sentry.example/api/0/x/and/more", isCut: true) == "https://sentry.example")
    }

    @Test func othersAreOrdinary() throws {
        for location in [
            "/api/0/x/", "//sentry-web/api/0/x/", "http://sentry-web:9000/api/0/x/", "https://sentry.example/api/0/xy/",
            "https://sentry.example/api/0/x/and/more", "https://storage.example/file", "mailto:a@example.org", "",
            "https://sentry-web.evil.example/", "https://sentry web/api/0/x/", "https://u@sentry-web/api/0/x/",
        ] {
            #expect(try base(location) == nil, "\(location)")
        }
        let secure = Case(upstream: "sentry.io", upstreamIsSecure: true)
        // Nobody is told to give https up.
        #expect(try base("http://sentry.io/api/0/x/", secure) == nil)
        #expect(try base("https://sentry.io:443/api/0/x/", secure) == nil)
        #expect(try base("https://sentry.example/", path: "") == nil)
    }
}

struct PublicURLTests {
    @Test func schemeAuthorityAndAPlainPath() throws {
        for text in [
            "http://a", "https://a.example:8443", "https://a/", "http://[::1]:80", "https://a/b", "https://a/b/c/",
        ] {
            _ = try PublicURL(parsing: text)
        }
        let bad: [(String, PublicURL.Invalid)] = [
            ("", .scheme), ("a.example", .scheme), ("ftp://a", .scheme), ("//a", .scheme), ("https:/a", .scheme),
            ("https://", .authority), ("https:///", .authority), ("https://:80", .authority),
            ("https://a b", .authority),
            ("https://u:p@a", .userInfo), ("https://a//", .path), ("https://a/b//", .path),
            ("https://a/../b", .path), ("https://a/%62", .path), ("https://a/b;c", .path), ("https://a?b", .query),
            ("https://a/?b", .query), ("https://a#b", .fragment), ("https://a/#b", .fragment),
        ]
        for (text, expected) in bad {
            #expect(throws: expected, "\(text)") { _ = try PublicURL(parsing: text) }
        }
    }
}

struct RewrittenBodyTests {
    @Test func endpointsAreKnownByTheirPath() {
        let known: [(String, RewrittenEndpoint?)] = [
            ("/api/0/organizations/", .organizationList), ("/api/0/organizations", .organizationList),
            ("/api/0/organizations/acme/", .organization), ("/api/0/organizations/acme", .organization),
            ("/api/0/organizations/acme/chunk-upload/", .chunkUpload), ("/api/0/organizations/acme/region/", .region),
            ("/api/0/organizations/acme/%63hunk-upload/", .chunkUpload), ("/api/0/users/me/regions/", .regionList),
            ("/api/0/organizations/acme/issues/", nil), ("/api/0/organizations/acme/chunk-upload/x/", nil),
            ("/api/0/organizations//", nil), ("/api/0/organizations//chunk-upload/", nil),
            ("/api/0/organizations/acme/regio%", nil), ("/api/0/organizations/acme/regio%6", nil),
            ("/api/0/organizations/acme/regio%6E", .region), ("/api/0/organizations/acme/%", nil),
            ("/api/0/users/1/regions/", nil),
            ("/api/0/Organizations/", nil), ("/api/0/", nil), ("/api/00/organizations/", nil), ("/", nil), ("", nil),
            ("/api/canonical/0/", .canonicalRoot), ("/api/canonical/0", .canonicalRoot),
            ("/api/canonical/0/issues/", .canonicalPage), ("/api/canonical/0/issues/7/tags/", .canonicalPage),
            ("/api/canonical/1/issues/", nil), ("/api/canonical/", nil), ("/api/canonicals/0/issues/", nil),
            ("api/0/organizations/", nil), ("/api/0/organizationsx", nil), ("/api/0/users/me/regions//", nil),
        ]
        for (path, endpoint) in known {
            let bytes = Array(path.utf8)
            #expect(RewrittenEndpoint(path: bytes.span) == endpoint, "\(path)")
            guard let plain = PlainPath(bytes.span) else { continue }
            #expect(RewrittenEndpoint(plain, bytes.span) == endpoint, "\(path), in plain form")
        }
    }

    @Test func chunkUploadIsRewritten() throws {
        let body =
            #"{"url":"https://sentry.example/api/0/organizations/acme/chunk-upload/","chunkSize":8388608,"hashAlgorithm":"sha1"}"#
        let expected = body.replacing("https://sentry.example", with: "http://proxy:8080")
        #expect(try Case().body(body, .chunkUpload) == (expected, true))
        #expect(try Case().body(body, .region) == (expected, true))
        #expect(try Case(host: "").body(body, .chunkUpload).text == body.replacing("https://sentry.example", with: ""))
        // A relative URL leads to the proxy already.
        let relative = #"{"url": "organizations/acme/chunk-upload/"}"#
        #expect(try Case().body(relative, .chunkUpload) == (relative, true))
    }

    @Test func escapesAreUnderstoodAndKept() throws {
        #expect(
            try Case().body(#" { "\u0075rl" : "https:\/\/sentry.example\/api\/0\/\u00e9" } "#, .chunkUpload).text
                == #" { "\u0075rl" : "http://proxy:8080\/api\/0\/\u00e9" } "#)
        #expect(
            try Case(prefix: "/s").body(#"{"url":"\u0068ttps:\u002f\u002Fsentry.example\/s\/x"}"#, .chunkUpload).text
                == #"{"url":"http://proxy:8080\/x"}"#)
        #expect(
            try Case(host: "").body(#"{"url":"https:\/\/sentry.example\/\/evil.example"}"#, .chunkUpload).text
                == #"{"url":"/.\/\/evil.example"}"#)
    }

    @Test func organizationLinksAreRewritten() throws {
        let item =
            #"{"slug":"acme","url":"https://a/1","links":{"organizationUrl":"https://acme.sentry.example","regionUrl":"https://us.sentry.example/","x":"https://a/2"},"deep":{"links":{"regionUrl":"https://a/3"}}}"#
        let expected =
            item.replacing("https://acme.sentry.example", with: "http://proxy:8080")
            .replacing("https://us.sentry.example", with: "http://proxy:8080")
        #expect(try Case().body(item, .organization) == (expected, true))
        #expect(try Case().body("[\(item), \(item)]", .organizationList) == ("[\(expected), \(expected)]", true))
        #expect(try Case().body("[\(item)]", .organization) == ("[\(item)]", true))
        #expect(try Case().body(item, .organizationList) == (item, true))
        #expect(try Case().body(item, .region).text == item.replacing("https://a/1", with: "http://proxy:8080/1"))
    }

    @Test func containersBesideTheWayAreLeftAgain() throws {
        let links =
            #"{"a":{"b":[{"c":{}}]},"links":{"d":{"e":[[]]},"f":[],"organizationUrl":"https://o","g":{"h":1},"regionUrl":"https://r"},"links":{"regionUrl":"https://s"}}"#
        let expected = links.replacing("https://o", with: "http://proxy:8080").replacing(
            "https://r", with: "http://proxy:8080"
        )
        .replacing("https://s", with: "http://proxy:8080")
        #expect(try Case().body(links, .organization) == (expected, true))
        #expect(try Case().body("[[\(links)],\(links)]", .organizationList) == ("[[\(links)],\(expected)]", true))
    }

    @Test func regionsAreRewritten() throws {
        let body =
            #"{"regions":[{"name":"us","url":"https://us.example"},{"name":"de","url":"https://de.example/"}, [{"url":"https://a"}]],"url":"https://b"}"#
        let expected = body.replacing("https://us.example", with: "http://proxy:8080")
            .replacing("https://de.example", with: "http://proxy:8080")
        #expect(try Case().body(body, .regionList) == (expected, true))
    }

    @Test func pagesOfBugsinkAreRewritten() throws {
        let page =
            #"{"next":"http://bugsink:8000/api/canonical/0/issues/?cursor=cD0x&order=asc","previous":null,"results":[{"next":"http://a/"}]}"#
        #expect(
            try Case().body(page, .canonicalPage) == (
                page.replacing("http://bugsink:8000", with: "http://proxy:8080"), true
            ))
        let last = #"{"next":null,"previous":"http://bugsink:8000/api/canonical/0/issues/?cursor=x","results":[]}"#
        #expect(
            try Case(publicURL: "https://p.example/bugs").body(last, .canonicalPage)
                == (last.replacing("http://bugsink:8000", with: "https://p.example/bugs"), true))
        let root =
            #"{"events":"http://bugsink:8000/api/canonical/0/events/","teams":"http://bugsink:8000/api/canonical/0/teams/"}"#
        #expect(
            try Case().body(root, .canonicalRoot) == (
                root.replacing("http://bugsink:8000", with: "http://proxy:8080"), true
            ))
        #expect(
            try Case().body(#"{"a":{"b":"http://c/"},"d":["http://e/"]}"#, .canonicalRoot).text
                == #"{"a":{"b":"http://c/"},"d":["http://e/"]}"#)
    }

    @Test func everythingElseKeepsItsBytes() throws {
        let bodies = [
            "{}", "[]", " \t\r\n[ ] ", "null", "\"https://a\"", "1.50e+10", "-0", "{\"url\":null}", "{\"url\":1}",
            "{\"url\":true}",
            "{\"url\":[\"https://a\"]}", "{\"url\":{\"url\":\"https://a\"}}", "{\"a\":{\"url\":\"https://a\"}}",
            "{\"urls\":\"https://a\"}",
            "{\"a\":[1,2.0,-3e5,{\"b\":[[],{}]}],\"c\":\"\\ud83d\\ude00 \\\" \\\\ é\"}", "[{\"url\":\"https://a\"}]",
            "{\"links\":\"https://a\"}", "{\"links\":[{\"regionUrl\":\"https://a\"}]}",
            "{\"regions\":{\"url\":\"https://a\"}}",
            "{\"url\":\"\"}", "{\"url\":\"/api/0/\"}", "{\"url\":\"javascript:x\"}",
        ]
        for body in bodies {
            for endpoint in RewrittenEndpoint.allCases
            where endpoint != .canonicalRoot
                && (!(endpoint == .region || endpoint == .chunkUpload) || !body.hasPrefix("{\"url\":\"https"))
            {
                #expect(try Case().body(body, endpoint) == (body, true), "\(body)")
            }
        }
    }

    @Test func whatIsNoJSONKeepsItsBytes() throws {
        let start = #"{"url":"https://sentry.example/","#
        for rest in [
            "", "}", "\"a\":01}", "\"a\":1.}", "\"a\":.5}", "\"a\":+1}", "\"a\":1e}", "\"a\":tru}", "\"a\":\"\u{1}\"}",
            "\"a\":\"\\x\"}",
            "\"a\":\"\\u12g4\"}", "\"a\":[1,]}", "\"a\":[1 2]}", "\"a\" 1}", "a:1}", "\"a\":1}}", "\"a\":1} x",
            "\"a\":[1}", "\"a\":\"",
            "\"a\":-}", "\"a\":NaN}", "\"a\":1]",
        ] {
            #expect(try Case().body(start + rest, .chunkUpload) == (start + rest, false), "\(rest)")
        }
        #expect(try Case().body("", .chunkUpload) == ("", false))
        #expect(try Case().body("<html>", .chunkUpload) == ("<html>", false))
    }

    @Test func everyCutIsNoJSON() throws {
        let body = #"{"url":"https:\/\/sentry.example\/","a":[{"b":"c"},1.5e3,true,null]}"#
        for count in 0..<body.utf8.count {
            let cut = String(decoding: Array(body.utf8)[..<count], as: UTF8.self)
            #expect(try Case().body(cut, .chunkUpload) == (cut, false))
        }
        #expect(try Case().body(body, .chunkUpload).isJSON)
    }

    @Test func depthIsBounded() throws {
        func nested(_ depth: Int) -> String {
            "{\"url\":\"https://s\",\"a\":" + String(repeating: "[", count: depth)
                + String(repeating: "]", count: depth) + "}"
        }
        let deepest = JSONURLWalker.depthLimit - 1
        #expect(
            try Case().body(nested(deepest), .chunkUpload).text
                == nested(deepest).replacing("https://s", with: "http://proxy:8080"))
        #expect(try Case().body(nested(deepest + 1), .chunkUpload) == (nested(deepest + 1), false))
    }

    @Test func publicURLAndDuplicateKeys() throws {
        #expect(
            try Case(publicURL: "https://p.example:8443").body(
                #"{"url":"http://a/1","url":"http://b/2"}"#, .chunkUpload
            ).text
                == #"{"url":"https://p.example:8443/1","url":"https://p.example:8443/2"}"#)
    }

    /// Random JSON without the keys comes out as it went in; changed at random, it never traps.
    @Test func randomBodies() throws {
        var generator = SplitMix(state: 42)
        for _ in 0..<300 {
            var text = ""
            Self.append(to: &text, depth: 0, &generator)
            for endpoint in RewrittenEndpoint.allCases where endpoint != .canonicalRoot {
                #expect(try Case().body(text, endpoint) == (text, true))
            }
            var bytes = Array(text.utf8)
            bytes[Int(generator.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: generator.next() % 128)
            let changed = String(decoding: bytes, as: UTF8.self)
            #expect(try Case().body(changed, .organizationList).text == changed)
        }
    }

    private static func append(to text: inout String, depth: Int, _ generator: inout SplitMix) {
        switch generator.next() % (depth < 4 ? 7 : 5) {
        case 0: text += "null"
        case 1: text += "true "
        case 2: text += "-12.50E-3"
        case 3: text += "\"https:\\/\\/a.example\\u0041 \\\"\""
        case 4: text += "0"
        case 5:
            text += "[ "
            for i in 0..<generator.next() % 4 {
                if i > 0 { text += "," }
                append(to: &text, depth: depth + 1, &generator)
            }
            text += "]"
        default:
            text += "{"
            for i in 0..<generator.next() % 4 {
                if i > 0 { text += " ,\n" }
                text += ["\"link\":", "\"Url\":", "\"a\\n\" : ", "\"\":"][Int(generator.next() % 4)]
                append(to: &text, depth: depth + 1, &generator)
            }
            text += "}"
        }
    }
}

private struct SplitMix {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
