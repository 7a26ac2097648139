import Glibc
import System
import Testing

@testable import ProxyServer

struct LogOutputTests {
    private func write(_ text: String, to output: inout LogOutput) -> UInt64 {
        Array(text.utf8).withUnsafeBytes { output.write($0) }
    }

    /// The two ends of a pipe; the program ignores SIGPIPE, and so must this one.
    private func pipeEnds() -> (reading: CInt, writing: CInt) {
        signal(SIGPIPE, SIG_IGN)
        var ends: [CInt] = [0, 0]
        #expect(pipe(&ends) == 0)
        return (ends[0], ends[1])
    }

    private func contents(of descriptor: CInt) -> String {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = read(descriptor, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    @Test func linesThatAreWrittenAreNotLost() {
        let (reading, writing) = pipeEnds()
        defer { for end in [reading, writing] { close(end) } }
        var output = LogOutput(descriptor: writing)
        #expect(write("one\ntwo\n", to: &output) == 0)
        #expect(contents(of: reading) == "one\ntwo\n")
    }

    @Test func linesForAReaderThatIsGoneAreCounted() {
        let (reading, writing) = pipeEnds()
        defer { close(writing) }
        close(reading)
        var output = LogOutput(descriptor: writing)
        #expect(write("one\ntwo\nthree\n", to: &output) == 3)
        #expect(write("four\n", to: &output) == 1)
    }

    @Test func linesForAFullDiskAreCounted() throws {
        let full = open("/dev/full", O_WRONLY | O_CLOEXEC)
        try #require(full >= 0)
        defer { close(full) }
        var output = LogOutput(descriptor: full)
        #expect(write("one\ntwo\n", to: &output) == 2)
    }

    @Test func aLineLostInPartsIsCountedOnce() throws {
        let full = open("/dev/full", O_WRONLY | O_CLOEXEC)
        try #require(full >= 0)
        defer { close(full) }
        var output = LogOutput(descriptor: full)
        #expect(write("one\ntwo begins", to: &output) == 1)
        #expect(write(" and goes on", to: &output) == 0)
        #expect(write(" and ends\nthree\n", to: &output) == 2)
    }

    @Test func aLineThatWasCutDoesNotRunIntoTheNext() {
        var taken = ""
        var room = 5
        var output = LogOutput(descriptor: -1) { bytes in
            guard room > 0 else { return .failed(SystemError(code: ENOSPC)) }
            let count = min(room, bytes.count)
            taken += String(decoding: bytes.prefix(count), as: UTF8.self)
            room -= count
            return .bytes(count)
        }
        #expect(write("one\ntwo\n", to: &output) == 1)
        #expect(write("three\n", to: &output) == 1)
        room = 100
        #expect(write("four\n", to: &output) == 0)
        #expect(taken == "one\nt\nfour\n")
    }

    @Test func theWriterCountsWhatItsDescriptorDoesNotTake() throws {
        let full = open("/dev/full", O_WRONLY | O_CLOEXEC)
        try #require(full >= 0)
        defer { close(full) }
        let writer = try LogWriter(descriptor: full, format: .logfmt)
        try writer.start()
        for _ in 0..<5 { writer.log(.info, "nobody will read this") }
        writer.stop()
        #expect(writer.droppedLines == 5)
    }
}
