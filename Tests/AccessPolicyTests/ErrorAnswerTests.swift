import AccessPolicy
import HTTP1
import Testing

@Suite struct ErrorAnswerTests {
    @Test(arguments: [
        ([], AnswerFormat.json),
        (["*/*"], .json), ([""], .json), (["application/json"], .json), (["APPLICATION/JSON"], .json),
        (["application/*"], .json), (["application/problem+json"], .json), (["application/*+json"], .json),
        (["text/plain"], .text), (["text/html"], .text), (["text/*"], .text), (["application/xml"], .json),
        (["application/json, text/plain"], .json), (["application/json, text/plain;q=0.9"], .json),
        (["text/plain, application/json;q=0.9"], .text), (["application/json;q=0.5, text/plain;q=0.4"], .json),
        (["application/json, */*"], .json), (["application/json, */*;q=0.5"], .json),
        (["application/json;q=0"], .json), (["application/json;q=0, */*"], .text), (["text/plain;q=0, */*"], .json),
        (["text/*;q=0, */*;q=0.1"], .json),
        // The most specific range decides, whatever its quality.
        (["application/*, application/json;q=0.1, text/plain;q=0.2"], .text),
        (["text/*, text/plain;q=0.1, application/*;q=0.2"], .json),
        // Several fields are one list.
        (["text/plain;q=0.5", "application/json"], .json), (["application/json;q=0.5", "text/plain"], .text),
        // axios, a browser, and text that is named but worth less than the rest.
        (["application/json, text/plain, */*"], .json),
        (["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], .text), (["text/html;q=0.1, */*"], .json),
        // Blanks, case, empty parts, other parameters.
        ([" , ,application/json ; Q=0.8 , text/plain\t;\tq=0.7"], .json), (["application/json;charset=utf-8"], .json),
        (["application/json;x=\"a,text/plain;q=0\";q=0.5, text/plain;q=0.6"], .text),
        (["application/json;x=\"\\\",\";q=0.7, text/plain;q=0.6"], .json),
        (["application/json;q=1.000, text/plain;q=0.999"], .json), (["application/json;q=0.001"], .json),
        // Malformed parts count as absent.
        (["application/json;q=1.1"], .json), (["application/json;q="], .json), (["application/json;q=0.1234"], .json),
        (["application/json;q=-1"], .json), (["application/json;q=.5"], .json), (["application/json;q=2"], .json),
        (["application/json;q=1.001"], .json), (["application/json;q=x, application/*;q=0.3"], .json),
        (["application/+json"], .json), (["applicationjson"], .json), (["application/json\"x, text/plain"], .json),
        (["application/json;q=0."], .json),
        (["application/json;x=\"a, text/plain;q=0.1"], .json), (["application/json;x=\"a", "application/json"], .json),
    ]) func accept(_ values: [String], _ expected: AnswerFormat) throws {
        let sent = try request("GET / HTTP/1.1", values.map { "Accept: \($0)" })
        #expect(preferredFormat(sent.head, sent.bytes.span) == expected)
    }

    private func answer(
        _ answer: ErrorAnswer, _ format: AnswerFormat, requestID: String = "id-1", retryAfter: Int? = nil,
        isHead: Bool = false
    ) -> String {
        let id = Array(requestID.utf8)
        let bytes = written { writer in
            writeAnswer(
                answer, format: format, requestID: id.span, retryAfterSeconds: retryAfter, isHead: isHead,
                into: &writer)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func json() {
        #expect(
            answer(.badRequest, .json)
                == "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 39\r\n"
                + "Cache-Control: no-store\r\nConnection: close\r\nX-Request-Id: id-1\r\n\r\n"
                + "{\"detail\": \"The request is malformed.\"}")
    }

    @Test func text() {
        #expect(
            answer(.tokenUnavailable, .text, requestID: "", retryAfter: 7)
                == "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 71\r\n"
                + "Cache-Control: no-store\r\nConnection: close\r\nRetry-After: 7\r\n\r\n"
                + "The proxy has no Sentry token yet: its token source has not given one.\n")
    }

    @Test(arguments: ErrorAnswer.allCases) func everyAnswerIsWhole(_ kind: ErrorAnswer) throws {
        for format in [AnswerFormat.json, .text] {
            let whole = answer(kind, format)
            let parser = ResponseHeadParser()
            #expect(try parser.parse(Array(whole.utf8).span))
            #expect(parser.head.status == kind.status)
            let parts = whole.split(separator: "\r\n\r\n")
            #expect(whole.contains("\r\nContent-Length: \(parts[1].utf8.count)\r\n"))
            #expect(whole.contains("\r\nConnection: close\r\n"))
            #expect(whole.contains("Retry-After: 1\r\n") == (kind.status == 503 || kind.status == 429))
            #expect(whole.contains("Allow: ") == (kind.status == 405))
            #expect(answer(kind, format, isHead: true) == String(parts[0]) + "\r\n\r\n")
        }
        // The message stands in JSON without an escape, and gives nothing away.
        #expect(kind.message.description.utf8.allSatisfy { (0x20..<0x7f).contains($0) && $0 != 0x22 && $0 != 0x5c })
    }

    /// RFC 9110 §15.5 and §15.6; RFC 6585 §4 and §5.
    private static let reasons = [
        400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
        408: "Request Timeout", 411: "Length Required", 413: "Content Too Large", 414: "URI Too Long",
        417: "Expectation Failed", 421: "Misdirected Request", 429: "Too Many Requests",
        431: "Request Header Fields Too Large", 500: "Internal Server Error", 501: "Not Implemented",
        502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout", 505: "HTTP Version Not Supported",
    ]

    @Test(arguments: ErrorAnswer.allCases) func everyStatusHasItsReason(_ kind: ErrorAnswer) throws {
        let reason = try #require(Self.reasons[kind.status])
        #expect(answer(kind, .text).hasPrefix("HTTP/1.1 \(kind.status) \(reason)\r\n"))
    }

    @Test(arguments: ParseError.allCases) func everyParseErrorHasItsAnswer(_ error: ParseError) {
        #expect(ErrorAnswer(error).status == error.status)
    }
}
