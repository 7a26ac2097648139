import HTTP1
import Testing

/// What `write` writes into `room` bytes, or nil if it did not fit.
func written(_ room: Int, _ write: (inout HeadWriter) -> Void) -> [UInt8]? {
    var memory = [UInt8](repeating: 0xee, count: room + 8)
    let count = memory.withUnsafeMutableBytes { all -> Int? in
        var writer = HeadWriter(UnsafeMutableRawBufferPointer(rebasing: all[..<room]))
        write(&writer)
        return writer.overflowed ? nil : writer.count
    }
    #expect(memory[room...].allSatisfy { $0 == 0xee }, "bytes behind the buffer")
    return count.map { Array(memory[..<$0]) }
}

@Suite struct HeadWriterTests {
    private func text(_ room: Int = 64, _ write: (inout HeadWriter) -> Void) -> String? {
        written(room, write).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func appends() {
        #expect(
            text {
                $0.append("GET " as StaticString)
                $0.append(Array("/x".utf8))
                $0.append(byte: ASCII.space)
                $0.append(Array("HTTP/1.1".utf8).span)
                $0.append([UInt8]())
            } == "GET /x HTTP/1.1")
    }

    @Test(arguments: [0, 1, 9, 10, 99, 100, 65_535, UInt64(Int64.max), .max - 1, .max])
    func decimal(_ value: UInt64) {
        #expect(text { $0.append(decimal: value) } == "\(value)")
    }

    /// Every power of ten and its neighbours, and every number of four digits in either half of eight.
    @Test func decimalsOfEveryLength() throws {
        var power: UInt64 = 1
        for _ in 0..<19 {
            power *= 10
            for value in [power - 1, power, power + 1] { #expect(text { $0.append(decimal: value) } == "\(value)") }
        }
        for half in UInt64(0)..<10_000 {
            for value in [half, half * 10_000 + 9_999 - half] {
                let digits = text { $0.append(decimal: value) }
                try #require(digits == "\(value)")
            }
        }
    }

    /// Zeros come before a number that is shorter, and of a longer one only the end is written; nothing behind it is.
    @Test func decimalDigits() {
        for digits in 1...8 {
            for value: UInt64 in [0, 7, 42, 12_345_678, 9_876_543_210] {
                let expected = String((String(repeating: "0", count: 8) + "\(value)").suffix(digits))
                for room in digits..<digits + 9 {
                    #expect(text(room) { $0.append(decimal: value, digits: digits) } == expected, "\(room)")
                }
                #expect(text(digits - 1) { $0.append(decimal: value, digits: digits) } == nil)
            }
        }
    }

    @Test func wordsAndEmbracedBytes() {
        for room in 5...16 {
            #expect(text(room) { $0.append(word: 0x6867_6665_6463_6261, count: 5) } == "abcde", "\(room)")
        }
        #expect(text(4) { $0.append(word: 0x6867_6665_6463_6261, count: 5) } == nil)
        for name in ["", "a", "status", "upstream_ms_and_more"] {
            let expected = " \(name)="
            #expect(text(expected.utf8.count) { $0.append(0x20, Array(name.utf8).span, 0x3d) } == expected)
            #expect(text(expected.utf8.count - 1) { $0.append(0x20, Array(name.utf8).span, 0x3d) } == nil)
        }
    }

    @Test(arguments: [0, 1, 9, 10, 15, 16, 255, 256, 0xabcdef, UInt64(Int64.max), .max])
    func hexadecimal(_ value: UInt64) {
        #expect(text { $0.append(hexadecimal: value) } == String(value, radix: 16))
    }

    @Test func chunkHeader() {
        #expect(text { $0.appendChunkHeader(1) } == "1\r\n")
        #expect(text { $0.appendChunkHeader(65_536) } == "10000\r\n")
        #expect(text { $0.appendChunkHeader(.max) }?.utf8.count == ChunkedCoding.mostHeaderBytes)
    }

    /// A head that does not fit is not written past the end, and says so, whatever the room.
    @Test func everyRoom() {
        let write: (inout HeadWriter) -> Void = {
            $0.append("HTTP/1.1 " as StaticString)
            $0.append(decimal: 200)
            $0.append(Array(" OK\r\n".utf8))
            $0.append(byte: 0x41)
            $0.appendChunkHeader(4_096)
        }
        let expected = "HTTP/1.1 200 OK\r\nA1000\r\n"
        for room in 0..<expected.utf8.count { #expect(text(room, write) == nil, "\(room)") }
        #expect(text(expected.utf8.count, write) == expected)
    }

    @Test func nothingIsWrittenAfterAnOverflow() {
        let bytes = written(4) {
            $0.append("12345" as StaticString)
            #expect($0.overflowed && $0.count == 0)
            $0.append(byte: 1)
            #expect($0.count == 0)
            $0.truncate(to: 0)
            $0.append("1234" as StaticString)
            #expect(!$0.overflowed && $0.count == 4)
        }
        #expect(bytes == Array("1234".utf8))
    }
}
