import Foundation
import Testing
import TokenStore

@testable import ProxyServer

/// An answer's way to the client, over a whole exchange.
@Suite struct ExchangeResponseTests {
    private func get(_ target: String = "/api/0/", method: String = "GET", _ fields: String = "") -> String {
        "\(method) \(target) HTTP/1.1\r\nHost: proxy.example\r\n\(fields)\r\n"
    }

    private func text(_ status: String, _ fields: [String], _ body: String = "") -> String {
        (["HTTP/1.1 \(status)"] + fields).joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    /// A member of RFC 1952 with stored blocks only (RFC 1951 §3.2.4).
    private func gzip(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        var crc = UInt32.max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        func little(_ value: UInt32, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(value >> (8 * UInt32($0)) & 0xff) }
        }
        let length = UInt32(bytes.count)
        return [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1] + little(length, 2) + little(~length, 2) + bytes
            + little(~crc, 4) + little(length, 4)
    }

    private func exchange(_ loop: LoopbackWorker, _ request: String, _ head: String, _ body: [UInt8]) throws -> Peer {
        let client = try loop.client(request)
        let upstream = try loop.accept()
        upstream.send(Array(head.utf8) + body)
        upstream.finish()
        try loop.over(client)
        return client
    }

    // MARK: gzip

    @Test func gzipIsTakenOffForWhoDoesNotAcceptIt() throws {
        let body = gzip("plain text")
        let head = text(
            "200 OK",
            ["Content-Encoding: gzip", "Content-Length: \(body.count)", "ETag: \"a\"", "Accept-Ranges: bytes"])
        let client = try exchange(LoopbackWorker(), get(), head, body)
        #expect(client.body == "a\r\nplain text\r\n0\r\n\r\n")
        #expect(client.text.contains("\r\nETag: W/\"a\"\r\n") && client.text.contains("\r\nVary: Accept-Encoding\r\n"))
        #expect(!client.text.contains("Content-Encoding") && !client.text.contains("Accept-Ranges"))
    }

    @Test(arguments: ["W/\"a\"", "a"])
    func aTagThatIsNotStrongStays(_ tag: String) throws {
        let body = gzip("plain text")
        let head = text("200 OK", ["Content-Encoding: gzip", "Content-Length: \(body.count)", "ETag: \(tag)"])
        let client = try exchange(LoopbackWorker(), get(), head, body)
        #expect(client.text.contains("\r\nETag: \(tag)\r\n"))
    }

    @Test func whoAcceptsGzipGetsIt() throws {
        let body = gzip("plain text")
        let head = text(
            "200 OK", ["Content-Encoding: gzip", "Content-Length: \(body.count)", "ETag: \"a\"", "Vary: Cookie"])
        let client = try exchange(LoopbackWorker(), get(method: "GET", "Accept-Encoding: gzip\r\n"), head, body)
        #expect(client.text.contains("\r\nContent-Encoding: gzip\r\n") && client.text.contains("\r\nETag: \"a\"\r\n"))
        #expect(client.text.contains("\r\nVary: Cookie\r\n") && client.text.contains("\r\nVary: Accept-Encoding\r\n"))
    }

    @Test(arguments: ["Vary: Accept-Encoding", "Vary: *", "Vary: Cookie, accept-encoding"])
    func whatVariesAlreadySaysSoOnce(_ field: String) throws {
        let body = gzip("plain text")
        let head = text("200 OK", ["Content-Encoding: gzip", "Content-Length: \(body.count)", field])
        let client = try exchange(LoopbackWorker(), get(), head, body)
        #expect(client.text.contains("\r\n\(field)\r\n") && client.text.ranges(of: "Vary:").count == 1)
    }

    @Test func whatHasNoCodingDoesNotVary() throws {
        let client = try exchange(
            LoopbackWorker(), get(), text("200 OK", ["Content-Length: 2", "ETag: \"a\""], "ok"), [])
        #expect(!client.text.contains("Vary:") && client.text.contains("\r\nETag: \"a\"\r\n") && client.body == "ok")
    }

    @Test func aBodyWithoutAByteIsEmptyInAnyCoding() throws {
        let head = text("200 OK", ["Content-Encoding: gzip", "Transfer-Encoding: chunked"], "0\r\n\r\n")
        let client = try exchange(LoopbackWorker(), get(), head, [])
        #expect(client.text.hasPrefix("HTTP/1.1 200 ") && client.body == "0\r\n\r\n")
    }

    /// Each piece counts for its iteration's share, and what is not there does not.
    @Test func aPieceThatIsInflatedCountsOnce() throws {
        let body = gzip("plain text")
        let loop = try LoopbackWorker()
        let client = try loop.client(get())
        let upstream = try loop.accept()
        upstream.send(text("200 OK", ["Content-Encoding: gzip", "Content-Length: \(body.count)"]))
        upstream.send(Array(body.prefix(20)))
        try loop.turn("the first piece") { client.body == "5\r\nplain\r\n" }
        #expect(loop.worker.exchanges[0].timer.share.moved <= 2 * Bounds.relayBytes)
        upstream.send(Array(body.dropFirst(20)))
        upstream.finish()
        try loop.over(client)
        #expect(client.body.hasSuffix("0\r\n\r\n"))
    }

    @Test func gzipThatBreaksOffDoesNotLookWhole() throws {
        let body = Array(gzip("plain text").dropLast(12))
        let head = text("200 OK", ["Content-Encoding: gzip", "Content-Length: \(body.count)"])
        let loop = try LoopbackWorker()
        let client = try exchange(loop, get(), head, body)
        #expect(!client.body.hasSuffix("0\r\n\r\n"))
        #expect(loop.log().first?.contains(" cause=truncated_answer") == true)
    }

    // MARK: Answers without a body

    /// The head of a GET, which a rewritten body would make untrue.
    @Test(arguments: ["HEAD", "GET"])
    func ofABodyThatWouldBeRewrittenNoLengthIsTold(_ method: String) throws {
        let status = method == "HEAD" ? "200 OK" : "304 Not Modified"
        let head = text(status, ["Content-Type: application/json", "Content-Length: 70"])
        let client = try exchange(LoopbackWorker(), get("/api/0/organizations/acme/", method: method), head, [])
        #expect(client.text.hasPrefix("HTTP/1.1 \(status)\r\n") && !client.text.contains("Content-Length"))
        let other = try exchange(LoopbackWorker(), get("/api/0/projects/", method: method), head, [])
        #expect(other.text.contains("\r\nContent-Length: 70\r\n"))
    }

    @Test func gzipOfABodyThatWouldBeRewrittenIsNotTold() throws {
        let head = text("200 OK", ["Content-Type: application/json", "Content-Encoding: gzip", "Content-Length: 70"])
        let client = try exchange(
            LoopbackWorker(), get("/api/0/organizations/acme/", method: "HEAD", "Accept-Encoding: gzip\r\n"), head, [])
        #expect(!client.text.contains("Content-Encoding") && !client.text.contains("Vary"))
    }

    // MARK: Rewriting

    private static let sentrys = #"{"links": {"organizationUrl": "http://sentry.example:9000/organizations/acme/"}}"#
    private static let proxys = #"{"links": {"organizationUrl": "http://proxy.example/organizations/acme/"}}"#

    @Test(arguments: [0, 1, 2, 3])
    func sentrysOwnAddressBecomesTheProxys(_ form: Int) throws {
        let type = "Content-Type: application/json"
        let (body, coded) = (Self.sentrys, gzip(Self.sentrys))
        let (head, bytes): (String, [UInt8]) =
            switch form {
            case 0: (text("200 OK", [type, "Content-Length: \(body.utf8.count)"]), Array(body.utf8))
            case 1:
                (
                    text("200 OK", [type, "Transfer-Encoding: chunked"]),
                    Array("\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n".utf8)
                )
            case 2: (text("200 OK", [type]), Array(body.utf8))
            default: (text("200 OK", [type, "Content-Encoding: gzip", "Content-Length: \(coded.count)"]), coded)
            }
        let client = try exchange(LoopbackWorker(), get("/api/0/organizations/acme/"), head, bytes)
        #expect(client.body == Self.proxys)
        #expect(client.text.contains("\r\nContent-Length: \(Self.proxys.utf8.count)\r\n"))
    }

    @Test(arguments: [
        ("/api/0/organizations/acme/", "200 OK", "text/html"), ("/api/0/projects/", "200 OK", "application/json"),
        ("/api/0/organizations/acme/", "404 Not Found", "application/json"),
    ])
    func anyOtherBodyStays(_ target: String, _ status: String, _ type: String) throws {
        let body = Self.sentrys
        let head = text(status, ["Content-Type: \(type)", "Content-Length: \(body.utf8.count)"], body)
        let client = try exchange(LoopbackWorker(), get(target), head, [])
        #expect(client.body == body)
    }

    @Test func withoutMemoryForItTheAnswerIsRefused() throws {
        let loop = try LoopbackWorker(.init(configure: { $0.bodies.memoryBytes = 100_000 }))
        let client = try loop.client(get("/api/0/organizations/acme/"))
        let upstream = try loop.accept()
        upstream.send(text("200 OK", ["Content-Type: application/json", "Content-Length: 200000"]))
        upstream.send(Array(repeating: UInt8(ascii: " "), count: 100_000))
        try loop.over(client)
        #expect(client.text.hasPrefix("HTTP/1.1 503 "))
        #expect(loop.log().first?.contains(" cause=memory_short") == true)
    }

    // MARK: What is no answer

    @Test func aForwardProxysOwn407IsNotTheClients() throws {
        let answer = text("407 Proxy Authentication Required", ["Content-Length: 0"])
        let loop = try LoopbackWorker(
            .init(configure: { $0.upstreamProxy = UpstreamProxy(connect: nil, authorization: nil) }))
        #expect(try loop.exchange(get(), answer).client.hasPrefix("HTTP/1.1 502 "))
        #expect(loop.log().first?.contains(" cause=proxy_refused") == true)
        let without = try LoopbackWorker()
        #expect(try without.exchange(get(), answer).client.hasPrefix("HTTP/1.1 407 "))
    }

    @Test func aServerThatAsksForHTTPSIsTold() throws {
        let answer = text(
            "400 Bad Request", ["Content-Length: 47"], "The plain HTTP request was sent to HTTPS port\r\n")
        let loop = try LoopbackWorker()
        #expect(try loop.exchange(get(), answer).client.hasPrefix("HTTP/1.1 502 "))
        #expect(loop.log().first?.contains(" cause=upstream_speaks_tls") == true)
    }

    @Test func interimAnswersAreDropped() throws {
        let answer =
            text("103 Early Hints", ["Link: </a>"]) + text("100 Continue", [])
            + text("200 OK", ["Content-Length: 2"], "ok")
        let client = try LoopbackWorker().exchange(get(), answer).client
        #expect(client.hasPrefix("HTTP/1.1 200 OK\r\n") && client.hasSuffix("\r\n\r\nok"))
    }
}
