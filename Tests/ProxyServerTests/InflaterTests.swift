import Foundation
import ProxyServer
import Testing

/// What `gzip -c` makes of the bytes.
private func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("inflater-\(UUID().uuidString)")
    try Data(bytes).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["gzip", "-c", "-n", file.path]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let compressed = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return Array(compressed)
}

/// Feeds pieces one after the other, with an output of `room` bytes.
private func inflate(
    _ pieces: [ArraySlice<UInt8>], room: Int, with inflater: inout Inflater
) -> (bytes: [UInt8], state: Inflater.State) {
    var all: [UInt8] = []
    var state = Inflater.State.more
    var output = [UInt8](repeating: 0, count: room)
    for piece in pieces {
        var rest = piece
        while true {
            let step = rest.withUnsafeBytes { input in
                output.withUnsafeMutableBytes { inflater.inflate(input, into: $0) }
            }
            all += output[..<step.produced]
            rest = rest.dropFirst(step.consumed)
            state = step.state
            if state == .corrupt { return (all, state) }
            if step.produced < room { break }
        }
        if !rest.isEmpty { return (all, .corrupt) }
    }
    return (all, state)
}

private func inflate(_ bytes: [UInt8], room: Int = 4_096) throws -> (bytes: [UInt8], state: Inflater.State) {
    guard var inflater = Inflater() else { throw CocoaError(.coderInvalidValue) }
    return inflate([bytes[...]], room: room, with: &inflater)
}

private let plain = Array("{\"detail\": \"one two three one two three\", \"n\": [1, 2, 3]}\n".utf8)

struct InflaterTests {
    @Test func everySplitPointAndEveryRoom() throws {
        let compressed = try gzip(plain) + gzip(Array("second member".utf8))
        let expected = plain + Array("second member".utf8)
        guard var inflater = Inflater() else { throw CocoaError(.coderInvalidValue) }
        for room in [1, 2, 7, expected.count, 4_096] {
            for split in 0...compressed.count {
                inflater.reset()
                let (bytes, state) = inflate([compressed[..<split], compressed[split...]], room: room, with: &inflater)
                #expect(bytes == expected)
                #expect(state == .finished)
            }
        }
    }

    @Test func byteByByte() throws {
        let compressed = try gzip(plain)
        guard var inflater = Inflater() else { throw CocoaError(.coderInvalidValue) }
        let (bytes, state) = inflate(compressed.indices.map { compressed[$0...$0] }, room: 3, with: &inflater)
        #expect(bytes == plain)
        #expect(state == .finished)
    }

    @Test func cutShortIsNotFinished() throws {
        let compressed = try gzip(plain)
        for count in 0..<compressed.count {
            #expect(try inflate(Array(compressed[..<count])).state == .more, "\(count)")
        }
        let second = try compressed + gzip(plain)
        for count in compressed.count + 1..<second.count {
            #expect(try inflate(Array(second[..<count])).state == .more, "\(count)")
        }
    }

    @Test func garbageAfterTheLastMemberIsCorrupt() throws {
        let compressed = try gzip(plain)
        for garbage in [Array("garbage".utf8), [0, 0], [0x1f, 0x8c]] {
            let (bytes, state) = try inflate(compressed + garbage)
            #expect(bytes == plain)
            #expect(state == .corrupt)
        }
    }

    @Test func everyChangedBitIsNoticedOrHarmless() throws {
        let compressed = try gzip(plain)
        // Time, system and the padding behind the last block mean nothing: then the text is the same.
        for at in compressed.indices {
            for bit in 0..<8 {
                var damaged = compressed
                damaged[at] ^= 1 << bit
                let (bytes, state) = try inflate(damaged)
                #expect(state != .finished || bytes == plain, "byte \(at), bit \(bit)")
            }
        }
    }

    @Test func plainTextAndOtherCodingsAreCorrupt() throws {
        #expect(try inflate(Array("{\"detail\": 1}".utf8)).state == .corrupt)
        // A zlib stream (RFC 1950).
        #expect(try inflate([0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01]).state == .corrupt)
    }

    @Test func corruptStaysCorruptUntilReset() throws {
        let compressed = try gzip(plain)
        guard var inflater = Inflater() else { throw CocoaError(.coderInvalidValue) }
        #expect(inflate([Array("no gzip".utf8)[...]], room: 64, with: &inflater).state == .corrupt)
        #expect(inflate([compressed[...]], room: 64, with: &inflater).state == .corrupt)
        inflater.reset()
        #expect(inflate([compressed[...]], room: 64, with: &inflater) == (plain, .finished))
    }

    @Test func emptyBuffersChangeNothing() throws {
        guard var inflater = Inflater() else { throw CocoaError(.coderInvalidValue) }
        let none = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        let first = inflater.inflate(UnsafeRawBufferPointer(none), into: none)
        #expect(first == (0, 0, .more))
        #expect(inflate([[]], room: 8, with: &inflater) == ([], .more))
        #expect(inflate([try gzip([])[...]], room: 8, with: &inflater) == ([], .finished))
    }

    @Test func bombExpandsIntoAFixedOutput() throws {
        let compressed = try gzip([UInt8](repeating: 0, count: 8_000_000))
        guard var inflater = Inflater() else { throw CocoaError(.coderInvalidValue) }
        var produced = 0
        var rest = compressed[...]
        var state = Inflater.State.more
        var output = [UInt8](repeating: 0, count: 4_096)
        while state == .more {
            let step = rest.withUnsafeBytes { input in
                output.withUnsafeMutableBytes { inflater.inflate(input, into: $0) }
            }
            #expect(step.produced <= 4_096)
            guard step.consumed + step.produced > 0 else { break }
            produced += step.produced
            rest = rest.dropFirst(step.consumed)
            state = step.state
        }
        #expect(produced == 8_000_000)
        #expect(state == .finished)
    }
}
