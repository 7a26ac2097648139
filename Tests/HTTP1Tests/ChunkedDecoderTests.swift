import HTTP1
import Testing

@Suite struct ChunkedDecoderTests {
    /// Decodes pieces, and counts the calls that it took.
    private func decode(_ pieces: [[UInt8]], _ decoder: ChunkedDecoder = ChunkedDecoder()) throws(ParseError) -> (
        body: [UInt8], rest: [UInt8], isComplete: Bool, calls: Int
    ) {
        var decoder = decoder
        var body: [UInt8] = []
        var rest: [UInt8] = []
        var calls = 0
        for piece in pieces {
            var input = piece
            while !input.isEmpty, !decoder.isComplete {
                let step = try decoder.next(input)
                calls += 1
                #expect(step.consumed > 0)
                #expect(step.payload.upperBound <= step.consumed)
                #expect(step.isComplete == decoder.isComplete)
                body += input[step.payload]
                input.removeFirst(step.consumed)
            }
            rest += input
        }
        return (body, rest, decoder.isComplete, calls)
    }

    private let message = Array("5;a=b\r\nhello\r\n00A\r\n, world\r\n.\r\n0\r\nX: y\r\nZ:\r\n\r\nrest".utf8)

    @Test func everySplitInThree() throws {
        for first in 0...message.count {
            for second in first...message.count {
                let result = try decode([
                    Array(message[..<first]), Array(message[first..<second]), Array(message[second...]),
                ])
                #expect(
                    result.isComplete && result.body == Array("hello, world\r\n.".utf8)
                        && result.rest == Array("rest".utf8))
            }
        }
    }

    @Test func byteByByteTakesOneCallAByte() throws {
        let result = try decode(message.map { [$0] })
        #expect(result.calls == message.count - 4)
    }

    /// One call takes the framing before a payload, the payload, and the framing behind it.
    @Test func oneCallAChunk() throws {
        let result = try decode([message])
        #expect(result.calls == 2)
    }

    @Test func afterTheEndNothingIsConsumed() throws {
        var decoder = ChunkedDecoder()
        let end = Array("0\r\n\r\nx".utf8)
        #expect(try decoder.next(end) == .init(consumed: 5, payload: 0..<0, isComplete: true))
        #expect(try decoder.next(end) == .init(consumed: 0, payload: 0..<0, isComplete: true))
    }

    @Test func emptyInputConsumesNothing() throws {
        var decoder = ChunkedDecoder()
        #expect(try decoder.next([UInt8]()) == .init(consumed: 0, payload: 0..<0, isComplete: false))
    }

    @Test func greatestSize() throws {
        var decoder = ChunkedDecoder()
        let input = Array("7fffffffffffffff\r\nabc".utf8)
        #expect(try decoder.next(input) == .init(consumed: 21, payload: 18..<21, isComplete: false))
    }

    /// Each payload byte gives one extension byte back, up to what was used.
    @Test func extensionsAreWeighedAgainstPayload() throws {
        let tag = [UInt8](repeating: UInt8(ascii: "a"), count: 199)
        let poor = Array("1;".utf8) + tag + Array("\r\nx\r\n".utf8)
        let fair =
            Array("c8;".utf8) + tag + Array("\r\n".utf8) + [UInt8](repeating: 0x78, count: 200) + Array("\r\n".utf8)
        #expect(try decode(Array(repeating: fair, count: 1_000)).body.count == 200_000)
        // 81 × 199 + 200 is within 16384, 82 × 199 + 200 is not.
        #expect(try decode(Array(repeating: poor, count: 82)).body.count == 82)
        #expect(throws: ParseError.chunkExtensionTooLong) { try decode(Array(repeating: poor, count: 83)) }
    }

    @Test func trailerLimitsAreParameters() throws {
        let trailers = Array("0\r\nA: b\r\nC: d\r\n\r\n".utf8)
        #expect(try decode([trailers], ChunkedDecoder(limits: HeadLimits(headBytes: 14, fields: 2))).isComplete)
        #expect(throws: ParseError.headTooLong) {
            try decode([trailers], ChunkedDecoder(limits: HeadLimits(headBytes: 13)))
        }
        #expect(throws: ParseError.tooManyFields) {
            try decode([trailers], ChunkedDecoder(limits: HeadLimits(fields: 1)))
        }
    }

    /// What the writer writes, the decoder reads, at every split.
    @Test(arguments: [1, 9, 10, 15, 16, 255, 256, 4_095, 4_096])
    func roundTrip(_ size: Int) throws {
        let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
        let encoded = written(size + 64) { writer in
            writer.appendChunkHeader(size)
            writer.append(payload)
            writer.append(ChunkedCoding.chunkEnd)
            writer.append(ChunkedCoding.lastChunk)
        }
        let bytes = try #require(encoded)
        for cut in size <= 256 ? Array(0...bytes.count) : Array(0...64) + Array(bytes.count - 64...bytes.count) {
            let result = try decode([Array(bytes[..<cut]), Array(bytes[cut...])])
            #expect(result.isComplete && result.body == payload && result.rest.isEmpty)
        }
    }
}
