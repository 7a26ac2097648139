import HTTP1

/// What came of a whole message.
enum Verdict: Equatable, CustomStringConvertible {
    case refused(ParseError)
    case incomplete
    case accepted(Message)

    var description: String {
        switch self {
        case .refused(let error): "refused: \(error), \(error.status)"
        case .incomplete: "incomplete"
        case .accepted(let message): "\(message)"
        }
    }
}

/// A message as values, for comparing; the keys are those of the fixtures.
struct Message: Equatable {
    var values: [String: String] = [:]
    var fields: [String] = []
    var body: [UInt8] = []
    var rest: [UInt8] = []
}

extension BodyFraming {
    var text: String {
        switch self {
        case .none: "none"
        case .length(let length): "length \(length)"
        case .chunked: "chunked"
        case .untilClose: "until-close"
        }
    }
}

func text(_ bytes: [UInt8], _ slice: ByteSlice) -> String {
    String(decoding: bytes[slice.range], as: UTF8.self)
}

/// `Name: value`, or `Name:` if the value is empty.
private func fieldText(_ bytes: [UInt8], _ line: FieldLine) -> String {
    text(bytes, line.name) + (line.value.isEmpty ? ":" : ": " + text(bytes, line.value))
}

/// Takes a body off the bytes behind a head, as they come.
private struct BodyReader {
    let framing: BodyFraming
    var remaining: UInt64 = 0
    var decoder = ChunkedDecoder(limits: Fixture.limits)
    var body: [UInt8] = []
    var rest: [UInt8] = []

    init(_ framing: BodyFraming) {
        self.framing = framing
        if case .length(let length) = framing { remaining = length }
    }

    var isComplete: Bool {
        switch framing {
        case .none, .untilClose: true
        case .length: remaining == 0
        case .chunked: decoder.isComplete
        }
    }

    mutating func feed(_ bytes: ArraySlice<UInt8>) throws(ParseError) {
        switch framing {
        case .none: rest += bytes
        case .untilClose: body += bytes
        case .length:
            let count = Int(min(remaining, UInt64(bytes.count)))
            body += bytes.prefix(count)
            remaining -= UInt64(count)
            rest += bytes.dropFirst(count)
        case .chunked:
            var input = Array(bytes)
            while !input.isEmpty, !decoder.isComplete {
                let step = try decoder.next(input.span)
                precondition(step.consumed > 0 && step.payload.upperBound <= step.consumed)
                body += input[step.payload]
                input.removeFirst(step.consumed)
            }
            rest += input
        }
    }
}

/// `bytes` cut at `cuts`, which rise.
private func pieces(_ bytes: [UInt8], _ cuts: some Sequence<Int>) -> [ArraySlice<UInt8>] {
    var pieces: [ArraySlice<UInt8>] = []
    var start = 0
    for cut in cuts {
        pieces.append(bytes[start..<cut])
        start = cut
    }
    pieces.append(bytes[start...])
    return pieces
}

/// Reads a request that comes in pieces, cut at `cuts`.
func readRequest(_ bytes: [UInt8], cuts: some Sequence<Int>, _ parser: RequestHeadParser) -> Verdict {
    parser.reset()
    var buffer: [UInt8] = []
    var reader: BodyReader?
    do throws(ParseError) {
        for piece in pieces(bytes, cuts) {
            if reader != nil {
                try reader?.feed(piece)
                continue
            }
            buffer += piece
            guard try parser.parse(buffer.span) else { continue }
            reader = BodyReader(parser.head.framing)
            try reader?.feed(buffer[parser.head.length...])
        }
    } catch {
        return .refused(error)
    }
    guard let reader, reader.isComplete else { return .incomplete }
    let head = parser.head
    return .accepted(
        Message(
            values: [
                "method": text(buffer, head.methodName), "target": text(buffer, head.target),
                "path": text(buffer, head.path), "form": "\(head.form)",
                "version": head.version == .http10 ? "1.0" : "1.1", "framing": head.framing.text,
                "fields": "\(head.fields.count)", "continue": head.expectsContinue ? "yes" : "no",
                "last": head.isLastRequest ? "yes" : "no", "kind": "\(head.method)",
            ],
            fields: head.fields.map { fieldText(buffer, $0) },
            body: reader.body, rest: reader.rest))
}

/// Reads a response that comes in pieces, cut at `cuts`, and then the end of the stream.
func readResponse(
    _ bytes: [UInt8], to method: HTTP1.Method, cuts: some Sequence<Int>, _ parser: ResponseHeadParser
) -> Verdict {
    parser.reset()
    var buffer: [UInt8] = []
    var reader: BodyReader?
    do throws(ParseError) {
        for piece in pieces(bytes, cuts) {
            if reader != nil {
                try reader?.feed(piece)
                continue
            }
            buffer += piece
            while reader == nil {
                guard try parser.parse(buffer.span) else { break }
                let head = parser.head
                let framing = try responseFraming(head, buffer.span, requestMethod: method)
                if head.status < 200 {
                    buffer.removeFirst(head.length)
                    parser.reset()
                } else {
                    reader = BodyReader(framing)
                    try reader?.feed(buffer[head.length...])
                }
            }
        }
    } catch {
        return .refused(error)
    }
    guard let reader, reader.isComplete else { return .incomplete }
    let head = parser.head
    return .accepted(
        Message(
            values: [
                "status": "\(head.status)", "reason": text(buffer, head.reason),
                "version": head.version == .http10 ? "1.0" : "1.1", "framing": reader.framing.text,
                "fields": "\(head.fields.count)",
            ],
            fields: head.fields.map { fieldText(buffer, $0) },
            body: reader.body, rest: reader.rest))
}
