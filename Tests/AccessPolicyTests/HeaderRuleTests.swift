import AccessPolicy
import HTTP1
import Testing

@Suite struct HeaderRuleTests {
    /// A name that the rule matches: the name itself, or the prefix with an ending.
    private func example(_ rule: HeaderRule) -> String {
        let name = rule.name.description
        return name.hasSuffix("*") ? name.dropLast() + "Any" : name
    }

    /// Spellings that are one field to the upstream.
    private func spellings(_ name: String) -> [String] {
        let plain = [name, name.lowercased(), name.uppercased()]
        return plain + plain.map { $0.replacing("-", with: "_") }
    }

    private func has(_ fields: [String], _ name: String) -> Bool {
        fields.contains { $0.hasPrefix(name + ":") }
    }

    /// A head by hand: some of these fields would not pass the parser twice.
    private func handMade(_ name: String, _ value: String) -> ParsedRequest {
        let head = RequestHead()
        let bytes = Array("GET/\(name)\(value)".utf8)
        head.method = .get
        head.methodName = ByteSlice(start: 0, count: 3)
        head.path = ByteSlice(start: 3, count: 1)
        head.fields = [
            FieldLine(
                name: ByteSlice(start: 4, count: name.utf8.count),
                value: ByteSlice(start: 4 + name.utf8.count, count: value.utf8.count), in: bytes.span)
        ]
        return ParsedRequest(head: head, bytes: bytes)
    }

    @Test func everyRequestRuleDropsEverySpelling() throws {
        for rule in HeaderRules.request {
            for spelling in spellings(example(rule)) {
                let sent = handMade(spelling, "x-marks-it")
                let elevated = try upstream(sent)
                #expect(!elevated.text.contains("x-marks-it"), "\(spelling) on the elevated route")
                let bypass = try upstream(sent, Forward(route: .bypass))
                #expect(bypass.text.contains("\(spelling): x-marks-it") == (rule.scope == .elevated), "\(spelling)")
            }
        }
    }

    @Test func everyResponseRuleDropsEverySpelling() throws {
        for rule in HeaderRules.response {
            for spelling in spellings(example(rule)) {
                let head = ResponseHead()
                let bytes = Array("OK\(spelling)x-marks-it".utf8)
                head.status = 200
                head.reason = ByteSlice(start: 0, count: 2)
                head.fields = [
                    FieldLine(
                        name: ByteSlice(start: 2, count: spelling.utf8.count),
                        value: ByteSlice(start: 2 + spelling.utf8.count, count: 10), in: bytes.span)
                ]
                let answer = ParsedResponse(head: head, bytes: bytes)
                #expect(!(try client(answer)).joined().contains("x-marks-it"), "\(spelling) on the elevated route")
                let bypass = try client(answer, route: .bypass)
                #expect(bypass.contains("\(spelling): x-marks-it") == (rule.scope == .elevated), "\(spelling)")
            }
        }
    }

    @Test func namesBesideARulePass() throws {
        let names = [
            "Accept", "Accept-Encodin", "Accept-Encodings", "Vi", "Viaa", "X-Forwarded", "X-Forwarde-For", "X-Real-IPs",
            "Cookies", "Origins", "X-Sentry-Authority", "X-Sentry-Relay", "X-Sentry-Trace", "T", "Tee", "Hosts", "Z",
            "!", "9", "_", "-", "X.Forwarded.For", String(repeating: "x", count: 200), "Content-Type", "Range",
        ]
        let sent = try request("GET / HTTP/1.1", names.map { "\($0): kept" })
        for route in [Route.elevated, .bypass] {
            let got = try upstream(sent, Forward(route: route)).fields.filter { $0.hasSuffix(": kept") }
            #expect(got == names.map { "\($0): kept" })
        }
    }

    @Test func orderDuplicatesAndBytesStay() throws {
        let fields = ["B: 1", "a: 2", "B: 1", "b:   3  4", "C:", "d: \u{e9}\u{2603}"]
        let got = try upstream(try request("GET / HTTP/1.1", fields)).fields
        #expect(Array(got[1...6]) == ["B: 1", "a: 2", "B: 1", "b: 3  4", "C: ", "d: \u{e9}\u{2603}"])
    }

    @Test func whatTheProxySends() throws {
        let sent = try request(
            "POST /api/0/x/?q=%2F HTTP/1.1", ["Accept-Encoding: br", "Content-Length: 3", "Accept: */*"])
        let elevated = try upstream(sent, framing: .length(3))
        #expect(
            elevated.text
                == "POST /api/0/x/?q=%2F HTTP/1.1\r\nHost: sentry-web:9000\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
                + "Content-Length: 3\r\nConnection: close\r\nAuthorization: Bearer \(token)\r\n\r\n")
        let place = try #require(elevated.tokenPlace)
        #expect(Array(elevated.text.utf8)[place.range] == Array(token.utf8)[...])

        let gzip = UpstreamTarget(
            authority: Array("s.test".utf8), pathPrefix: Array("/deep/er/".utf8), acceptEncoding: .gzip)
        let bypass = try upstream(sent, Forward(route: .bypass), target: gzip, framing: .chunked)
        #expect(
            bypass.text
                == "POST /deep/er/api/0/x/?q=%2F HTTP/1.1\r\nHost: s.test\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n"
                + "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        #expect(bypass.tokenPlace == nil)
    }

    @Test func targets() throws {
        let prefixed = UpstreamTarget(authority: Array("s".utf8), pathPrefix: Array("/p".utf8))
        for (line, expected) in [
            ("OPTIONS * HTTP/1.1", "OPTIONS * HTTP/1.1"),
            ("GET http://proxy.test HTTP/1.1", "GET /p/ HTTP/1.1"),
            ("GET http://proxy.test/a%2fb HTTP/1.1", "GET /p/a%2fb HTTP/1.1"),
            ("PURGE /x HTTP/1.0", "PURGE /p/x HTTP/1.1"),
        ] {
            #expect(try upstream(try request(line), target: prefixed).lines[0] == expected)
        }
    }

    @Test func connectionTakesOutWhatItNames() throws {
        let sent = try request(
            "GET / HTTP/1.1",
            [
                "Connection: keep-alive, X-One ,\t,x_two", "X-One: gone", "X_ONE: gone", "X-Two: gone", "X-Three: kept",
                "Connection: X-Four", "X-Four: gone", "X-Four-Not: kept",
            ])
        let got = try upstream(sent, Forward(route: .bypass))
        #expect(!got.text.contains("gone"))
        #expect(got.fields.filter { $0.hasSuffix("kept") } == ["X-Three: kept", "X-Four-Not: kept"])
    }

    @Test func connectionCannotTakeOutWhatTheProxyPutsIn() throws {
        let sent = try request(
            "POST / HTTP/1.1",
            [
                "Connection: authorization, Host, content-length, Transfer_Encoding, connection, accept-encoding, close",
                "Authorization: Bearer client", "Content-Length: 4",
            ])
        let got = try upstream(sent, framing: .length(4)).fields
        #expect(
            got == [
                "Host: sentry-web:9000", "Accept-Encoding: identity", "Content-Length: 4", "Connection: close",
                "Authorization: Bearer \(token)",
            ])
    }

    @Test func connectionOptionsAreBounded() throws {
        let atLimit = (0..<64).map { "x\($0)" }.joined(separator: ",")
        let allowed = try request("GET / HTTP/1.1", ["Connection: \(atLimit)", "x63: gone", "x64: kept"])
        #expect(decide(allowed.head, allowed.bytes.span, PolicyConfiguration()) == .forward(Forward(route: .elevated)))
        let got = try upstream(allowed).text
        #expect(!got.contains("gone") && got.contains("x64: kept"))

        for fields in [["Connection: \(atLimit)", "Connection: close"], ["Connection: \(atLimit),x"]] {
            let tooMany = try request("GET / HTTP/1.1", fields)
            #expect(decide(tooMany.head, tooMany.bytes.span, PolicyConfiguration()) == .refuse(.badRequest))
            #expect(throws: HeadRewriteError.tooManyConnectionOptions) { _ = try upstream(tooMany) }
        }
        let empties = try request("GET / HTTP/1.1", ["Connection: " + String(repeating: ",", count: 5000)])
        #expect(decide(empties.head, empties.bytes.span, PolicyConfiguration()) == .forward(Forward(route: .elevated)))
        let answer = try response("HTTP/1.1 200 OK", ["Connection: \(atLimit),x"])
        #expect(throws: HeadRewriteError.tooManyConnectionOptions) { _ = try client(answer) }
    }

    @Test func noTokenNoElevatedHead() throws {
        let sent = try request()
        for empty in [true, false] {
            let none: [UInt8] = []
            #expect(throws: HeadRewriteError.tokenMissing) {
                _ = try written { writer in
                    _ = try writeRequestHead(
                        sent.head, sent.bytes.span, decision: Forward(route: .elevated), target: target,
                        framing: .none, token: empty ? none.span : nil, into: &writer)
                }
            }
        }
    }

    @Test func responseHead() throws {
        let answer = try response(
            "HTTP/1.0 404 Not  Here",
            [
                "Server: x", "Set-Cookie: a", "set-cookie: b", "WWW-Authenticate: c", "Link: <l>", "Connection: X-Hop",
                "X-Hop: gone", "Content-Length: 5", "Server: y",
            ])
        #expect(
            try client(answer, framing: .length(5)) == [
                "HTTP/1.1 404 Not  Here", "Server: x", "Link: <l>", "Server: y", "Content-Length: 5",
                "X-Request-Id: 0a1b2c3d4e5f6071", "Connection: close",
            ])
        #expect(
            try client(answer, route: .bypass, framing: .chunked) == [
                "HTTP/1.1 404 Not  Here", "Server: x", "Set-Cookie: a", "set-cookie: b", "WWW-Authenticate: c",
                "Link: <l>", "Server: y", "Transfer-Encoding: chunked", "X-Request-Id: 0a1b2c3d4e5f6071",
                "Connection: close",
            ])
        #expect(
            try client(answer, framing: .untilClose).suffix(3) == [
                "Server: y", "X-Request-Id: 0a1b2c3d4e5f6071", "Connection: close",
            ])
        #expect(
            try client(answer, framing: .none, keepsContentLength: true) == [
                "HTTP/1.1 404 Not  Here", "Server: x", "Link: <l>", "Content-Length: 5", "Server: y",
                "X-Request-Id: 0a1b2c3d4e5f6071", "Connection: close",
            ])
        // A body of known length has one length only.
        #expect(
            try client(answer, framing: .length(5), keepsContentLength: true).count { $0.hasPrefix("Content-Length") }
                == 1)
    }

    @Test func noReason() throws {
        #expect(try client(try response("HTTP/1.1 299 "))[0] == "HTTP/1.1 299 ")
    }

    private struct LinkEditor: ResponseFieldEditor {
        let fields = .link | .contentEncoding | KnownField.location
        var seen: [String] = []

        mutating func edit(_ field: FieldLine, _ bytes: Span<UInt8>, into writer: inout HeadWriter) -> Bool {
            seen.append(String(decoding: field.name.range.map { bytes[$0] }, as: UTF8.self))
            if field.known == .contentEncoding { return true }
            guard field.known == .link else { return false }
            writer.append("Link: <mine>\r\n")
            return true
        }
    }

    @Test func editorMayReplaceAndDrop() throws {
        let answer = try response(
            "HTTP/1.1 200 OK", ["A: 1", "LINK: <theirs>", "Content-Encoding: gzip", "Set-Cookie: x", "B: 2"])
        var editor = LinkEditor()
        let id = Array("0a1b".utf8)
        let bytes = try written { writer in
            try writeResponseHead(
                answer.head, answer.bytes.span, route: .elevated, framing: .chunked, requestID: id.span,
                editor: &editor, into: &writer)
        }
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == "HTTP/1.1 200 OK\r\nA: 1\r\nLink: <mine>\r\nB: 2\r\nTransfer-Encoding: chunked\r\n"
                + "X-Request-Id: 0a1b\r\nConnection: close\r\n\r\n")
        #expect(editor.seen == ["LINK", "Content-Encoding"])
    }
}
