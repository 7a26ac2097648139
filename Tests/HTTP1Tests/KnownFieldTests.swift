import Testing

@testable import HTTP1

@Suite struct KnownFieldTests {
    /// As the RFCs and Sentry spell them.
    private static let names: [(KnownField, String)] = [
        (.accept, "Accept"), (.acceptEncoding, "Accept-Encoding"), (.acceptLanguage, "Accept-Language"),
        (.acceptRanges, "Accept-Ranges"), (.authentication, "Authentication"), (.authorization, "Authorization"),
        (.connection, "Connection"), (.contentEncoding, "Content-Encoding"), (.contentLength, "Content-Length"),
        (.contentType, "Content-Type"), (.cookie, "Cookie"), (.etag, "ETag"), (.expect, "Expect"),
        (.forwarded, "Forwarded"), (.host, "Host"), (.keepAlive, "Keep-Alive"), (.link, "Link"),
        (.location, "Location"), (.origin, "Origin"), (.pathInfo, "Path-Info"), (.proxy, "Proxy"),
        (.proxyAuthorization, "Proxy-Authorization"), (.proxyConnection, "Proxy-Connection"), (.referer, "Referer"),
        (.scriptName, "Script-Name"), (.secFetchSite, "Sec-Fetch-Site"), (.setCookie, "Set-Cookie"), (.te, "TE"),
        (.traceparent, "traceparent"), (.trailer, "Trailer"), (.transferEncoding, "Transfer-Encoding"),
        (.upgrade, "Upgrade"), (.userAgent, "User-Agent"), (.vary, "Vary"), (.via, "Via"),
        (.wwwAuthenticate, "WWW-Authenticate"), (.xForwardedFor, "X-Forwarded-For"),
        (.xForwardedOther, "X-Forwarded-"), (.xForwardedOther, "X-Forwarded-Proto"),
        (.xForwardedOther, "X-Forwarded-And-Much-Longer-Than-Any-Name"), (.xHTTPMethod, "X-HTTP-Method"),
        (.xHTTPMethodOverride, "X-HTTP-Method-Override"), (.xIsAgent, "X-Is-Agent"),
        (.xMethodOverride, "X-Method-Override"), (.xOriginalURL, "X-Original-URL"), (.xRealIP, "X-Real-IP"),
        (.xRequestID, "X-Request-Id"), (.xRewriteURL, "X-Rewrite-URL"), (.xSentryAuth, "X-Sentry-Auth"),
        (.xSentryRelay, "X-Sentry-Relay-"), (.xSentryRelay, "X-Sentry-Relay-Id"),
        (.xSentryRelay, "x-sentry-relay-signature-of-great-length"), (.xViewerContext, "X-Viewer-Context"),
    ]
    private static let prefixes: KnownFields = .xForwardedOther | .xSentryRelay

    /// The field of a name of letters, digits and hyphens, with other bytes around it.
    private func usual(_ name: String) -> KnownField {
        let bytes = Array("x\(name): value".utf8)
        return KnownFieldTable.shared.field(usualName: bytes.span, from: 1, to: 1 + name.utf8.count)
    }

    private func field(_ name: String) -> KnownField {
        let bytes = Array("x\(name): value".utf8)
        return KnownField(bytes.span, ByteSlice(start: 1, count: name.utf8.count))
    }

    @Test func everyKnownNameIsRecognisedInEverySpelling() {
        #expect(Set(Self.names.map(\.0)) == Set(KnownField.allCases).subtracting([.unknown]))
        for (known, name) in Self.names {
            for spelling in [name, name.lowercased(), name.uppercased()] {
                #expect(usual(spelling) == known && field(spelling) == known, "\(spelling)")
            }
            #expect(field(name.replacing("-", with: "_")) == known, "\(name)")
        }
    }

    @Test func aNameThatDiffersInOneByteIsAnother() {
        for (known, name) in Self.names where !Self.prefixes.contains(known) {
            let bytes = Array(name.utf8)
            for place in bytes.indices {
                for byte in [bytes[place] ^ 1, UInt8(ascii: "."), UInt8(ascii: "q"), bytes[place] ^ 0x20, 0x0d, 0x7f] {
                    var other = bytes
                    other[place] = byte
                    guard byte.foldedUnderWSGI != bytes[place].foldedUnderWSGI else { continue }
                    let text = String(decoding: other, as: UTF8.self)
                    #expect(field(text) != known, "\(text)")
                    if byte == UInt8(ascii: "q") { #expect(usual(text) != known, "\(text)") }
                }
            }
            for other in [name + "s", "s" + name, String(name.dropLast()), String(name.dropFirst())] {
                #expect(field(other) != known && usual(other) != known, "\(other)")
            }
        }
    }

    @Test func namesNobodyAsksForAreUnknown() {
        for name in [
            "", "x", "X-Forwarded", "X-Sentry-Relay", "Server", "Content-Language", "X.Forwarded.For", "\r", "te\u{10}",
            "keep\ralive", "X-Frame-Options", String(repeating: "x", count: 200),
        ] { #expect(field(name) == .unknown, "\(name)") }
    }

    /// A line that is there as a whole is read in another way than one that comes in pieces.
    @Test func aLineInPiecesIsWhatAWholeOneIs() throws {
        let head = Array(
            """
            GET /?x HTTP/1.1\r\nhOST: a\r\nX_Forwarded_By:b \r\nX-Odd:\t\r\nHosts: c\r\nX-Empty:\r\nX-E: \r\nA:  b\r
            TE: \ttwo words\r\nTe: two\twords \r\nContent-Length: 0\r\nx.y: z\r\nX-Sentry-Auth: \u{e4}\r\n\r\n
            """.utf8)
        let whole = RequestHeadParser()
        #expect(try whole.parse(head))
        #expect(
            whole.head.fields.map(\.known) == [
                .host, .xForwardedOther, .unknown, .unknown, .unknown, .unknown, .unknown, .te, .te, .contentLength,
                .unknown, .xSentryAuth,
            ])
        #expect(
            whole.head.fields.map { text(head, $0.value) } == [
                "a", "b", "", "c", "", "", "b", "two words", "two\twords", "0", "z", "\u{e4}",
            ])
        #expect(
            whole.head.fields.map(\.isUsual) == [
                true, false, false, true, false, true, false, false, false, true, false, true,
            ])
        for split in head.indices {
            let parser = RequestHeadParser()
            #expect(try !parser.parse(Array(head[..<split])))
            #expect(try parser.parse(head))
            #expect(Array(parser.head.fields) == Array(whole.head.fields), "\(split)")
            #expect(parser.head.path == whole.head.path)
        }
    }

    @Test func linesAreFoundByTheirField() throws {
        let head = Array("GET / HTTP/1.1\r\nHost: a\r\nAccept: b\r\nVia: c\r\naccept: d\r\nOrigin: e\r\n\r\n".utf8)
        let parser = RequestHeadParser()
        #expect(try parser.parse(head))
        let fields = parser.head.fields
        #expect(fields.indices(around: .accept) == 1..<5)
        #expect(fields.indices(around: .origin) == 4..<5)
        #expect(fields.indices(around: .cookie).isEmpty)
        #expect(fields.first(.accept).map { text(head, $0) } == "b")
        #expect(fields.first(.cookie) == nil)
        parser.reset()
        #expect(!parser.head.fields.contains(.accept) && parser.head.fields.isEmpty)
    }
}
