import AccessPolicy
import DeviceFlow
import Synchronization
import Testing
import TokenStore

@testable import ProxyServer

/// Requests that the device flow answers, over a whole exchange.
@Suite struct ExchangeConsultationTests {
    /// A device flow that keeps what it was asked.
    private final class Flow: Sendable {
        let calls = Mutex<[DeviceCall]>([])
        let answer: DeviceAnswer?

        init(_ answer: DeviceAnswer?) { self.answer = answer }

        var door: ConsultationDoor {
            ConsultationDoor(
                hasReadGrants: { true },
                handle: { [self] call, tell in
                    calls.withLock { $0.append(call) }
                    tell(answer)
                })
        }

        var asked: [DeviceCall] { calls.withLock { $0 } }
    }

    private func flow(_ status: Int = 200) -> Flow {
        Flow(DeviceAnswer(status: status, fields: "X-Extra: 1\r\n", body: Secret(Array("answer".utf8))))
    }

    private func text(_ secret: Secret) -> String {
        secret.withBytes { bytes in
            bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        }
    }

    private func post(_ target: String, _ fields: String, _ body: String) -> String {
        "POST \(target) HTTP/1.1\r\nHost: h\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"
    }

    @Test(arguments: [
        (200, "OK"), (403, "Forbidden"), (404, "Not Found"), (405, "Method Not Allowed"), (409, "Conflict"),
        (429, "Too Many Requests"), (503, "Service Unavailable"), (400, "Bad Request"),
    ])
    func theAnswerIsWrittenWhole(_ status: Int, _ reason: String) throws {
        let flow = flow(status)
        let loop = try LoopbackWorker(.init(deviceFlow: flow.door))
        let answer = try loop.refused("GET /oauth/device/ HTTP/1.1\r\nHost: h\r\n\r\n")
        let id = try #require(loop.log().first?.firstMatch(of: /\bid=([0-9a-f]{16})\b/)?.1)
        #expect(
            answer == """
                HTTP/1.1 \(status) \(reason)\r
                Content-Type: application/json\r
                Content-Length: 6\r
                Cache-Control: no-store\r
                Pragma: no-cache\r
                Connection: close\r
                X-Extra: 1\r
                X-Request-Id: \(id)\r
                \r
                answer
                """)
    }

    @Test func headHasNoBody() throws {
        let loop = try LoopbackWorker(.init(deviceFlow: flow().door))
        let answer = try loop.refused("HEAD /oauth/device/ HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(answer.contains("\r\nContent-Length: 6\r\n") && answer.hasSuffix("\r\n\r\n"))
    }

    @Test(arguments: ["", "; charset=utf-8", ";charset=utf-8", " ; charset=utf-8"])
    func aFormIsHandedIn(_ parameters: String) throws {
        let flow = flow()
        let loop = try LoopbackWorker(.init(deviceFlow: flow.door))
        let type = "Content-Type: application/x-www-form-urlencoded\(parameters)\r\n"
        let answer = try loop.refused(post("/oauth/token/?a=b", "User-Agent: test/1\r\n" + type, "form=1"))
        #expect(answer.hasSuffix("\r\n\r\nanswer"))
        let call = try #require(flow.asked.first)
        #expect(flow.asked.count == 1 && call.place == .token && !call.isSecure)
        #expect(text(call.form) == "form=1")
        #expect(String(decoding: call.query, as: UTF8.self) == "a=b")
        #expect(String(decoding: call.userAgent, as: UTF8.self) == "test/1")
        #expect(String(decoding: call.host, as: UTF8.self) == "h")
    }

    @Test func aFormThatComesInPiecesIsHandedInWhole() throws {
        let flow = flow()
        let loop = try LoopbackWorker(.init(deviceFlow: flow.door))
        let type = "Content-Type: application/x-www-form-urlencoded\r\n"
        let request = post("/oauth/device/code/", type, "client_id=1")
        let client = try loop.client(String(request.dropLast(6)))
        try loop.turn("the head") {
            loop.worker.exchanges.slots > 0 && loop.worker.exchanges[0].phase == .collectingBody
        }
        client.send(String(request.suffix(6)))
        try loop.over(client)
        #expect(client.body == "answer")
        let form = try #require(flow.asked.first?.form)
        #expect(text(form) == "client_id=1")
    }

    @Test(arguments: [
        "Content-Type: application/x-www-form-urlencoded2\r\n", "Content-Type: application/json\r\n", "",
        "Content-Type: application/x-www-form-urlencode\r\n",
    ])
    func whatIsNoFormIsRefused(_ type: String) throws {
        let flow = flow()
        let loop = try LoopbackWorker(.init(deviceFlow: flow.door))
        #expect(try loop.refused(post("/oauth/token/", type, "form=1")).hasPrefix("HTTP/1.1 400 "))
        #expect(flow.asked.isEmpty)
    }

    @Test func aFormThatIsTooLongIsRefused() throws {
        let flow = flow()
        let loop = try LoopbackWorker(.init(deviceFlow: flow.door))
        let type = "Content-Type: application/x-www-form-urlencoded\r\n"
        let body = String(repeating: "f", count: Bounds.formBytes + 1)
        #expect(try loop.refused(post("/oauth/token/", type, body)).hasPrefix("HTTP/1.1 400 "))
        #expect(flow.asked.isEmpty)
        let most = String(body.dropLast())
        #expect(try loop.refused(post("/oauth/token/", type, most)).hasPrefix("HTTP/1.1 200 "))
    }

    @Test(arguments: [
        ("DELETE", "/oauth/device/", "GET, HEAD, POST"),
        ("POST", "/.well-known/oauth-authorization-server", "GET, HEAD"),
        ("GET", "/oauth/token/", "POST"),
    ])
    func anotherMethodIsToldWhichThereAre(_ method: String, _ target: String, _ allow: String) throws {
        let flow = flow()
        let loop = try LoopbackWorker(.init(deviceFlow: flow.door))
        let answer = try loop.refused("\(method) \(target) HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 405 ") && answer.contains("\r\nAllow: \(allow)\r\n"))
        #expect(flow.asked.isEmpty)
    }

    @Test func sentrysOwnPagesBesideItAreNotReached() throws {
        let loop = try LoopbackWorker(.init(deviceFlow: flow().door))
        #expect(try loop.refused("GET /oauth/authorize/ HTTP/1.1\r\nHost: h\r\n\r\n").hasPrefix("HTTP/1.1 404 "))
    }

    @Test func everythingElseGoesUpstream() throws {
        let flow = flow()
        let loop = try LoopbackWorker(.init(deviceFlow: flow.door))
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        #expect(try loop.exchange("GET /api/0/ HTTP/1.1\r\nHost: h\r\n\r\n", answer).client.hasSuffix("ok"))
        #expect(flow.asked.isEmpty)
    }

    @Test func silenceEndsTheConnection() throws {
        let loop = try LoopbackWorker(.init(deviceFlow: Flow(nil).door))
        #expect(try loop.refused("GET /oauth/device/ HTTP/1.1\r\nHost: h\r\n\r\n").isEmpty)
    }
}
