import AccessPolicy
import DeviceFlow
import EventLoop
import Foundation
import System
import Testing

@testable import ProxyServer

/// What a deadline that passes comes to in each phase. Time does not pass here: the deadline moves, and the wheel fires by hand.
@Suite struct ExchangeDeadlineTests {
    private static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    private static let get = "GET /api/0/ HTTP/1.1\r\nHost: h\r\n\r\n"

    /// Turns until the only exchange is in this phase.
    private func exchange(_ loop: LoopbackWorker, in phase: Phase) throws -> Exchange {
        try loop.turn("\(phase)") { loop.worker.exchanges.slots > 0 && loop.worker.exchanges[0].phase == phase }
        return loop.worker.exchanges[0]
    }

    private func pass(_ exchange: Exchange, _ loop: LoopbackWorker) {
        exchange.timer.deadline = .distantPast
        fire(exchange, loop)
    }

    /// What the wheel does when its time has come.
    private func fire(_ exchange: Exchange, _ loop: LoopbackWorker) {
        loop.worker.reactor.timers.disarm(slot: exchange.slot)
        exchange.timerExpired(loop.worker)
    }

    /// - Returns: what the client got, and the cause in the log.
    private func ended(_ client: Peer, _ loop: LoopbackWorker) throws -> (text: String, cause: String) {
        try loop.over(client)
        let cause = loop.log().first?.firstMatch(of: /\bcause=(\w+)/).map { String($0.1) }
        return (client.text, cause ?? "none")
    }

    @Test func aHeadThatDoesNotComeIsA408() throws {
        let loop = try LoopbackWorker()
        let client = try loop.client("GET /api/0/ HT")
        pass(try exchange(loop, in: .readingHead), loop)
        let (text, cause) = try ended(client, loop)
        #expect(text.hasPrefix("HTTP/1.1 408 ") && cause == "request_timeout")
    }

    @Test func aCollectedBodyThatDoesNotComeIsA408() throws {
        let loop = try LoopbackWorker()
        let client = try loop.client("POST /api/0/ HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha")
        pass(try exchange(loop, in: .collectingBody), loop)
        let (text, cause) = try ended(client, loop)
        #expect(text.hasPrefix("HTTP/1.1 408 ") && cause == "request_timeout")
        #expect(!loop.hasDialed)
    }

    @Test func aTimerThatFiresTooSoonIsSetAnew() throws {
        let loop = try LoopbackWorker()
        let client = try loop.client("GET /api/0/ HT")
        let exchange = try exchange(loop, in: .readingHead)
        let deadline = exchange.timer.deadline
        fire(exchange, loop)
        #expect(exchange.phase == .readingHead && exchange.timer.deadline == deadline)
        #expect(exchange.timer.armedFor <= deadline)
        client.finish()
        try loop.over(client)
    }

    @Test func anAddressThatSaysNothingIsA504() throws {
        let silent = try Listener(address: #require(SocketAddress(address: "127.0.0.1", port: 0)), backlog: 1)
        let address = try #require(SocketAddress(address: "127.0.0.1", port: silent.port))
        // With a full queue the kernel answers no SYN.
        let waiting = try (0..<4).map { _ in Peer(dup(try Socket.connecting(to: address).descriptor)) }
        defer { withExtendedLifetime(waiting) {} }
        let loop = try LoopbackWorker(.init(addresses: [address]))
        let client = try loop.client(Self.get)
        let exchange = try exchange(loop, in: .dialing)
        exchange.upstream.attempts.startedAt = .distantPast
        pass(exchange, loop)
        let (text, cause) = try ended(client, loop)
        #expect(text.hasPrefix("HTTP/1.1 504 ") && cause == "connect_timeout")
    }

    @Test func aBodyThatDoesNotComeIsA408() throws {
        let loop = try LoopbackWorker()
        let client = try loop.client("POST /api/0/ HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nha")
        _ = try loop.accept()
        pass(try exchange(loop, in: .sendingRequest), loop)
        let (text, cause) = try ended(client, loop)
        #expect(text.hasPrefix("HTTP/1.1 408 ") && cause == "request_timeout")
    }

    @Test func anAnswerThatDoesNotComeIsA504() throws {
        let loop = try LoopbackWorker()
        let client = try loop.client(Self.get)
        _ = try loop.accept()
        pass(try exchange(loop, in: .awaitingResponse), loop)
        let (text, cause) = try ended(client, loop)
        #expect(text.hasPrefix("HTTP/1.1 504 ") && cause == "answer_timeout")
    }

    /// Its head came in time, so it is not the answer that is late.
    @Test func aBodyThatIsToBeRewrittenAndStallsIsA504() throws {
        let loop = try LoopbackWorker()
        let client = try loop.client("GET /api/0/organizations/ HTTP/1.1\r\nHost: h\r\n\r\n")
        let upstream = try loop.accept()
        upstream.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n[")
        try loop.turn("the body's beginning") { loop.worker.exchanges[0].response.collected.count == 1 }
        pass(loop.worker.exchanges[0], loop)
        let (text, cause) = try ended(client, loop)
        #expect(text.hasPrefix("HTTP/1.1 504 ") && cause == "answer_stalled")
    }

    @Test func anAnswerThatStallsBreaksOff() throws {
        let loop = try LoopbackWorker()
        let client = try loop.client(Self.get)
        let upstream = try loop.accept()
        upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf")
        try loop.turn("its beginning") { client.body == "half" }
        pass(try exchange(loop, in: .relaying), loop)
        let (text, cause) = try ended(client, loop)
        #expect(text.hasSuffix("half") && cause == "answer_stalled")
    }

    /// Without a length only a reset tells a client that it has not got all.
    @Test func anAnswerUntilTheCloseThatStallsIsReset() throws {
        let loop = try LoopbackWorker()
        let client = try loop.client("GET /api/0/ HTTP/1.0\r\nHost: h\r\n\r\n")
        let upstream = try loop.accept()
        upstream.send("HTTP/1.1 200 OK\r\n\r\nhalf")
        try loop.turn("its beginning") { client.body == "half" }
        pass(try exchange(loop, in: .relaying), loop)
        _ = try ended(client, loop)
        #expect(client.wasReset)
    }

    // MARK: The token

    /// The 401 that was held back goes on.
    @Test func aRenewalThatDoesNotComeLeavesThe401() throws {
        let loop = try LoopbackWorker(.init(isRenewable: true))
        let client = try loop.client(Self.get)
        let upstream = try loop.accept()
        upstream.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
        upstream.finish()
        pass(try exchange(loop, in: .renewing), loop)
        try loop.over(client)
        #expect(client.text.hasPrefix("HTTP/1.1 401 ") && loop.log().first?.contains(" retry=unavailable") == true)
    }

    /// A body that cannot be kept goes out with the token that there is.
    @Test func aRenewalAheadThatDoesNotComeIsNotWaitedFor() throws {
        let loop = try LoopbackWorker(
            .init(isRenewable: true, isSuspect: true, configure: { $0.replayBufferBytes = 0 }))
        let client = try loop.client("POST /api/0/ HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody")
        pass(try exchange(loop, in: .renewingFirst), loop)
        let upstream = try loop.accept()
        upstream.send(Self.ok)
        upstream.finish()
        try loop.over(client)
        #expect(upstream.body == "body" && client.body == "ok")
    }

    // MARK: The device flow

    @Test func aDeviceFlowThatIsSilentEndsTheConnection() throws {
        let loop = try LoopbackWorker(
            .init(deviceFlow: ConsultationDoor(hasReadGrants: { true }, handle: { _, _ in })))
        let client = try loop.client("GET /oauth/device/ HTTP/1.1\r\nHost: h\r\n\r\n")
        pass(try exchange(loop, in: .consulting), loop)
        try loop.over(client)
        #expect(client.text.isEmpty)
    }

    // MARK: The end

    /// Who neither sends nor closes after the answer is not waited for for ever.
    @Test func aClientThatStaysIsLeft() throws {
        let loop = try LoopbackWorker()
        let client = try loop.client("GET /api/0/ HTTP/1.1\r\nHost: h\r\n\r\nmore")
        let upstream = try loop.accept()
        upstream.send(Self.ok)
        upstream.finish()
        pass(try exchange(loop, in: .closing), loop)
        #expect(loop.worker.exchanges.count == 0)
        try loop.over(client)
        #expect(client.body == "ok")
    }

    // MARK: Half-closed clients

    @Test(arguments: [("1.1", true), ("1.0", false)])
    func aClientThatHasShutItsSideIsAskedBeforeItsAnswer(_ version: String, _ isAsked: Bool) throws {
        let loop = try LoopbackWorker()
        let client = try loop.client("GET /api/0/ HTTP/\(version)\r\nHost: h\r\n\r\n")
        let upstream = try loop.accept()
        client.finish()
        try loop.turn("the client's FIN") { loop.worker.exchanges[0].client.hasEnded }
        let exchange = try exchange(loop, in: .awaitingResponse)
        #expect(exchange.timer.probe.isDue == isAsked)
        if isAsked { exchange.timer.probe = .due(.distantPast) }
        fire(exchange, loop)
        #expect(exchange.timer.probe == (isAsked ? .done : Probe.none))
        // Once is enough.
        fire(exchange, loop)
        upstream.send(Self.ok)
        upstream.finish()
        try loop.over(client)
        let interim = "HTTP/1.1 100 Continue\r\n\r\n"
        #expect(client.text.hasPrefix(interim) == isAsked && client.text.ranges(of: interim).count == (isAsked ? 1 : 0))
        #expect(client.text.hasSuffix("\r\n\r\nok"))
    }

    @Test func aClientThatIsGoneWhenItIsAskedEndsTheExchange() throws {
        let loop = try LoopbackWorker()
        let client = try loop.client(Self.get)
        let upstream = try loop.accept()
        client.reset()
        let exchange = loop.worker.exchanges[0]
        try loop.turn("the end") {
            fire(exchange, loop)
            return loop.worker.exchanges.count == 0
        }
        try loop.turn("the upstream's reset") { upstream.hasEnded }
        #expect(loop.log().first?.contains(" cause=client_left") == true)
    }
}
