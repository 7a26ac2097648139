import Testing

@testable import ProxyServer

@Suite struct TunnelTests {
    func read(_ text: String, cutAt cut: Int) -> TunnelAnswer.Progress {
        let bytes = Array(text.utf8)
        var answer = TunnelAnswer()
        let first = answer.read(bytes.span.extracting(first: cut))
        return first == .partial ? answer.read(bytes.span.extracting(droppingFirst: cut)) : first
    }

    @Test func aHeadIsTheSameAtEverySplit() {
        let heads: [(String, Int)] = [
            ("HTTP/1.1 200 Connection established\r\n\r\n", 200), ("HTTP/1.0 200 OK\r\nVia: 1.1 a\r\n\r\n", 200),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 \r\n\r\n", 204), ("HTTP/1.1 407 \r\nA: b\r\n\r\n", 407),
            ("HTTP/1.1 200 OK\n\n", 200),
        ]
        for (text, status) in heads {
            for cut in 0...text.utf8.count {
                #expect(read(text, cutAt: cut) == .final(status: status), "\(text) \(cut)")
            }
        }
    }

    @Test func aRefusalMayHaveABody() {
        #expect(read("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", cutAt: 5) == .final(status: 403))
    }

    @Test func whatIsNoAnswerIsFoundOutAtItsFirstByte() {
        for text in [
            "SSH-2.0-x\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 20\r\n\r\n", "HTTP/1.1 099 A\r\n\r\n",
            "HTTP/1.1 2000\r\n\r\n",
            "HTTP/1.1  200\r\n\r\n", "http/1.1 200\r\n\r\n", "\r\n", "HTTP/1.1 200 OK\r\n\r\nx",
        ] {
            #expect(read(text, cutAt: 0) == .malformed, "\(text)")
        }
    }

    @Test func anEndlessHeadEnds() {
        var answer = TunnelAnswer()
        _ = answer.read(Array("HTTP/1.1 200 OK\r\n".utf8).span)
        let line = Array("X-A: b\r\n".utf8)
        var lines = 0
        while answer.read(line.span) == .partial { lines += 1 }
        #expect(lines == (TunnelAnswer.mostBytes - 17) / line.count)
    }
}
