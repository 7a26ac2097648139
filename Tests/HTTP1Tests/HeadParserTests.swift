import HTTP1
import Testing

/// What fixtures cannot show: reuse, limits other than the defaults, the work that is done.
@Suite struct HeadParserTests {
    private static let fields = "Host: sentry.example\r\nContent-Length: 12\r\nX-A: \t some value \r\nX-B:\r\n\r\n"
    private static let request = Array(("POST /api/0/x?y=z HTTP/1.1\r\n" + fields).utf8)
    private static let response = Array(("HTTP/1.1 200 Quite all right\r\n" + fields).utf8)

    private func parse(_ text: String, _ limits: HeadLimits) -> ParseError? {
        let parser = RequestHeadParser(limits: limits)
        do throws(ParseError) {
            return try parser.parse(Array(text.utf8)) ? nil : .malformedRequestLine
        } catch {
            return error
        }
    }

    @Test func slicesPointIntoTheBuffer() throws {
        let parser = RequestHeadParser()
        #expect(try parser.parse(Self.request))
        let head = parser.head
        #expect(head.length == Self.request.count)
        #expect(text(Self.request, head.methodName) == "POST")
        #expect(text(Self.request, head.path) == "/api/0/x?y=z")
        #expect(head.fields.map { text(Self.request, $0.value) } == ["sentry.example", "12", "some value", ""])
        #expect(head.framing == .length(12))
    }

    @Test(arguments: [
        ("[::1.2.3.4]", true), ("[1:2:3:4:5:6:1.2.3.4]", true), ("[::1.2.3]", false), ("[::1.2]", false),
        ("[::1.2.3.]", false),
        ("[::1.2.3.4.5]", false), ("[:]", false), ("[::]", true),
    ])
    func anAddressInAnAddressHasFourOctets(_ host: String, _ isTaken: Bool) {
        #expect((parse("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n", HeadLimits()) == nil) == isTaken)
    }

    @Test(arguments: [("https://a/", true), ("HTTPS://a/", true), ("http://a/", false), ("/https://", nil), ("*", nil)])
    func onlyAnAbsoluteFormTellsAScheme(_ target: String, _ isSecure: Bool?) throws {
        let method = target == "*" ? "OPTIONS" : "GET"
        let bytes = Array("\(method) \(target) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        let parser = RequestHeadParser()
        #expect(try parser.parse(bytes))
        let told = parser.head.targetIsSecure(bytes.span)
        #expect(told == isSecure)
    }

    @Test(
        arguments: [
            ("/base/api/0/", "/base", "/api/0/"), ("/base/", "/base", "/"), ("/base", "/base", "/base"),
            ("/basement/", "/base", "/basement/"), ("/bass/api/", "/base", "/bass/api/"), ("/api/", "", "/api/"),
            ("/based/x", "/base", "/based/x"),
        ])
    func aPrefixIsTakenOffBeforeASlashOnly(_ target: String, _ prefix: String, _ rest: String) throws {
        let bytes = Array("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        let parser = RequestHeadParser()
        #expect(try parser.parse(bytes))
        parser.takeOff(Array(prefix.utf8).span, from: bytes.span)
        #expect(text(bytes, parser.head.path) == rest)
    }

    @Test func callsAfterTheEndChangeNothing() throws {
        let parser = RequestHeadParser()
        #expect(try parser.parse(Self.request))
        #expect(try parser.parse((Self.request + Self.request)))
        #expect(parser.head.length == Self.request.count)
        #expect(parser.head.fields.count == 4)
    }

    @Test func noBytesAreNoError() throws {
        let request = RequestHeadParser()
        let response = ResponseHeadParser()
        #expect(try !request.parse([UInt8]()))
        #expect(try !response.parse([UInt8]()))
    }

    @Test func resetForgetsTheMessageAndKeepsTheRoom() throws {
        let parser = RequestHeadParser()
        #expect(try parser.parse(Self.request))
        let capacity = parser.head.fields.capacity
        parser.reset()
        #expect(parser.head.fields.isEmpty && parser.position == 0 && parser.head.length == 0)
        #expect(parser.head.framing == .none)
        #expect(parser.head.fields.capacity == capacity)
        #expect(try parser.parse(Array("GET / HTTP/1.0\r\n\r\n".utf8)))
        #expect(parser.head.method == .get && parser.head.fields.isEmpty && parser.head.isLastRequest)
    }

    @Test func resetAfterARefusal() throws {
        let parser = RequestHeadParser()
        #expect(throws: ParseError.spaceBeforeColon) { try parser.parse(Array("GET / HTTP/1.1\r\nA : b".utf8)) }
        parser.reset()
        #expect(try parser.parse(Self.request))
        #expect(parser.head.fields.count == 4)
    }

    @Test func limitsAreParameters() {
        let head = "GET /abc HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n"
        let count = head.utf8.count
        #expect(parse(head, HeadLimits(headBytes: count, fields: 2, targetBytes: 4)) == nil)
        #expect(parse(head, HeadLimits(headBytes: count - 1)) == .headTooLong)
        #expect(parse(head, HeadLimits(fields: 1)) == .tooManyFields)
        #expect(parse(head, HeadLimits(targetBytes: 3)) == .targetTooLong)
        #expect(parse(head, HeadLimits(headBytes: 6)) == .targetTooLong)
    }

    /// Work is linear: after each byte the whole input has been read, so the next call has one byte to read. That a parser reads no
    /// byte of an earlier line again is shown by overwriting them with bytes that it would refuse.
    @Test func requestBytesAreReadOnce() throws {
        let parser = RequestHeadParser()
        var seen: [UInt8] = []
        var lineStart = 0
        for (index, byte) in Self.request.dropLast().enumerated() {
            seen.append(byte)
            #expect(try !parser.parse(seen))
            #expect(parser.position == index + 1)
            if byte == ASCII.lineFeed {
                for i in lineStart...index { seen[i] = 0 }
                lineStart = index + 1
            }
        }
        // The end of the head is judged by the fields, so they have to be there for the last byte.
        #expect(try parser.parse(Self.request))
        #expect(parser.position == Self.request.count)
    }

    @Test func responseBytesAreReadOnce() throws {
        let parser = ResponseHeadParser()
        var seen: [UInt8] = []
        for (index, byte) in Self.response.enumerated() {
            // No response head is judged by earlier lines, so here every byte goes as soon as it is read, but for the
            // version, which is looked up when its eight bytes are there.
            seen.append(byte)
            #expect(try parser.parse(seen) == (index + 1 == Self.response.count))
            #expect(parser.position == index + 1)
            if index >= 7 { for i in 0...index { seen[i] = 0 } }
        }
        #expect(parser.head.status == 200 && parser.head.fields.count == 4)
    }

    @Test func everyErrorTellsItsRule() {
        for error in ParseError.allCases {
            #expect([400, 405, 414, 417, 431, 501, 502, 505].contains(error.status), "\(error)")
            #expect(error.section.hasPrefix("RFC 9") || error.section.hasPrefix("RFC 6585"), "\(error)")
            #expect(error.summary.utf8CodeUnitCount > 0)
        }
        #expect(Set(ParseError.allCases.map { "\($0.summary)" }).count == ParseError.allCases.count)
    }
}
