import EventLoop
import Testing

@testable import ProxyServer

@Suite struct RequestFactsTests {
    @Test(
        arguments: [
            (0, "0000000000000000"), (0x0123_4567_89ab_cdef, "0123456789abcdef"), (.max, "ffffffffffffffff"),
            (0x9a9a_a9a9_0f0f_f0f0, "9a9aa9a90f0ff0f0"), (1, "0000000000000001"), (1 << 60, "1000000000000000"),
        ] as [(UInt64, String)])
    func anIDIsShownAsSixteenDigits(_ id: UInt64, _ text: String) {
        var facts = RequestFacts()
        facts.id = id
        let shown = facts.idText
        #expect(shown.span.indices.map { Character(UnicodeScalar(shown[$0])) } == Array(text))
    }

    /// What is kept of a request, part behind part.
    private func facts(_ pool: inout BufferPool) -> RequestFacts {
        var facts = RequestFacts()
        let parts = ["GET", "/api/0/", "host", "request-id", "traceparent", "alias", "operation"]
        let line = pool.take(atLeast: 128)
        line.bytes.copyBytes(from: Array(parts.joined().utf8))
        facts.line = line
        (facts.methodCount, facts.lineCount, facts.hostCount) = (3, 10, 4)
        (facts.clientRequestIDCount, facts.traceparentCount) = (10, 11)
        (facts.aliasCount, facts.operationCount) = (5, 9)
        return facts
    }

    private func text(_ facts: RequestFacts) -> String {
        String(decoding: facts.line!.bytes[..<facts.noted], as: UTF8.self)
    }

    @Test func allPartsAreInUse() {
        var pool = BufferPool()
        let facts = facts(&pool)
        #expect(text(facts) == "GET/api/0/hostrequest-idtraceparentaliasoperation")
        #expect(String(decoding: facts.path, as: UTF8.self) == "/api/0/")
        #expect(String(decoding: facts.host, as: UTF8.self) == "host")
        #expect(facts.clientRequestIDRange == 14..<24)
        pool.give(facts.line!, used: facts.noted)
    }

    @Test func whatTheClientChoseIsBlottedOutAndNothingElse() {
        var pool = BufferPool()
        let facts = facts(&pool)
        facts.blot(path: false)
        #expect(text(facts) == "GET/api/0/host*********************aliasoperation")
        facts.blot(path: true)
        #expect(text(facts) == "GET*******host*********************aliasoperation")
        pool.give(facts.line!, used: facts.noted)
    }
}
