import Foundation
import Synchronization
import System
import Testing
import TokenStore

@testable import SentryClient

/// Answers one connection after the other on the loopback: takes a request, sends the pieces, closes.
private final class OneAnswer: Sendable {
    let port: UInt16
    private let listener: CInt
    private let received: Received
    private let thread: System.Thread

    private final class Received: Sendable { let bytes = Mutex<[UInt8]>([]) }

    /// The last request, as it came.
    var requestText: String { String(decoding: received.bytes.withLock { $0 }, as: UTF8.self) }

    /// - Parameter holds: leave the connection open and silent after the pieces, until the peer closes it.
    init(_ pieces: [[UInt8]], connections: Int = 1, holds: Bool = false) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        try #require(isBound)
        port = UInt16(bigEndian: address.sin_port)
        self.listener = listener
        let received = Received()
        self.received = received
        thread = try System.Thread(name: "one-answer") {
            for _ in 0..<connections {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                var chunk = [UInt8](repeating: 0, count: 65_536)
                var bytes: [UInt8] = []
                while !Self.isWhole(bytes) {
                    let count = recv(connection, &chunk, chunk.count, 0)
                    guard count > 0 else { break }
                    bytes += chunk[..<count]
                }
                received.bytes.withLock { $0 = bytes }
                for piece in pieces {
                    _ = send(connection, piece, piece.count, Int32(MSG_NOSIGNAL))
                    if pieces.count > 1 { usleep(200) }
                }
                if holds { while recv(connection, &chunk, chunk.count, 0) > 0 {} }
                close(connection)
            }
        }
    }

    deinit {
        // Only when nobody uses the number any more may it be given to another socket.
        shutdown(listener, Int32(SHUT_RDWR))
        thread.join()
        close(listener)
    }

    private static func isWhole(_ bytes: [UInt8]) -> Bool {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return false }
        guard let field = text.range(of: "Content-Length: ") else { return true }
        let length = Int(text[field.upperBound...].prefix { $0.isNumber }) ?? 0
        return text[end.upperBound...].utf8.count >= length
    }

    func client(host: String = "127.0.0.1", prefix: String = "") -> UpstreamClient {
        UpstreamClient(
            UpstreamEndpoint(
                host: host, port: port, unixPath: nil, authority: "sentry.test:\(port)", pathPrefix: prefix, tls: nil),
            version: "1")
    }
}

@Suite struct UpstreamClientTests {
    private func exchange(
        _ pieces: [[UInt8]], holds: Bool = false, within time: Duration = .seconds(5)
    ) throws -> (UpstreamResponse, OneAnswer) {
        let server = try OneAnswer(pieces, holds: holds)
        let answer = try server.client(prefix: "/base").exchange(
            UpstreamRequest(.get, path: "/api/0/"), within: time)
        return (answer, server)
    }

    func exchange(_ text: String) throws -> UpstreamResponse { try exchange([Array(text.utf8)]).0 }

    @Test func theRequestIsExactlyThis() throws {
        let server = try OneAnswer([Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".utf8)])
        let form = Secret(Array("a=b&c=d".utf8))
        let answer = try server.client(prefix: "/base").exchange(
            UpstreamRequest(.postForm(form), path: "/oauth/token/", bearer: Secret(Array("tok".utf8))),
            within: .seconds(5))
        #expect(answer.status == 200 && answer.body == Array("{}".utf8))
        #expect(
            server.requestText
                == "POST /base/oauth/token/ HTTP/1.1\r\nHost: sentry.test:\(server.port)\r\nUser-Agent: sentry-api-proxy/1\r\n"
                + "Accept: application/json\r\nAccept-Encoding: identity\r\nConnection: close\r\nAuthorization: Bearer tok\r\n"
                + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\na=b&c=d")
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
        "HTTP/1.1 200 OK\r\n\r\nhello world",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: t\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
    ])
    func anAnswerIsTheSameAtEverySplit(text: String) throws {
        let bytes = Array(text.utf8)
        for split in stride(from: 1, to: bytes.count, by: 3) {
            let (answer, _) = try exchange([Array(bytes[..<split]), Array(bytes[split...])])
            #expect(String(decoding: answer.body, as: UTF8.self) == "hello world", "split at \(split)")
        }
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ])
    func anAnswerThatIsCutShortIsNone(text: String) throws {
        #expect(throws: UpstreamClientError.cutShort) { try exchange(text) }
    }

    @Test(arguments: [
        "SSH-2.0-x\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 200 OK\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
    ])
    func whatIsNotHTTPIsRefused(text: String) throws {
        let error = #expect(throws: UpstreamClientError.self) { try exchange(text) }
        guard case .malformedAnswer? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func anAnswerIsBounded() throws {
        let most = UpstreamClient.mostAnswerBytes
        #expect(throws: UpstreamClientError.answerTooLong) {
            try exchange("HTTP/1.1 200 OK\r\nContent-Length: \(most + 1)\r\n\r\n")
        }
        let long = [UInt8](repeating: 0x61, count: most + 1)
        #expect(throws: UpstreamClientError.answerTooLong) {
            try exchange([Array("HTTP/1.1 200 OK\r\n\r\n".utf8) + long])
        }
        let chunk = Array(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(String(most + 1, radix: 16))\r\n".utf8)
        #expect(throws: UpstreamClientError.answerTooLong) { try exchange([chunk + long]) }
        let whole = try exchange([
            Array("HTTP/1.1 200 OK\r\nContent-Length: \(most)\r\n\r\n".utf8) + long.dropLast()
        ])
        #expect(whole.0.body.count == most)
    }

    @Test func oneDeadlineEndsAServerThatIsSilent() throws {
        let begin = Clock.now
        #expect(throws: UpstreamClientError.deadlinePassed) {
            try exchange(
                [Array("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe".utf8)], holds: true, within: .milliseconds(200))
        }
        #expect((Duration.milliseconds(200)..<Duration.seconds(2)).contains(Clock.now - begin))
    }

    @Test func nobodyListens() throws {
        let port: UInt16
        do { port = try OneAnswer([], connections: 0).port }
        let client = UpstreamClient(
            UpstreamEndpoint(host: "127.0.0.1", port: port, unixPath: nil, authority: "x", pathPrefix: "", tls: nil),
            version: "1")
        #expect(throws: UpstreamClientError.notConnected(.refused)) {
            try client.exchange(UpstreamRequest(.get, path: "/"), within: .seconds(1))
        }
    }

    @Test func itDoesNotBlockTheCaller() async throws {
        let server = try OneAnswer([Array("HTTP/1.1 204 No Content\r\n\r\n".utf8)])
        let answer = await server.client().send(UpstreamRequest(.get, path: "/"), within: .seconds(5))
        #expect(try answer.get().status == 204)
    }

    @Test func aRequestThatIsTooLongIsNotSentInPart() throws {
        let server = try OneAnswer([])
        let form = Secret([UInt8](repeating: 0x61, count: UpstreamClient.mostRequestBytes))
        #expect(throws: UpstreamClientError.requestTooLong) {
            try server.client().exchange(UpstreamRequest(.postForm(form), path: "/"), within: .seconds(1))
        }
        #expect(server.requestText.isEmpty)
    }
}
