import Foundation
import System
import Testing

@testable import ProxyServer

private func line(_ format: LogFormat, room: Int = 4_096, _ fill: (inout LogLine) -> Void) -> String? {
    withUnsafeTemporaryAllocation(byteCount: room, alignment: 1) { buffer in
        var line = LogLine(buffer, format)
        fill(&line)
        let count = line.end()
        return count == 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }
}

@Suite struct LogLineTests {
    @Test func logfmtQuotesWhatNeedsIt() {
        let text = line(.logfmt) {
            $0.field("word", word: "info")
            $0.field("bare", text: "/a/b?c")
            $0.field("blank", text: "a b")
            $0.field("empty", text: "")
            $0.field("equals", text: "a=b")
            $0.field("quote", text: "a\"b\\c")
            $0.field("umlaut", text: "ä")
            $0.field("number", number: .max)
        }
        #expect(
            text == #"word=info bare=/a/b?c blank="a b" empty="" equals="a=b" quote="a\"b\\c" umlaut="ä" "#
                + "number=18446744073709551615\n")
    }

    @Test func noByteOfAValueEndsALineOrBeginsAField() throws {
        let hostile = "x\nlevel=error\r\u{0}\t\u{7f}\u{1b}[31m\" level=\"error"
        for format in LogFormat.allCases {
            let text = try #require(line(format) { $0.field("path", text: hostile) })
            #expect(text.hasSuffix("\n") && text.dropLast().utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f })
        }
    }

    @Test func jsonIsReadBackAsItWas() throws {
        let value = String(decoding: UInt8(0)...0x7f, as: UTF8.self) + "ä€😀"
        let text = try #require(
            line(.json) {
                $0.time(WallTime(nanoseconds: 1_700_000_000_123_456_789))
                $0.field("level", word: "info")
                $0.field("text", text: value)
                $0.field(key: "plain", text: "v")
                $0.field("count", number: 7)
                $0.field("total_ms", .nanoseconds(1_234_567))
            })
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(object["ts"] as? String == "2023-11-14T22:13:20.123Z")
        #expect(object["text"] as? String == value)
        #expect(object["plain"] as? String == "v" && object["count"] as? Int == 7)
        #expect(object["total_ms"] as? Double == 1.234)
    }

    @Test func aLineThatDoesNotFitIsNone() {
        for format in LogFormat.allCases {
            let whole = line(format) { $0.field("k", text: "value with blanks") }!
            for room in 0..<whole.utf8.count {
                #expect(line(format, room: room) { $0.field("k", text: "value with blanks") } == nil)
            }
            #expect(line(format, room: whole.utf8.count) { $0.field("k", text: "value with blanks") } == whole)
        }
    }

    @Test(arguments: [
        (UInt64(0), "0.000"), (999, "0.000"), (1_000, "0.001"), (999_999, "0.999"), (1_000_000, "1.000"),
        (61_002_003_000, "61002.003"),
    ])
    func durationsAreMilliseconds(_ nanoseconds: UInt64, _ text: String) {
        #expect(line(.logfmt) { $0.field("t", .nanoseconds(nanoseconds)) } == "t=\(text)\n")
    }

    @Test(arguments: [
        (UInt64(0), "1970-01-01T00:00:00.000Z"), (951_782_400, "2000-02-29T00:00:00.000Z"),
        (951_868_800, "2000-03-01T00:00:00.000Z"), (1_709_251_199, "2024-02-29T23:59:59.000Z"),
        (1_735_689_599, "2024-12-31T23:59:59.000Z"), (4_107_542_399, "2100-02-28T23:59:59.000Z"),
        (4_107_542_400, "2100-03-01T00:00:00.000Z"),
    ])
    func timesAreUTC(_ seconds: UInt64, _ text: String) {
        #expect(line(.logfmt) { $0.time(WallTime(nanoseconds: seconds * 1_000_000_000)) } == "ts=\(text)\n")
    }
}

@Suite struct ListenAddressTests {
    @Test(arguments: [
        ("0.0.0.0:8080", ListenAddress.inet(host: "0.0.0.0", port: 8080)), (":8080", .inet(host: "", port: 8080)),
        ("[::]:1", .inet(host: "::", port: 1)), ("[::1]:65535", .inet(host: "::1", port: 65_535)),
        ("localhost:0", .inet(host: "127.0.0.1", port: 0)), ("unix:/run/x.sock", .unix(path: "/run/x.sock")),
    ])
    func theFormsOfTheReference(_ text: String, _ expected: ListenAddress) {
        #expect(ListenAddress(text) == expected)
    }

    @Test(arguments: [
        "", "8080", ":", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3.4:+1", "1.2.3.4: 80", "::1:80",
        "[::1]", "[1.2.3.4]:80", "[::g]:80", "example.com:80", "unix:", "1.2.3.4:٣",
    ])
    func anythingElseIsRefused(_ text: String) {
        #expect(ListenAddress(text) == nil)
    }
}
