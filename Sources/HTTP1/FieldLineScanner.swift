/// Reads field lines (RFC 9112 §5) up to the empty line that ends them: of a head, and of a trailer section.
///
/// The scanner holds where it is in a line, so that it can be left at any byte.
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
    // Small, since every exchange has two scanners: offsets in a head have 32 bits (`HeadLimits.mostHeadBytes`).
    private var nameStart: Int32 = 0
    private var nameEnd: Int32 = 0
    private var valueStart: Int32 = 0
    /// One past the last byte of the value that is not a blank.
    private var valueEnd: Int32 = 0
    /// Where the line's CRLF is.
    private var lineEnd: Int32 = 0

    /// The line that has ended.
    /// - Parameter bytes: those of the last call, which began with the message.
    func line(in bytes: Span<UInt8>) -> FieldLine {
        let (nameFrom, nameTo) = (Int(nameStart), Int(nameEnd))
        let name = ByteSlice(start: nameFrom, count: nameTo - nameFrom)
        let isUsual =
            valueStart == nameEnd + 2 && bytes[nameTo + 1] == ASCII.space && valueEnd == lineEnd
            && endOfUsualName(bytes, from: nameFrom, to: nameTo) == nameTo
        return FieldLine(
            name: name, value: ByteSlice(start: Int(valueStart), count: Int(valueEnd - valueStart)),
            known: KnownField(bytes, name), isUsual: isUsual)
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
                nameStart = Int32(truncatingIfNeeded: at)
                state = .name
                fallthrough

            case .name:
                at = endOfToken(bytes, from: at, to: end)
                guard at < end else { break }
                guard bytes[at] == ASCII.colon else { throw Self.refusalInName(bytes[at]) }
                nameEnd = Int32(truncatingIfNeeded: at)
                at += 1
                state = .blankBeforeValue
                guard at < end else { break }
                fallthrough

            case .blankBeforeValue:
                while at < end, bytes[at].isBlank { at += 1 }
                guard at < end else { break }
                valueStart = Int32(truncatingIfNeeded: at)
                state = .value
                fallthrough

            case .value:
                at = endOfFieldValue(bytes, from: at, to: end)
                guard at < end else { break }
                guard bytes[at] == ASCII.carriageReturn else {
                    throw bytes[at] == ASCII.lineFeed ? .bareLineFeed : .invalidFieldValue
                }
                lineEnd = Int32(truncatingIfNeeded: at)
                valueEnd = lineEnd
                while valueEnd > valueStart, bytes[Int(valueEnd) - 1].isBlank { valueEnd -= 1 }
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
        _ bytes: Span<UInt8>, at position: inout Int, end: Int, into fields: inout FieldLines, most: Int
    ) throws(ParseError) -> Bool {
        while true {
            if state == .lineStart { fields.readUsualLines(bytes, at: &position, end: end, most: most) }
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

extension FieldLines {
    /// Reads the lines that are there as a whole and are of the usual form, and moves `position` behind the last of them: all
    /// lines of most heads. Whatever is in any way odd, and has perhaps to be refused, is left where it is.
    fileprivate mutating func readUsualLines(_ bytes: Span<UInt8>, at position: inout Int, end: Int, most: Int) {
        reserve(Swift.min(most, count + 1))
        let table = KnownFieldTable.shared
        var (place, present, repeated) = (count, present, repeated)
        Self.readUsualLines(
            bytes, &position, end, table, most, &lines, &firsts, &place, &present, &repeated)
        note(place, present, repeated)
    }

    private static func readUsualLines(
        _ bytes: Span<UInt8>, _ position: inout Int, _ end: Int, _ table: KnownFieldTable, _ most: Int,
        _ lines: inout [FieldLine], _ firsts: inout InlineArray<64, UInt32>, _ count: inout Int,
        _ known: inout KnownFields, _ knownTwice: inout KnownFields
    ) {
        // Offsets are below `mostHeadBytes`: nothing overflows.
        var at = position
        var (place, present, repeated) = (count, known, knownTwice)
        var room = lines.mutableSpan
        let last = Swift.min(most, room.count)
        while place < last {
            let (nameEnd, lineEnd) = usualLine(bytes, from: at, to: end)
            guard nameEnd > 0 else { break }
            let start = nameEnd &+ 2
            let field = table.field(usualName: bytes, from: at, to: nameEnd)
            room[place] = FieldLine(
                name: ByteSlice(start: at, count: nameEnd &- at),
                value: ByteSlice(start: start, count: lineEnd &- start),
                known: field, isUsual: true)
            let bit = KnownFields(field)
            if (present & bit).isEmpty { firsts[Int(field.rawValue)] = UInt32(truncatingIfNeeded: place) }
            repeated = repeated | present & bit
            present = present | bit
            place &+= 1
            at = lineEnd &+ 2
        }
        (position, count, known, knownTwice) = (at, place, present, repeated)
    }
}
