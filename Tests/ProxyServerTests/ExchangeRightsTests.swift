import Testing

@testable import ProxyServer

/// What the rights and limits of an alias do to its requests, over a whole exchange.
@Suite struct ExchangeRightsTests {
    private static let field = "Authorization: Bearer \(LoopbackWorker.alias)\r\n"
    private static let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    private func get(_ target: String) -> String {
        "GET \(target) HTTP/1.1\r\nHost: proxy.example\r\n\(Self.field)\r\n"
    }

    @Test func anAliasHasItsRateAndNoMore() throws {
        let loop = try LoopbackWorker(.init(rights: ["full", "rate=1/m"]))
        #expect(try loop.exchange(get("/api/0/"), Self.ok).client.hasPrefix("HTTP/1.1 200 "))
        let second = try loop.refused(get("/api/0/"))
        #expect(second.hasPrefix("HTTP/1.1 429 ") && second.contains("\r\nRetry-After: 60\r\n"))
    }

    @Test func anAliasHasItsRequestsInFlightAndNoMore() throws {
        let loop = try LoopbackWorker(.init(rights: ["full", "concurrency=1"]))
        let first = try loop.client(get("/api/0/"))
        let upstream = try loop.accept()
        let second = try loop.client(get("/api/0/"))
        try loop.turn("the second answer") { second.hasEnded }
        #expect(second.text.hasPrefix("HTTP/1.1 429 "))
        upstream.send(Self.ok)
        upstream.finish()
        try loop.over(first)
        #expect(first.text.hasSuffix("ok"))
        #expect(try loop.exchange(get("/api/0/"), Self.ok).client.hasSuffix("ok"))
    }

    @Test func anExpiredAliasIsToldSoWhateverItsRate() throws {
        let loop = try LoopbackWorker(.init(rights: ["full", "rate=1/m", "expires=2020-01-01"]))
        for _ in 0..<3 { #expect(try loop.refused(get("/api/0/")).hasPrefix("HTTP/1.1 401 ")) }
    }

    @Test func whatIsRefusedHasTheReason() throws {
        let loop = try LoopbackWorker(.init(rights: ["read-only"]))
        let answer = try loop.refused("DELETE /api/0/organizations/acme/ HTTP/1.1\r\nHost: h\r\n\(Self.field)\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 403 ") && answer.contains("\r\nX-Sentry-Api-Proxy-Refusal: operation\r\n"))
        #expect(answer.contains("tester"))
        let line = try #require(loop.log().first)
        #expect(line.contains(" policy=refused reason=operation ") && line.contains(" alias=tester "))
    }

    @Test func inShadowModeWhatGoesOnIsLearnedAndWhatIsRefusedIsNot() throws {
        let loop = try LoopbackWorker(.init(rights: ["read-only", "mode=shadow"]))
        func learned() -> UInt64 {
            loop.worker.lessons.counted.reduce(0) { $0 + $1.counts.reduce($1.withoutOperation) { $0 + UInt64($1) } }
        }
        let delete = "DELETE /api/0/organizations/acme/ HTTP/1.1\r\nHost: h\r\n\(Self.field)\r\n"
        #expect(try loop.exchange(delete, Self.ok).client.hasSuffix("ok"))
        #expect(learned() == 1)
        _ = try loop.exchange(get("/api/0/organizations/acme/"), Self.ok)
        #expect(learned() == 2)
        #expect(loop.log().filter { $0.contains(" policy=would_refuse ") }.count == 1)
    }

    // MARK: Bodies and answers

    private static let ofWeb = ["ci-upload", "org=acme:1", "project=web:1"]

    private func release(_ fields: String, _ body: String) -> String {
        "POST /api/0/organizations/acme/releases/ HTTP/1.1\r\nHost: h\r\n\(Self.field)\(fields)\r\n\(body)"
    }

    @Test(arguments: [true, false])
    func aBodyOfTheAliasesProjectsGoesOnAsItCame(_ isChunked: Bool) throws {
        let loop = try LoopbackWorker(.init(rights: Self.ofWeb))
        let body = #"{"version": "1", "projects": ["web"]}"#
        let type = "Content-Type: application/json\r\n"
        let request =
            isChunked
            ? release(type + "Transfer-Encoding: chunked\r\n", "25\r\n\(body)\r\n0\r\n\r\n")
            : release(type + "Content-Length: \(body.utf8.count)\r\n", body)
        let (upstream, client) = try loop.exchange(request, Self.ok)
        #expect(upstream.hasSuffix("\r\n\r\n" + body) && upstream.contains("\r\nContent-Length: 37\r\n"))
        #expect(client.hasSuffix("ok"))
    }

    @Test(arguments: [
        ("Content-Type: application/json\r\n", #"{"version": "1", "projects": ["docs"]}"#),
        ("Content-Type: application/json\r\nContent-Encoding: gzip\r\n", #"{"version": "1", "projects": ["web"]}"#),
        ("Content-Type: text/plain\r\n", #"{"version": "1", "projects": ["web"]}"#),
        ("", #"{"version": "1", "projects": ["web"]}"#),
        ("Content-Type: application/json\r\n", ""),
    ])
    func anyOtherBodyIsRefused(_ fields: String, _ body: String) throws {
        let loop = try LoopbackWorker(.init(rights: Self.ofWeb))
        let answer = try loop.refused(release(fields + "Content-Length: \(body.utf8.count)\r\n", body))
        #expect(answer.hasPrefix("HTTP/1.1 403 ") && answer.contains("\r\nX-Sentry-Api-Proxy-Refusal: body\r\n"))
    }

    private static let list = #"[{"slug": "acme", "id": "1"}, {"slug": "other", "id": "2"}]"#

    @Test func aListIsCutToWhatIsTheAliases() throws {
        let loop = try LoopbackWorker(.init(rights: ["read-only", "org=acme:1"]))
        let answer =
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(Self.list.utf8.count)\r\n\r\n"
            + Self.list
        let client = try loop.exchange(get("/api/0/organizations/"), answer).client
        #expect(
            client.hasSuffix("\r\n\r\n" + #"[{"slug": "acme", "id": "1"}]"#)
                && client.contains("\r\nContent-Length: 29\r\n"))
    }

    @Test(arguments: [
        "206 Partial Content\r\nContent-Range: bytes 0-58/59\r\nContent-Type: application/json",
        "200 OK\r\nContent-Type: text/html", "200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip",
    ])
    func aListThatCannotBeCutDoesNotGoOn(_ head: String) throws {
        let loop = try LoopbackWorker(.init(rights: ["read-only", "org=acme:1"]))
        let answer = "HTTP/1.1 \(head)\r\nContent-Length: \(Self.list.utf8.count)\r\n\r\n" + Self.list
        #expect(try loop.exchange(get("/api/0/organizations/"), answer).client.hasPrefix("HTTP/1.1 502 "))
    }

    @Test func aRefusedTokenIsNotTheAliases() throws {
        let loop = try LoopbackWorker(.init(rights: ["read-only"]))
        let answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
        #expect(try loop.exchange(get("/api/0/organizations/acme/"), answer).client.hasPrefix("HTTP/1.1 502 "))
    }
}
