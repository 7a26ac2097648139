import AccessPolicy
import EventLoop
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
