import EventLoop
import Glibc
import HTTP1
import Testing

@testable import ProxyServer

@Suite struct BodyReaderTests {
    /// Reads `pieces` one after the other.
    private func read(
        _ framing: BodyFraming, _ pieces: [[UInt8]]
    ) throws -> (payload: [UInt8], consumed: Int, isWhole: Bool) {
        var reader = BodyReader(framing, limits: HeadLimits())
        var payload: [UInt8] = []
        var consumed = 0
        for var piece in pieces {
            let result = try piece.withUnsafeMutableBytes { try reader.read($0) }
            payload += piece[..<result.payload]
            consumed += result.consumed
        }
        return (payload, consumed, reader.isWhole)
    }

    /// The bytes in all pairs of two pieces, and one by one.
    private func splits(_ bytes: [UInt8]) -> [[[UInt8]]] {
        (0...bytes.count).map { [Array(bytes[..<$0]), Array(bytes[$0...])] } + [bytes.map { [$0] }]
    }

    private static let chunked = Array(
        "5\r\nhello\r\n1;a=b\r\n,\r\nA\r\n wide worl\r\n1\r\nd\r\n0\r\nX: y\r\n\r\n".utf8)

    @Test func chunksAreTakenApartAtEverySplitAndNoByteBeyondIsTouched() throws {
        let beyond = Array("GET / HTTP/1.1".utf8)
        for pieces in splits(Self.chunked + beyond) {
            let (payload, consumed, isWhole) = try read(.chunked, pieces)
            #expect(payload == Array("hello, wide world".utf8) && isWhole)
            #expect(consumed == Self.chunked.count, "split at \(pieces[0].count)")
        }
    }

    @Test func chunksCutShortAreNotWhole() throws {
        for end in 0..<Self.chunked.count {
            #expect(try !read(.chunked, [Array(Self.chunked[..<end])]).isWhole)
        }
    }

    @Test func aBrokenChunkIsAnErrorAtEverySplit() {
        let broken = Array("3\r\nabc\r\nzz\r\n".utf8)
        for pieces in splits(broken) { #expect(throws: ParseError.self) { try read(.chunked, pieces) } }
    }

    @Test func aLengthEndsWhereItSays() throws {
        let bytes = Array("0123456789beyond".utf8)
        for pieces in splits(bytes) {
            let (payload, consumed, isWhole) = try read(.length(10), pieces)
            #expect(payload == Array(bytes[..<10]) && consumed == 10 && isWhole)
        }
        #expect(try !read(.length(17), [bytes]).isWhole)
        #expect(try read(.length(.max), [bytes]).consumed == bytes.count)
    }

    @Test func withoutABodyNothingIsRead() throws {
        for framing in [BodyFraming.none, .length(0)] {
            let (payload, consumed, isWhole) = try read(framing, [[1, 2, 3]])
            #expect(payload.isEmpty && consumed == 0 && isWhole)
        }
    }

    @Test func onlyACloseDelimitedBodyMayEndWithTheStream() {
        for (framing, mayEnd) in [
            (BodyFraming.untilClose, true), (.chunked, false), (.length(1), false), (.none, true),
        ] {
            var reader = BodyReader(framing, limits: HeadLimits())
            let ended = reader.streamEnded()
            #expect(ended == mayEnd)
        }
    }
}

@Suite struct WriteBufferTests {
    private func store(_ text: String, _ writeBuffer: inout WriteBuffer, _ pool: inout BufferPool) {
        Array(text.utf8).withUnsafeBytes { writeBuffer.store($0, from: &pool) }
    }

    private func text(_ writeBuffer: borrowing WriteBuffer) -> String {
        String(decoding: writeBuffer.bytes, as: UTF8.self)
    }

    @Test func keepsTheOrderOfWhatIsStoredAndConsumed() {
        var pool = BufferPool()
        var writeBuffer = WriteBuffer()
        #expect(text(writeBuffer) == "")
        store("HTTP/1.1 100", &writeBuffer, &pool)
        writeBuffer.consume(9)
        store(" Continue", &writeBuffer, &pool)
        #expect(text(writeBuffer) == "100 Continue")
        writeBuffer.consume(12)
        #expect(text(writeBuffer) == "")
        store("next", &writeBuffer, &pool)
        #expect(text(writeBuffer) == "next")
        writeBuffer.release(to: &pool)
        #expect(text(writeBuffer) == "")
    }

    @Test func roomIsForWhatFollows() {
        var pool = BufferPool()
        var writeBuffer = WriteBuffer()
        store("a", &writeBuffer, &pool)
        writeBuffer.reserve(200_000, from: &pool)
        Array(repeating: UInt8(ascii: "b"), count: 200_000).withUnsafeBytes { writeBuffer.append($0) }
        writeBuffer.append("")
        let whole = text(writeBuffer)
        #expect(whole == "a" + String(repeating: "b", count: 200_000))
        writeBuffer.release(to: &pool)
    }
}

@Suite struct PeerTests {
    private func pair() -> (near: CInt, far: CInt) {
        var ends: [CInt] = [0, 0]
        socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0, &ends)
        return (ends[0], ends[1])
    }

    private func drain(_ fd: CInt) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = recv(fd, &buffer, buffer.count, 0), count > 0 { all += buffer[..<count] }
        return all
    }

    @Test func whatAFullSocketDoesNotTakeFollowsInOrder() {
        let (near, far) = pair()
        defer { close(far) }
        var pool = BufferPool()
        var side = ConnectionSide()
        side.transport = Transport(Socket(owning: near))
        side.widenWindow()
        let bytes = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let first = bytes[..<1_500_000].withUnsafeBytes { side.send($0, more: false, pool: &pool) }
        let window = side.window
        #expect(first == .wouldBlock && window == Bounds.relayBytes)
        // A second send must not overtake what is left, nor end the process.
        let second = bytes[1_500_000...].withUnsafeBytes { side.send($0, more: false, pool: &pool) }
        #expect(second == .wouldBlock)
        let tookBefore = side.hasTakenMore()
        var received = drain(far)
        let (tookThen, tookSince) = (side.hasTakenMore(), side.hasTakenMore())
        #expect(!tookBefore && tookThen && !tookSince)
        while side.flush(to: &pool, more: false) == .wouldBlock { received += drain(far) }
        received += drain(far)
        #expect(received == bytes)
    }

    @Test func theWindowGrowsAndIsTheNextPeersToEarn() {
        var side = ConnectionSide()
        var windows: [Int] = []
        for _ in 0..<4 {
            windows.append(side.window)
            side.widenWindow()
        }
        #expect(windows == [65_536, 131_072, 262_144, 262_144])
        side.reset()
        #expect(side.window == 65_536)
    }

    @Test func aSocketWhosePeerIsGoneFails() {
        let (near, far) = pair()
        close(far)
        var pool = BufferPool()
        var side = ConnectionSide()
        side.transport = Transport(Socket(owning: near))
        let bytes: [UInt8] = [1, 2]
        let result = bytes.withUnsafeBytes { side.send($0, more: false, pool: &pool) }
        #expect(result == .failed(.brokenPipe))
    }
}

@Suite struct ScratchTests {
    private func fill(_ window: UnsafeMutableRawBufferPointer, _ count: Int) {
        for index in 0..<count { window[index] = UInt8(truncatingIfNeeded: index &* 13) }
    }

    @Test(arguments: [1, 9, 10, 15, 16, 17, 255, 4_096, 65_535, 65_536, 65_537, 262_144])
    func chunksAreFramedAroundThePayload(_ count: Int) {
        let scratch = Scratch()
        for isLast in [false, true] {
            fill(scratch.inbound(count), count)
            let payload = Array(scratch.inbound(count))
            let end = isLast ? "\r\n0\r\n\r\n" : "\r\n"
            let expected = Array("\(String(count, radix: 16))\r\n".utf8) + payload + Array(end.utf8)
            #expect(Array(scratch.framedInbound(count, isChunked: true, isLast: isLast)) == expected)
        }
        guard count <= Bounds.relayBytes else { return }
        fill(scratch.inflated, count)
        let payload = Array(scratch.inflated[..<count])
        #expect(Array(scratch.framedInflated(count, isChunked: false, isLast: true)) == payload)
    }

    @Test func anEmptyPieceIsNoChunk() {
        let scratch = Scratch()
        #expect(scratch.framedInbound(0, isChunked: true, isLast: false).isEmpty)
        #expect(scratch.framedInbound(0, isChunked: false, isLast: true).isEmpty)
        #expect(Array(scratch.framedInbound(0, isChunked: true, isLast: true)) == Array("0\r\n\r\n".utf8))
    }

    @Test func theTwoBlocksAreApart() {
        let scratch = Scratch()
        fill(scratch.inbound, 65_536)
        scratch.beginStaging().initializeMemory(as: UInt8.self, repeating: 0)
        #expect(scratch.inbound[1] == 13)
        #expect(scratch.beginStaging().count == Bounds.stagingBytes && scratch.inbound.count == Bounds.relayBytes)
    }

    @Test func stagedBytesGrowByWhatIsWrittenBehindThem() {
        let scratch = Scratch()
        fill(scratch.beginStaging(), 8)
        var staged = scratch.stage(5)
        #expect(scratch.room(behind: staged).count == Bounds.stagingBytes - 5)
        staged.extend(by: 2)
        #expect(scratch.bytes(of: staged).count == 7)
    }

    @Test func stagedBytesThatWereOverwrittenAreNotSent() async {
        await #expect(processExitsWith: .failure) {
            let scratch = Scratch()
            _ = scratch.beginStaging()
            let staged = scratch.stage(4)
            _ = scratch.beginStaging()
            _ = scratch.bytes(of: staged)
        }
    }
}
