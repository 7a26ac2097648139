/// Takes the chunked coding apart (RFC 9112 §7.1), at any split.
///
/// Chunk extensions are read, checked and dropped; so are trailer fields, under the limits of a head. Memory and work are
/// bounded: a size has at most 16 digits, the extensions of one chunk at most `extensionBytesPerChunk` bytes, and over
/// the whole body they may outweigh the payload by no more than `spareExtensionBytes`.
package struct ChunkedDecoder {
    /// What one call found in its input.
    package struct Step: Sendable, Equatable {
        /// Bytes of the input that are done with.
        package var consumed: Int
        /// The payload among them, by offsets of the input; may be empty.
        package var payload: Range<Int>
        /// The last chunk, the trailer section and its empty line were read.
        package var isComplete: Bool

        package init(consumed: Int, payload: Range<Int>, isComplete: Bool) {
            self.consumed = consumed
            self.payload = payload
            self.isComplete = isComplete
        }
    }

    /// `;` to the end of the line.
    package static let extensionBytesPerChunk = 256
    /// See `excess`.
    package static let spareExtensionBytes = 16_384
    private static let sizeDigits = 16

    private enum State: UInt8 {
        case size, blankBeforeExtension, `extension`, sizeLineFeed, payload, payloadReturn, payloadLineFeed, trailers,
            done
    }

    // Small, since every exchange has two: each count has a bound that its type holds.

    /// Of the trailer section.
    private let (mostTrailerBytes, mostTrailerFields): (Int32, Int32)
    private var state = State.size
    private var digits: UInt8 = 0
    private var extensionBytes: UInt16 = 0
    /// The size while its line is read; then the payload bytes of the chunk that are still to come.
    private var remaining: UInt64 = 0
    /// Bytes of extensions beyond the payload they came with. A body of one-byte chunks with long extensions runs it up.
    private var excess: Int32 = 0
    private var trailerBytes: Int32 = 0
    private var trailerFields: Int32 = 0
    private var scanner = FieldLineScanner()

    package init() {
        self.init(limits: HeadLimits())
    }

    /// - Parameter limits: `headBytes` and `fields` bound the trailer section.
    package init(limits: HeadLimits) {
        (mostTrailerBytes, mostTrailerFields) = (Int32(clamping: limits.headBytes), Int32(clamping: limits.fields))
    }

    /// The body has ended; no further byte belongs to it.
    package var isComplete: Bool { state == .done }

    /// Reads `input` from its start. Call again with what was not consumed, until the input is empty or the body is complete.
    /// - Returns: consumed bytes, more than 0 unless `input` is empty or the body was complete before.
    /// - Throws: at the first illegal byte. Payload before it in the same input is then not reported: the message is broken.
    package mutating func next(_ input: Span<UInt8>) throws(ParseError) -> Step {
        var at = 0
        var payload = 0..<0
        while at < input.count, state != .done {
            switch state {
            case .payload:
                // One range a step; the next chunk's payload has to wait for the next call.
                guard payload.isEmpty else { return Step(consumed: at, payload: payload, isComplete: false) }
                let count = Int(min(remaining, UInt64(input.count - at)))
                payload = at..<at + count
                at += count
                remaining -= UInt64(count)
                if remaining == 0 { state = .payloadReturn }
            case .trailers:
                try readTrailers(input, &at)
            default:
                try readFraming(input[at])
                at += 1
            }
        }
        return Step(consumed: at, payload: payload, isComplete: state == .done)
    }

    private mutating func readFraming(_ byte: UInt8) throws(ParseError) {
        switch state {
        case .size:
            try readSize(byte)

        case .blankBeforeExtension:
            // BWS is allowed before ";" only: a size with blanks and no extension is malformed.
            guard byte.isBlank || byte == ASCII.semicolon else { throw .malformedChunkSize }
            try countExtensionByte()
            if byte == ASCII.semicolon { state = .extension }

        case .extension:
            if byte == ASCII.carriageReturn {
                state = .sizeLineFeed
            } else {
                guard byte.isFieldValueByte else {
                    throw byte == ASCII.lineFeed ? .bareLineFeed : .malformedChunkExtension
                }
                try countExtensionByte()
            }

        case .sizeLineFeed:
            guard byte == ASCII.lineFeed else { throw .bareCarriageReturn }
            try beginChunk()

        case .payloadReturn:
            guard byte == ASCII.carriageReturn else { throw .malformedChunkEnd }
            state = .payloadLineFeed

        case .payloadLineFeed:
            guard byte == ASCII.lineFeed else { throw .malformedChunkEnd }
            state = .size

        case .payload, .trailers, .done:
            preconditionFailure("not in the framing of a chunk")
        }
    }

    private mutating func readSize(_ byte: UInt8) throws(ParseError) {
        if let digit = byte.hexDigitValue {
            digits += 1
            guard digits <= Self.sizeDigits else { throw .malformedChunkSize }
            remaining = remaining << 4 | UInt64(digit)
            return
        }
        guard digits > 0 else { throw .malformedChunkSize }
        guard remaining <= UInt64(Int64.max) else { throw .chunkSizeTooLarge }
        switch byte {
        case ASCII.carriageReturn: state = .sizeLineFeed
        case ASCII.lineFeed: throw .bareLineFeed
        case ASCII.semicolon:
            try countExtensionByte()
            state = .extension
        case ASCII.space, ASCII.tab:
            try countExtensionByte()
            state = .blankBeforeExtension
        default: throw .malformedChunkSize
        }
    }

    private mutating func countExtensionByte() throws(ParseError) {
        extensionBytes += 1
        guard extensionBytes <= Self.extensionBytesPerChunk else { throw .chunkExtensionTooLong }
    }

    private mutating func beginChunk() throws(ParseError) {
        excess += Int32(extensionBytes)
        guard excess <= Self.spareExtensionBytes else { throw .chunkExtensionTooLong }
        excess -= Int32(min(UInt64(excess), remaining))
        state = remaining == 0 ? .trailers : .payload
        digits = 0
        extensionBytes = 0
    }

    private mutating func readTrailers(_ input: Span<UInt8>, _ at: inout Int) throws(ParseError) {
        let start = at
        let end = min(input.count, at + Int(mostTrailerBytes - trailerBytes))
        guard end > at else { throw .headTooLong }
        let event = try scanner.next(input, at: &at, end: end)
        trailerBytes += Int32(at - start)
        switch event {
        case .needsBytes: break
        case .line:
            trailerFields += 1
            guard trailerFields <= mostTrailerFields else { throw .tooManyFields }
        case .end: state = .done
        }
    }
}

/// The fixed parts of the coding, for output.
package enum ChunkedCoding {
    /// Ends the data of a chunk.
    package static var chunkEnd: StaticString { "\r\n" }
    /// The last chunk, without trailers.
    package static var lastChunk: StaticString { "0\r\n\r\n" }
    /// The longest size line that `appendChunkHeader` writes: 16 digits, CR, LF.
    package static var mostHeaderBytes: Int { 18 }
}

extension HeadWriter {
    /// The size line of a chunk of `size` bytes, more than 0 (0 would end the body).
    package mutating func appendChunkHeader(_ size: Int) {
        precondition(size > 0)
        append(hexadecimal: UInt64(size))
        append(ChunkedCoding.chunkEnd)
    }
}
