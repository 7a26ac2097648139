/// Reads field lines (RFC 9112 §5) up to the empty line that ends them: of a head, and of a trailer section.
///
/// Each byte is looked at once, blanks at the end of a value twice. The scanner holds where it is in a line, so that it can be left at any byte.
struct FieldLineScanner {
    enum Event {
        /// All bytes are read; the section goes on.
        case needsBytes
        /// `name` and `value` describe a line that has just ended.
        case line
        /// The empty line was read.
        case end
    }

    private enum State: UInt8 { case lineStart, name, blankBeforeValue, value, valueLineFeed, endLineFeed }

    private var state = State.lineStart
    private var nameStart = 0
    private var nameEnd = 0
    private var valueStart = 0
    /// One past the last byte of the value that is not a blank.
    private var valueEnd = 0

    /// The line that has ended.
    /// - Parameter bytes: those of the last call, which began with the message.
    @inline(__always)
    func line(in bytes: Span<UInt8>) -> FieldLine {
        FieldLine(
            name: ByteSlice(start: nameStart, count: nameEnd - nameStart),
            value: ByteSlice(start: valueStart, count: valueEnd - valueStart),
            in: bytes
        )
    }

    /// Reads `bytes[position..<end]`, to the end of the next line at most, and moves `position` behind what it read.
    mutating func next(
        _ bytes: Span<UInt8>, at position: inout Int, end: Int
    ) throws(ParseError) -> Event {
        var at = position
        defer { position = at }
        while at < end {
            switch state {
            case .lineStart:
                let byte = bytes[at]
                if byte == ASCII.carriageReturn {
                    state = .endLineFeed
                    at += 1
                    break
                }
                guard ByteClass.token.contains(byte) else { throw Self.refusalAtLineStart(byte) }
                nameStart = at
                state = .name
                fallthrough

            case .name:
                at = endOfToken(bytes, from: at, to: end)
                guard at < end else { break }
                guard bytes[at] == ASCII.colon else { throw Self.refusalInName(bytes[at]) }
                nameEnd = at
                at += 1
                state = .blankBeforeValue
                guard at < end else { break }
                fallthrough

            case .blankBeforeValue:
                while at < end, bytes[at].isBlank { at += 1 }
                guard at < end else { break }
                valueStart = at
                state = .value
                fallthrough

            case .value:
                at = endOfFieldValue(bytes, from: at, to: end)
                guard at < end else { break }
                guard bytes[at] == ASCII.carriageReturn else {
                    throw bytes[at] == ASCII.lineFeed ? .bareLineFeed : .invalidFieldValue
                }
                valueEnd = at
                while valueEnd > valueStart, bytes[valueEnd - 1].isBlank { valueEnd -= 1 }
                at += 1
                state = .valueLineFeed
                guard at < end else { break }
                fallthrough

            case .valueLineFeed:
                guard bytes[at] == ASCII.lineFeed else { throw .bareCarriageReturn }
                at += 1
                state = .lineStart
                return .line

            case .endLineFeed:
                guard bytes[at] == ASCII.lineFeed else { throw .bareCarriageReturn }
                at += 1
                state = .lineStart
                return .end
            }
        }
        return .needsBytes
    }

    /// Reads field lines up to and including the empty line.
    /// - Parameter most: lines that `fields` may hold.
    /// - Returns: true when the section has ended, false when more bytes are needed.
    mutating func collect(
        _ bytes: Span<UInt8>, at position: inout Int, end: Int, into fields: inout [FieldLine], most: Int
    ) throws(ParseError) -> Bool {
        while true {
            switch try next(bytes, at: &position, end: end) {
            case .needsBytes: return false
            case .end: return true
            case .line:
                guard fields.count < most else { throw .tooManyFields }
                fields.append(line(in: bytes))
            }
        }
    }

    private static func refusalAtLineStart(_ byte: UInt8) -> ParseError {
        switch byte {
        case ASCII.lineFeed: .bareLineFeed
        case ASCII.colon: .emptyFieldName
        case ASCII.space, ASCII.tab: .lineFolding
        default: .invalidFieldName
        }
    }

    private static func refusalInName(_ byte: UInt8) -> ParseError {
        switch byte {
        case ASCII.lineFeed: .bareLineFeed
        case ASCII.space, ASCII.tab: .spaceBeforeColon
        default: .invalidFieldName
        }
    }
}
