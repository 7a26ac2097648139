import AccessPolicy
import EventLoop
import Foundation
import HTTP1
import Synchronization
import System
import Testing
import TokenStore

@testable import ProxyServer

/// A request's way to the upstream, over a whole exchange.
@Suite struct ExchangeRequestTests {
    private static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    /// Asked for a renewal, it answers at once.
    private static func door(_ outcome: RenewalOutcome) -> RenewalDoor {
        { _, tell in tell(outcome) }
    }

    @Test func anExchangeLeavesNothing() throws {
        let loop = try LoopbackWorker()
        for number in 1...3 {
            let (upstream, client) = try loop.exchange("GET /api/0/?n=\(number) HTTP/1.1\r\nHost: h\r\n\r\n", Self.ok)
            #expect(upstream.hasPrefix("GET /api/0/?n=\(number) HTTP/1.1\r\nHost: \(LoopbackWorker.authority)\r\n"))
            #expect(upstream.contains("\r\nAuthorization: Bearer sentry-token\r\n"))
            #expect(client.hasPrefix("HTTP/1.1 200 OK\r\n") && client.hasSuffix("\r\n\r\nok"))
        }
        #expect(loop.worker.exchanges.slots == 1)
        let ids = loop.log().compactMap { $0.firstMatch(of: /\bid=([0-9a-f]{16})\b/)?.1 }
        #expect(Set(ids).count == 3)
    }

    @Test(arguments: ["", "x", "xy", String(repeating: "x", count: 40_000)])
    func aChunkedBodyGoesOutWithItsLength(_ body: String) throws {
        let loop = try LoopbackWorker()
        let chunk = body.isEmpty ? "" : "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n"
        let request = "POST /api/0/ HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\(chunk)0\r\n\r\n"
        let client = try loop.client(request)
        let upstream = try loop.accept()
        try loop.turn("the body") { upstream.body.count == body.count }
        #expect(upstream.text.contains("\r\nContent-Length: \(body.utf8.count)\r\n") && upstream.body == body)
        upstream.send(Self.ok)
        upstream.finish()
        try loop.over(client)
        #expect(client.body == "ok")
    }

    /// Held back while the token is suspect, because the body cannot be kept for a second sending.
    @Test(arguments: ["x", "xy", String(repeating: "x", count: 5_000)])
    func aBodyThatWaitedForTheTokenGoesOutWhole(_ body: String) throws {
        let loop = try LoopbackWorker(
            .init(
                isRenewable: true, isSuspect: true, renew: Self.door(.renewed), configure: { $0.replayBufferBytes = 0 })
        )
        let client = try loop.client(
            "POST /api/0/ HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        let upstream = try loop.accept()
        try loop.turn("the body") { upstream.body.count == body.count }
        #expect(upstream.body == body)
        upstream.send(Self.ok)
        upstream.finish()
        try loop.over(client)
        #expect(client.body == "ok")
    }

    /// Somebody who may be sending is listened to after the answer; who has sent all is not.
    @Test(arguments: [("", false), ("more", true)])
    func onlyWhatIsBehindTheBodyIsMore(_ behind: String, _ hasMore: Bool) throws {
        let loop = try LoopbackWorker()
        let client = try loop.client("POST /api/0/ HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody\(behind)")
        let upstream = try loop.accept()
        try loop.turn("the body") { upstream.body == "body" }
        let slot = try #require((0..<loop.worker.exchanges.slots).first { loop.worker.exchanges[$0].phase != .vacant })
        #expect(loop.worker.exchanges[slot].client.mayHaveMore == hasMore)
        upstream.send(Self.ok)
        upstream.finish()
        try loop.over(client)
        #expect(client.body == "ok")
    }

    @Test func aRefusedTokenIsRenewedAndTheRequestSentAgain() throws {
        let loop = try LoopbackWorker(.init(isRenewable: true, renew: Self.door(.renewed)))
        let client = try loop.client("POST /api/0/ HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody")
        let first = try loop.accept()
        first.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
        let second = try loop.accept()
        try loop.turn("the body") { second.body == "body" }
        #expect(second.text == first.text)
        second.send(Self.ok)
        second.finish()
        try loop.over(client)
        #expect(client.body == "ok")
        #expect(loop.log().first?.contains(" retry=renewed") == true)
    }

    /// What the first sending took is not the second one's.
    @Test func aSecondSendingThatComesToNothingHasNoTimesOfTheFirst() throws {
        let tokens = Mutex<TokenPublisher?>(nil)
        let loop = try LoopbackWorker(
            .init(
                isRenewable: true,
                renew: { _, tell in
                    let lost = TokenSnapshot(
                        version: 2, token: nil, kind: .system, source: .postgreSQL, isRenewable: true,
                        health: .missing(.notReadYet))
                    tokens.withLock { $0?.publish(lost) }
                    tell(.renewed)
                }))
        tokens.withLock { $0 = loop.shared.tokens }
        let answer = try loop.exchange(
            "GET /api/0/ HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
        #expect(answer.client.hasPrefix("HTTP/1.1 503 "))
        let line = try #require(loop.log().first)
        #expect(line.contains(" retry=renewed ") && !line.contains("connect_ms=") && !line.contains("upstream_ms="))
    }

    /// While an answer is waited for, which may take long, little memory is held.
    @Test func aRequestThatIsOutHoldsItsLineOnly() throws {
        let loop = try LoopbackWorker()
        let client = try loop.client("GET /api/0/ HTTP/1.1\r\nHost: h\r\n\r\n")
        let upstream = try loop.accept()
        let line = try #require(loop.worker.exchanges[0].request.facts.line)
        #expect(loop.worker.pool.memory.held == Bounds.exchangeBytes + line.capacity)
        upstream.send(Self.ok)
        upstream.finish()
        try loop.over(client)
    }

    @Test(arguments: ["", "Transfer-Encoding: chunked\r\n"])
    func aHeadThatCannotBeWrittenIsRefused(_ framing: String) throws {
        let loop = try LoopbackWorker(.init(configure: { $0.headLimits = HeadLimits(headBytes: 200_000) }))
        let field = "X-Long: \(String(repeating: "x", count: Bounds.stagingBytes - Bounds.relayBytes))\r\n"
        let body = framing.isEmpty ? "" : "0\r\n\r\n"
        let answer = try loop.refused("POST /api/0/ HTTP/1.1\r\nHost: h\r\n\(field)\(framing)\r\n\(body)")
        #expect(answer.hasPrefix("HTTP/1.1 431 "))
    }

    // MARK: Addresses

    @Test func whereNobodyListensTheAnswerIs502() throws {
        // Was bound, and is not any more.
        var gone: Listener? = try Listener(address: #require(SocketAddress(address: "127.0.0.1", port: 0)), backlog: 1)
        let port = try #require(gone?.port)
        gone = nil
        let loop = try LoopbackWorker(.init(addresses: [#require(SocketAddress(address: "127.0.0.1", port: port))]))
        let client = try loop.client("GET /api/0/ HTTP/1.1\r\nHost: h\r\n\r\n")
        try loop.over(client)
        #expect(client.text.hasPrefix("HTTP/1.1 502 "))
        #expect(loop.log().first?.contains(" cause=connection_refused") == true)
    }

    /// RFC 8305 §5: the next address is tried beside one that says nothing.
    @Test func anAddressThatSaysNothingIsOvertaken() throws {
        let silent = try Listener(address: #require(SocketAddress(address: "127.0.0.1", port: 0)), backlog: 1)
        let first = try #require(SocketAddress(address: "127.0.0.1", port: silent.port))
        // With a full queue the kernel answers no SYN.
        var waiting: [CInt] = []
        defer { for descriptor in waiting { close(descriptor) } }
        for _ in 0..<4 { waiting.append(dup(try Socket.connecting(to: first).descriptor)) }
        let upstream = try Listener(address: #require(SocketAddress(address: "127.0.0.1", port: 0)), backlog: 1)
        let second = try #require(SocketAddress(address: "127.0.0.1", port: upstream.port))
        let loop = try LoopbackWorker(.init(addresses: [first, second]))
        let client = try loop.client("GET /api/0/ HTTP/1.1\r\nHost: h\r\n\r\n")
        var peer: Peer?
        try loop.turn("a connection with a request") {
            if peer?.text.isEmpty == false { return true }
            peer?.read()
            if case .socket(let descriptor, from: _) = upstream.accept() { peer = Peer(descriptor) }
            return false
        }
        // What is watched is known: it is not asked for once more.
        #expect(loop.worker.exchanges[0].upstream.side.interest.contains(.anything))
        peer?.send(Self.ok)
        peer?.finish()
        try loop.over(client)
        #expect(client.body == "ok")
    }

    /// Of a Unix-domain socket, which tells nobody when there is room again.
    @Test func whereTheQueueIsFullItIsTriedAgain() throws {
        let path = NSTemporaryDirectory() + "queue-\(UUID().uuidString).sock"
        defer { unlink(path) }
        let upstream = try Listener(unixPath: path, backlog: 0)
        let address = try #require(SocketAddress(unixPath: path))
        var waiting: [CInt] = []
        defer { for descriptor in waiting { close(descriptor) } }
        func fill() throws {
            // The queue of a listener holds one more than its backlog.
            while let socket = try? Socket.connecting(to: address) { waiting.append(dup(socket.descriptor)) }
        }
        try fill()
        let loop = try LoopbackWorker(.init(addresses: [address]))
        let client = try loop.client("GET /api/0/ HTTP/1.1\r\nHost: h\r\n\r\n")
        try loop.turn("the wait for the queue") {
            loop.worker.exchanges.slots > 0 && loop.worker.exchanges[0].upstream.attempts.state == .awaitingQueue
        }
        var peer: Peer?
        try loop.turn("a connection with a request") {
            if peer?.text.isEmpty == false { return true }
            peer?.read()
            if case .socket(let descriptor, from: _) = upstream.accept() { peer = Peer(descriptor) }
            return false
        }
        peer?.send(Self.ok)
        peer?.finish()
        try loop.over(client)
        #expect(client.body == "ok")
    }

    @Test func aProxyThatEndsGivesARequestThatIsNotThereYetASecond() throws {
        let loop = try LoopbackWorker()
        let client = try loop.client("GET /api/0/ HT")
        try loop.turn("the head's beginning") {
            loop.worker.exchanges.slots > 0 && loop.worker.exchanges[0].request.heldHead.count > 0
        }
        #expect(loop.worker.exchanges[0].timer.deadline > loop.worker.now + Bounds.drainHead)
        loop.worker.exchanges[0].hurryHead(loop.worker.reactor)
        #expect(loop.worker.exchanges[0].timer.deadline <= loop.worker.now + Bounds.drainHead)
        client.send("TP/1.1\r\nHost: h\r\n\r\n")
        let upstream = try loop.accept()
        // Who waits for the upstream is not hurried.
        loop.worker.exchanges[0].hurryHead(loop.worker.reactor)
        #expect(loop.worker.exchanges[0].timer.deadline > loop.worker.now + Bounds.drainHead)
        upstream.send(Self.ok)
        upstream.finish()
        try loop.over(client)
        #expect(client.body == "ok")
    }

    @Test func behindABalancerItsHeaderIsReadOnce() throws {
        var trusted = TrustedProxies()
        let isKnown = trusted.add("127.0.0.1")
        #expect(isKnown)
        let loop = try LoopbackWorker(
            .init(configure: { [trusted] in
                $0.trustedProxies = trusted
                $0.proxyProtocol = true
            }))
        let client = try loop.client("PROXY TCP4 192.0.2.7 192.0.2.8 4711 443\r\nGET /api/0/ HT")
        try loop.turn("the head's beginning") {
            loop.worker.exchanges.slots > 0 && loop.worker.exchanges[0].request.heldHead.count > 0
        }
        client.send("TP/1.1\r\nHost: h\r\n\r\n")
        let upstream = try loop.accept()
        upstream.send(Self.ok)
        upstream.finish()
        try loop.over(client)
        #expect(client.body == "ok")
        #expect(loop.log().first?.contains(" client=192.0.2.7:4711 ") == true)
        let answer = try loop.refused("GET /api/0/ HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 400 "))
        #expect(loop.log().first?.contains(" cause=proxy_header") == true)
    }
}
