import CZlib

/// What the upstream will answer to one request.
struct Answer {
    enum Framing { case length, chunked, untilClose, none }
    /// How it breaks off before its end.
    enum Break { case fin, reset }

    var status = 200
    var fields: [String] = []
    /// As a client must see it in the end.
    var body: [UInt8] = []
    /// The body as it is sent, when that is another one.
    var coded: [UInt8]?
    /// What the client may see in place of `body`: an address of Sentry's was exchanged in it.
    var rewritten: [UInt8]?
    var framing = Framing.length
    var interims = 0
    /// Bytes before the head that are none.
    var garbage: [UInt8] = []
    var delay: UInt64 = 0
    /// It begins before the request's body is in.
    var isEarly = false
    /// Its first or its last chunk has no size.
    var corruptChunk: Chunk?
    enum Chunk { case first, last }
    /// It never comes.
    var isSilent = false
    /// The upstream reads nothing but the head.
    var isDeaf = false
    var breaks: Break?
    /// Where it breaks off, in thousandths of its bytes.
    var breaksAt = 0
    var chunkBytes = 1_000
    /// Bytes written at once, and the pause between two of them.
    var pieceBytes = 65_536
    var pause: UInt64 = 0
    /// The upstream closes at once, or waits for the proxy to do so.
    var closesFirst = true

    /// Whether it is a whole answer by the rules.
    var isWhole: Bool {
        breaks == nil && corruptChunk == nil && garbage.isEmpty && !isSilent && !isDeaf && interims <= 16
    }
    /// Nothing but what any server does.
    var isPlain: Bool { isWhole && !isEarly && delay < seconds(5) && pause < milliseconds(50) }

    func bytes(number: Int, isHead: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<interims { bytes += Array("HTTP/1.1 103 Early Hints\r\nX-Hint: a\r\n\r\n".utf8) }
        bytes += garbage
        let sent = coded ?? body
        var head = "HTTP/1.1 \(status) Reason\r\nX-Answer: \(number)\r\n"
        for field in fields { head += field + "\r\n" }
        switch framing {
        case .length: head += "Content-Length: \(sent.count)\r\n"
        case .chunked: head += "Transfer-Encoding: chunked\r\n"
        case .untilClose, .none: break
        }
        bytes += Array((head + "\r\n").utf8)
        guard !isHead, framing != .none, status != 304, status != 204 else { return bytes }
        guard framing == .chunked else { return bytes + sent }
        var chunks = chunked(sent, size: chunkBytes)
        if let corruptChunk { chunks[corruptChunk == .first ? 0 : chunks.count - 5] = UInt8(ascii: "z") }
        return bytes + chunks
    }
}

func chunked(_ body: [UInt8], size: Int, trailer: String = "") -> [UInt8] {
    var bytes: [UInt8] = []
    var at = 0
    while at < body.count {
        let piece = body[at..<min(body.count, at + max(1, size))]
        bytes += Array((String(piece.count, radix: 16) + "\r\n").utf8) + piece + [0x0d, 0x0a]
        at += piece.count
    }
    return bytes + Array("0\r\n\(trailer)\r\n".utf8)
}

/// A gzip stream (RFC 1952) of stored blocks.
func gzipped(_ body: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]
    var at = 0
    repeat {
        let piece = body[at..<min(body.count, at + 65_535)]
        at += piece.count
        let count = UInt16(piece.count)
        bytes += [
            at == body.count ? 1 : 0, UInt8(count & 0xff), UInt8(count >> 8), UInt8(~count & 0xff), UInt8(~count >> 8),
        ]
        bytes += piece
    } while at < body.count
    let sum = body.withUnsafeBufferPointer { UInt32(crc32(0, $0.baseAddress, UInt32($0.count))) }
    for word in [sum, UInt32(body.count)] {
        for shift in [0, 8, 16, 24] { bytes.append(UInt8(word >> UInt32(shift) & 0xff)) }
    }
    return bytes
}

/// One client with its request, and what is known of both ends of it.
final class Plan {
    enum BodyFraming { case none, length, chunked }
    /// How the client leaves before its time.
    enum Leaving { case close, reset, halfClose }

    let number: Int
    var method = "GET"
    var target = "/"
    var isElevated = true
    var isHTTP10 = false
    var fields: [String] = []
    var body: [UInt8] = []
    var framing = BodyFraming.none
    var chunkBytes = 1_000
    /// The last chunk is none.
    var isCorrupt = false
    var expectsContinue = false
    /// Sent behind the request.
    var extra: [UInt8] = []
    /// In place of a request: bytes that are not meant to be one.
    var fixture: [UInt8]?
    /// It asks the device flow for something that this does not do.
    var isRefusedByDeviceFlow = false
    /// A PROXY header comes first.
    var preface: [UInt8] = []
    var answer = Answer()

    var startsAt: UInt64 = 0
    /// Bytes written at once, and the pause between two of them.
    var pieceBytes = 65_536
    var pause: UInt64 = 0
    /// The client sends no more from this byte on.
    var stallsAt: Int?
    /// It leaves so long after its start; a half-close comes when all is sent.
    var leavesAfter: UInt64?
    var leaving = Leaving.close
    /// Bytes that it reads at once, and the pause between two of them.
    var readBytes = 262_144
    var readPause: UInt64 = 0
    var receiveCapacity = 65_536
    var sendCapacity = 65_536

    // What happened.
    var isFinished = false
    /// The upstream broke off behind the empty line of its head.
    var isCutBeforeBody = false
    /// All of the request was given to the client's socket.
    var isSent = false
    /// Whole requests that the upstream got of it.
    var arrivals = 0
    /// How often the device flow was asked for it.
    var consultations = 0
    /// Of the arrivals, the ones that were answered 401.
    var refusals = 0

    init(_ number: Int) {
        self.number = number
    }

    var isGzip: Bool { fields.contains("Accept-Encoding: gzip") }

    /// The request's bytes, and where its head ends.
    func bytes() -> (all: [UInt8], head: Int) {
        if let fixture { return (preface + fixture, preface.count + fixture.count) }
        var head = "\(method) \(target) HTTP/1.\(isHTTP10 ? 0 : 1)\r\nHost: proxy.example\r\nX-Sim: \(number)\r\n"
        for field in fields { head += field + "\r\n" }
        switch framing {
        case .none: break
        case .length: head += "Content-Length: \(body.count)\r\n"
        case .chunked: head += "Transfer-Encoding: chunked\r\n"
        }
        if expectsContinue { head += "Expect: 100-continue\r\n" }
        let first = preface + Array((head + "\r\n").utf8)
        var second = framing == .chunked ? chunked(body, size: chunkBytes) : framing == .length ? body : []
        if isCorrupt { second.replaceSubrange((second.count - 5)..., with: Array("zz\r\n".utf8)) }
        return (first + second + extra, first.count)
    }

    /// Neither side takes longer than the other's deadlines allow, however many pieces there are.
    var isBrisk: Bool { max(pause, readPause, answer.pause) < milliseconds(100) }

    /// A client that does what clients should, to the end.
    var isPatient: Bool {
        // Who sends more behind the request may lose the answer (RFC 9112 §9.6).
        fixture == nil && extra.isEmpty && !isCorrupt && stallsAt == nil
            && (leavesAfter == nil || leaving == .halfClose)
            && pause < milliseconds(50)
            && readPause < milliseconds(5)
    }
}
