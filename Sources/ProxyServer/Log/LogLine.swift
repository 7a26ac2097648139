package import AccessPolicy
package import HTTP1
package import System

/// The two forms of a log line.
package enum LogFormat: String, Sendable, CaseIterable { case logfmt, json }

/// How much is logged, least first.
package enum LogLevel: String, Sendable, CaseIterable, Comparable {
    case trace, debug, info, notice, warning, error, critical

    package static func < (left: LogLevel, right: LogLevel) -> Bool {
        allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!
    }
}

/// Writes one line of keys and values into a buffer, without allocating.
package struct LogLine {
    package var writer: HeadWriter
    private let format: LogFormat
    private var isFirst = true

    package init(_ buffer: UnsafeMutableRawBufferPointer, _ format: LogFormat) {
        writer = HeadWriter(buffer)
        self.format = format
        if format == .json { writer.append(byte: UInt8(ascii: "{")) }
    }

    /// Starts the line with its time, in UTC with milliseconds.
    /// - Parameter realtime: nanoseconds since 1970.
    package mutating func time(_ wall: WallTime) {
        key("ts")
        if format == .json { writer.append(byte: UInt8(ascii: "\"")) }
        appendTimestamp(wall)
        if format == .json { writer.append(byte: UInt8(ascii: "\"")) }
    }

    /// A value that is known to need no quoting in logfmt.
    package mutating func field(_ name: StaticString, word: StaticString) {
        key(name)
        if format == .json { writer.append(byte: UInt8(ascii: "\"")) }
        writer.append(word)
        if format == .json { writer.append(byte: UInt8(ascii: "\"")) }
    }

    package mutating func field(_ name: StaticString, text: Span<UInt8>) {
        key(name)
        quoted(text)
    }

    package mutating func field(_ name: StaticString, text: String) {
        key(name)
        field(value: text)
    }

    private mutating func field(value: String) {
        quoted(value.utf8.span)
    }

    /// A key that is known only at run time; it must be a plain word.
    package mutating func field(key name: String, text: String) {
        begin(name.utf8.span)
        field(value: text)
    }

    package mutating func field(_ name: StaticString, number: UInt64) {
        key(name)
        writer.append(decimal: number)
    }

    /// An address, which needs no quoting in logfmt.
    package mutating func field(_ name: StaticString, address: ClientAddress) {
        key(name)
        if format == .json { writer.append(byte: UInt8(ascii: "\"")) }
        address.write(into: &writer)
        if format == .json { writer.append(byte: UInt8(ascii: "\"")) }
    }

    /// A duration in milliseconds with three decimals.
    package mutating func field(_ name: StaticString, _ length: Duration) {
        key(name)
        writer.append(decimal: length.milliseconds)
        writer.append(byte: UInt8(ascii: "."))
        writer.append(decimal: length.nanoseconds / 1_000, digits: 3)
    }

    /// Ends the line.
    /// - Returns: its bytes; 0 when it did not fit.
    package mutating func end() -> Int {
        if format == .json { writer.append(byte: UInt8(ascii: "}")) }
        writer.append(byte: UInt8(ascii: "\n"))
        return writer.overflowed ? 0 : writer.count
    }

    @inline(__always)
    private mutating func key(_ name: StaticString) {
        name.withUTF8Buffer { begin($0.span) }
    }

    private mutating func begin(_ name: Span<UInt8>) {
        switch format {
        case .logfmt:
            if isFirst {
                writer.append(name)
                writer.append(byte: UInt8(ascii: "="))
            } else {
                writer.append(UInt8(ascii: " "), name, UInt8(ascii: "="))
            }
        case .json:
            writer.append(isFirst ? "\"" : ",\"")
            writer.append(name)
            writer.append("\":")
        }
        isFirst = false
    }

    private mutating func quoted(_ text: Span<UInt8>) {
        if format == .logfmt, !text.isEmpty, endOfWord(text, from: 0, to: text.count) == text.count {
            return writer.append(text)
        }
        writer.append(byte: UInt8(ascii: "\""))
        var at = 0
        while true {
            let end = endOfUnescaped(text, from: at)
            writer.append(text.extracting(at..<end))
            guard end < text.count else { break }
            let byte = text[end]
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                writer.append(byte: UInt8(ascii: "\\"))
                writer.append(byte: byte)
            default:
                // No control byte gets through: a line stays a line.
                writer.append("\\u00")
                writer.append(byte: hexadecimalDigit(byte >> 4))
                writer.append(byte: hexadecimalDigit(byte & 0xf))
            }
            at = end + 1
        }
        writer.append(byte: UInt8(ascii: "\""))
    }

    /// The end of the bytes that stand for themselves between quotation marks.
    private func endOfUnescaped(_ text: Span<UInt8>, from start: Int) -> Int {
        endOfRun(
            text, from: start, to: text.count,
            suspects: {
                $0.less(than: 0x20) | $0.equal(to: UInt8(ascii: "\"")) | $0.equal(to: UInt8(ascii: "\\"))
                    | $0.equal(to: 0x7f)
            },
            belongs: {
                $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
            })
    }

    private func hexadecimalDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    private mutating func appendTimestamp(_ wall: WallTime) {
        let seconds = wall.nanoseconds / 1_000_000_000
        let date = CivilDate(daysSince1970: Int(seconds / 86_400))
        let time = seconds % 86_400
        writer.append(decimal: UInt64(date.year), digits: 4)
        twoDigits("-", UInt64(date.month))
        twoDigits("-", UInt64(date.day))
        twoDigits("T", time / 3_600)
        twoDigits(":", time / 60 % 60)
        twoDigits(":", time % 60)
        writer.append(byte: UInt8(ascii: "."))
        writer.append(decimal: wall.nanoseconds / 1_000_000 % 1_000, digits: 3)
        writer.append(byte: UInt8(ascii: "Z"))
    }

    private mutating func twoDigits(_ separator: Unicode.Scalar, _ value: UInt64) {
        let (tens, ones) = value.quotientAndRemainder(dividingBy: 10)
        let zeros = UInt64(ASCII.zero) << 8 | UInt64(ASCII.zero) << 16
        writer.append(word: (UInt64(separator.value) | tens << 8 | ones << 16) + zeros, count: 3)
    }
}
