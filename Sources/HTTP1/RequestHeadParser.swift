/// Parses request heads (RFC 9112 §3, §5), one byte once, at whatever pace they come.
///
/// A parser is kept and reset, and its head with it: the fields keep their room, so that parsing allocates nothing once it has
/// grown.
package final class RequestHeadParser {
    private enum State: UInt8 {
        case start, emptyLineLineFeed, methodStart, method, targetStart, target, version, lineLineFeed, fields, done
    }

    package let limits: HeadLimits
    package let head = RequestHead()
    /// Nobody uses it: for whoever keeps parsers, to see that two do not get the same one.
    package var isSpare = false
    /// Bytes of the message that have been read, and are not read again while the head is incomplete.
    package private(set) var position = 0
    private var state = State.start
    private var versionStart = 0
    private var scanner = FieldLineScanner()

    package init(limits: HeadLimits = .init()) {
        self.limits = limits
    }

    /// Makes the parser ready for another message.
    package func reset() {
        head.clear()
        position = 0
        state = .start
        scanner = FieldLineScanner()
    }

    /// Reads on where the last call stopped.
    /// - Parameter bytes: the message from its first byte; it may have grown since the last call. At most one empty line
    ///   before the request line is passed over (RFC 9112 §2.2) and counts as part of the head.
    /// - Returns: true when the head is complete (`head.length` bytes), false when more bytes are needed.
    /// - Throws: at the first illegal byte, and never before it, so that the verdict is the same however the bytes are
    ///   split; answer `error.status` and close. The parser must then be reset before it is used again.
    package func parse(_ bytes: Span<UInt8>) throws(ParseError) -> Bool {
        let limit = min(limits.headBytes, HeadLimits.mostHeadBytes)
        let end = min(bytes.count, limit)
        if state == .start, readUsualRequestLine(bytes, end) { state = .fields }
        while position < end, state != .done {
            if state == .fields {
                if try scanner.collect(bytes, at: &position, end: end, into: &head.fields, most: limits.fields) {
                    try finish(bytes)
                }
            } else {
                try readRequestLine(bytes, end)
            }
        }
        if state == .done { return true }
        // A head of `limit` bytes would have ended by now.
        guard position < limit else { throw state.rawValue <= State.target.rawValue ? .targetTooLong : .headTooLong }
        return false
    }

    /// Reads a request line that is there as a whole and is of the usual form: GET, a path and HTTP/1.1.
    /// - Returns: false, and nothing is read, for any other line.
    private func readUsualRequestLine(_ bytes: Span<UInt8>, _ end: Int) -> Bool {
        guard end >= 16, bytes[0] == UInt8(ascii: "G"), bytes[1] == UInt8(ascii: "E"), bytes[2] == UInt8(ascii: "T"),
            bytes[3] == ASCII.space, bytes[4] == ASCII.slash
        else { return false }
        let targetEnd = endOfTarget(bytes, from: 4, to: end)
        guard end - targetEnd >= 11, targetEnd - 4 <= limits.targetBytes, bytes[targetEnd] == ASCII.space,
            EightBytes(bytes.bytes, at: targetEnd + 1).spell("HTTP/1.1"),
            bytes[targetEnd + 9] == ASCII.carriageReturn, bytes[targetEnd + 10] == ASCII.lineFeed
        else { return false }
        head.method = .get
        head.methodName = ByteSlice(start: 0, count: 3)
        head.target = ByteSlice(start: 4, count: targetEnd - 4)
        head.path = head.target
        position = targetEnd + 11
        return true
    }

    private func readRequestLine(_ bytes: Span<UInt8>, _ end: Int) throws(ParseError) {
        switch state {
        case .start:
            if bytes[position] == ASCII.carriageReturn {
                position += 1
                state = .emptyLineLineFeed
            } else {
                state = .methodStart
            }
        case .emptyLineLineFeed:
            try expectLineFeed(bytes)
            state = .methodStart
        case .methodStart:
            head.methodName = ByteSlice(start: position, count: 0)
            state = .method
        case .method:
            try readMethod(bytes, end)
        case .targetStart:
            head.target = ByteSlice(start: position, count: 0)
            state = .target
        case .target:
            try readTarget(bytes, end)
        case .version:
            try readVersion(bytes, end)
        case .lineLineFeed:
            try expectLineFeed(bytes)
            state = .fields
        case .fields, .done:
            preconditionFailure("not in the request line")
        }
    }

    private func expectLineFeed(_ bytes: Span<UInt8>) throws(ParseError) {
        guard bytes[position] == ASCII.lineFeed else { throw .bareCarriageReturn }
        position += 1
    }

    private func readMethod(_ bytes: Span<UInt8>, _ end: Int) throws(ParseError) {
        let start = Int(head.methodName.start)
        while position < end, ByteClass.token.contains(bytes[position]) {
            position += 1
            guard position - start <= HeadLimits.methodBytes else { throw .methodTooLong }
        }
        guard position < end else { return }
        guard bytes[position] == ASCII.space else {
            throw bytes[position] == ASCII.lineFeed ? .bareLineFeed : .invalidMethod
        }
        guard position > start else { throw .malformedRequestLine }
        head.methodName = ByteSlice(start: start, count: position - start)
        head.method = Method(bytes, head.methodName)
        position += 1
        guard !isRefusedMethod(bytes, head.methodName) else { throw .methodNotAllowed }
        state = .targetStart
    }

    private func readTarget(_ bytes: Span<UInt8>, _ end: Int) throws(ParseError) {
        let start = Int(head.target.start)
        // One byte beyond the limit is looked at, to tell that the target is too long.
        let mostEnd = end - start > limits.targetBytes ? start + limits.targetBytes + 1 : end
        position = endOfTarget(bytes, from: position, to: mostEnd)
        guard position - start <= limits.targetBytes else { throw .targetTooLong }
        guard position < end else { return }
        guard bytes[position] == ASCII.space else { throw Self.refusalInTarget(bytes[position]) }
        guard position > start else { throw .malformedRequestLine }
        head.target = ByteSlice(start: start, count: position - start)
        position += 1
        (head.form, head.path, head.targetAuthority) = try requestTarget(bytes, head)
        versionStart = position
        state = .version
    }

    private static func refusalInTarget(_ byte: UInt8) -> ParseError {
        switch byte {
        case ASCII.lineFeed: .bareLineFeed
        case ASCII.carriageReturn: .malformedRequestLine
        default: .invalidTargetByte
        }
    }

    private func readVersion(_ bytes: Span<UInt8>, _ end: Int) throws(ParseError) {
        let index = position - versionStart
        if index == 0, end - position >= 8, EightBytes(bytes.bytes, at: position).spell("HTTP/1.1") {
            position += 8
            head.version = .http11
        } else if index < 8 {
            guard isVersionByte(bytes[position], at: index) else { throw .malformedVersion }
            position += 1
            if index == 7 { head.version = try httpVersion(bytes, at: versionStart) }
        } else {
            guard bytes[position] == ASCII.carriageReturn else {
                throw bytes[position] == ASCII.lineFeed ? .bareLineFeed : .malformedVersion
            }
            position += 1
            state = .lineLineFeed
        }
    }

    /// What can be judged only when every field is known.
    private func finish(_ bytes: Span<UInt8>) throws(ParseError) {
        head.length = position
        head.isLastRequest = head.version == .http10
        let fields = head.fields.present
        var hosts = 0
        if fields.contains(.expect) || !(head.fields.repeated & (.host | .connection)).isEmpty {
            hosts = try readOneByOne(bytes)
        } else {
            if let host = head.fields.first(.host) {
                hosts = 1
                guard isValidAuthority(bytes, host.range) else { throw .malformedHost }
            }
            if let connection = head.fields.first(.connection) { noteConnection(bytes, connection) }
        }
        guard hosts == 1 || head.version == .http10 else { throw .missingHost }
        head.framing = try requestFraming(head, bytes)
        state = .done
    }

    /// The fields with a meaning here in their order, which is that of the errors too.
    /// - Returns: how many of them are `Host`.
    private func readOneByOne(_ bytes: Span<UInt8>) throws(ParseError) -> Int {
        var hosts = 0
        for i in head.fields.indices {
            let value = head.fields[i].value
            switch head.fields[i].known {
            case .host:
                hosts += 1
                guard hosts == 1 else { throw .duplicateHost }
                guard isValidAuthority(bytes, value.range) else { throw .malformedHost }
            case .expect: try readExpectations(bytes, value)
            case .connection: noteConnection(bytes, value)
            default: break
            }
        }
        return hosts
    }

    private func noteConnection(_ bytes: Span<UInt8>, _ value: ByteSlice) {
        if fieldEquals(bytes, value, "close") {
            head.isLastRequest = true
            head.closes = !head.fields.repeated.contains(.connection)
        } else if hasElement(bytes, value, "close") {
            head.isLastRequest = true
        }
    }

    private func readExpectations(_ bytes: Span<UInt8>, _ value: ByteSlice) throws(ParseError) {
        var expectations = ListElements(value)
        while let expectation = expectations.next(bytes) {
            guard fieldEquals(bytes, expectation, "100-continue") else { throw .unknownExpectation }
            // An HTTP/1.0 client knows no 1xx: its expectation is ignored (RFC 9110 §10.1.1).
            head.expectsContinue = head.version == .http11
        }
    }
}

extension RequestHeadParser {
    /// Takes a prefix off the target's path, if the path goes on behind it with a slash.
    /// - Parameter bytes: the buffer that the head was parsed from.
    package func takeOff(_ prefix: Span<UInt8>, from bytes: Span<UInt8>) {
        let range = head.path.range
        guard !prefix.isEmpty, range.count > prefix.count, bytes[range.lowerBound + prefix.count] == ASCII.slash else {
            return
        }
        for i in prefix.indices where bytes[range.lowerBound + i] != prefix[i] { return }
        head.path = ByteSlice(start: range.lowerBound + prefix.count, count: range.count - prefix.count)
    }
}
