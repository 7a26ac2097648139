/// Parses response heads (RFC 9112 §4, §5), one byte once, at whatever pace they come.
///
/// A 1xx head is a head like any other: the caller drops or relays it, resets the parser and goes on behind it. Reuse works as
/// with `RequestHeadParser`.
package final class ResponseHeadParser {
    private enum State: UInt8 { case version, status, afterStatus, reason, lineLineFeed, fields, done }

    package let limits: HeadLimits
    package let head = ResponseHead()
    /// Nobody uses it: for whoever keeps parsers, to see that two do not get the same one.
    package var isSpare = false
    /// Bytes of the message that have been read, and are not read again while the head is incomplete.
    package private(set) var position = 0
    private var state = State.version
    private var scanner = FieldLineScanner()

    package init(limits: HeadLimits = .init()) {
        self.limits = limits
    }

    /// Makes the parser ready for another message.
    package func reset() {
        head.clear()
        position = 0
        state = .version
        scanner = FieldLineScanner()
    }

    /// Reads on where the last call stopped.
    /// - Parameter bytes: the message from its first byte; it may have grown since the last call.
    /// - Returns: true when the head is complete (`head.length` bytes), false when more bytes are needed.
    /// - Throws: at the first illegal byte, and never before it, so that the verdict is the same however the bytes are
    ///   split. The parser must then be reset before it is used again.
    package func parse(_ bytes: Span<UInt8>) throws(ParseError) -> Bool {
        let limit = min(limits.headBytes, HeadLimits.mostHeadBytes)
        let end = min(bytes.count, limit)
        if position == 0, readUsualStatusLine(bytes, end) { state = .fields }
        while position < end, state != .done {
            if state == .fields {
                if try scanner.collect(bytes, at: &position, end: end, into: &head.fields, most: limits.fields) {
                    head.length = position
                    if let connection = head.fields.first(.connection), !head.fields.repeated.contains(.connection) {
                        head.closes = fieldEquals(bytes, connection, "close")
                    }
                    state = .done
                }
            } else {
                try readStatusLine(bytes, end)
            }
        }
        if state == .done { return true }
        guard position < limit else { throw .headTooLong }
        return false
    }

    /// Reads a status line that is there as a whole and is of the usual form.
    /// - Returns: false, and nothing is read, for any other line.
    private func readUsualStatusLine(_ bytes: Span<UInt8>, _ end: Int) -> Bool {
        guard end >= 16, EightBytes(bytes.bytes, at: 0).spell("HTTP/1.1"), bytes[8] == ASCII.space,
            bytes[12] == ASCII.space
        else { return false }
        var status = 0
        for i in 9..<12 {
            guard bytes[i].isDigit else { return false }
            status = status * 10 + Int(bytes[i] - ASCII.zero)
        }
        let reasonEnd = endOfFieldValue(bytes, from: 13, to: end)
        guard 100...599 ~= status, status != 101, end - reasonEnd >= 2, bytes[reasonEnd] == ASCII.carriageReturn,
            bytes[reasonEnd + 1] == ASCII.lineFeed
        else { return false }
        head.status = status
        head.reason = ByteSlice(start: 13, count: reasonEnd - 13)
        position = reasonEnd + 2
        return true
    }

    /// `status-line = HTTP-version SP status-code SP [ reason-phrase ]` (RFC 9112 §4). The last SP may be missing with the
    /// reason: many servers leave both out.
    private func readStatusLine(_ bytes: Span<UInt8>, _ end: Int) throws(ParseError) {
        let byte = bytes[position]
        switch state {
        case .version:
            if position == 0, end >= 8, EightBytes(bytes.bytes, at: 0).spell("HTTP/1.1") {
                head.version = .http11
                position = 8
                return
            }
            if position < 8 {
                guard isVersionByte(byte, at: position) else { throw .malformedVersion }
                if position == 7 { head.version = try httpVersion(bytes, at: 0) }
            } else {
                guard byte == ASCII.space else { throw .malformedStatusLine }
                state = .status
            }
            position += 1

        case .status:
            guard byte.isDigit else { throw .invalidStatusCode }
            head.status = head.status * 10 + Int(byte - ASCII.zero)
            position += 1
            guard position == 12 else { return }
            guard 100...599 ~= head.status else { throw .invalidStatusCode }
            guard head.status != 101 else { throw .switchingProtocols }
            state = .afterStatus

        case .afterStatus:
            switch byte {
            case ASCII.space: state = .reason
            case ASCII.carriageReturn: state = .lineLineFeed
            case ASCII.lineFeed: throw .bareLineFeed
            default: throw .malformedStatusLine
            }
            position += 1
            head.reason = ByteSlice(start: position, count: 0)

        case .reason:
            position = endOfFieldValue(bytes, from: position, to: end)
            guard position < end else { return }
            guard bytes[position] == ASCII.carriageReturn else {
                throw bytes[position] == ASCII.lineFeed ? .bareLineFeed : .invalidReasonPhrase
            }
            head.reason = ByteSlice(start: Int(head.reason.start), count: position - Int(head.reason.start))
            position += 1
            state = .lineLineFeed

        case .lineLineFeed:
            guard byte == ASCII.lineFeed else { throw .bareCarriageReturn }
            position += 1
            state = .fields

        case .fields, .done:
            preconditionFailure("not in the status line")
        }
    }
}
