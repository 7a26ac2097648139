internal import HTTP1

/// The receiving end of one message body: takes the framing off, in place, and knows when the body is whole.
struct BodyReader {
    private enum Framing {
        case none
        case length(remaining: UInt64)
        case chunked(ChunkedDecoder)
        case untilClose
    }

    private var framing = Framing.none
    /// The body has ended; bytes that follow belong to nothing.
    private(set) var isWhole = true

    init() {}

    init(_ framing: BodyFraming, limits: HeadLimits) {
        switch framing {
        case .none, .length(0): break
        case .length(let count): (self.framing, isWhole) = (.length(remaining: count), false)
        case .chunked: (self.framing, isWhole) = (.chunked(ChunkedDecoder(limits: limits)), false)
        case .untilClose: (self.framing, isWhole) = (.untilClose, false)
        }
    }

    /// What one piece held.
    struct Piece {
        /// Payload bytes, moved to the front of the piece.
        var payload: Int
        /// Bytes that belonged to the body, framing included; the rest came after its end.
        var consumed: Int
    }

    /// Reads the next bytes of the body.
    /// - Throws: at a broken chunked coding.
    mutating func read(_ piece: UnsafeMutableRawBufferPointer) throws(ParseError) -> Piece {
        guard !isWhole else { return Piece(payload: 0, consumed: 0) }
        switch framing {
        case .none:
            return Piece(payload: 0, consumed: 0)
        case .untilClose:
            return Piece(payload: piece.count, consumed: piece.count)
        case .length(let remaining):
            let count = Int(min(remaining, UInt64(piece.count)))
            let left = remaining - UInt64(count)
            framing = .length(remaining: left)
            isWhole = left == 0
            return Piece(payload: count, consumed: count)
        case .chunked(var decoder):
            defer { framing = .chunked(decoder) }
            var payload = 0
            var consumed = 0
            while consumed < piece.count, !decoder.isComplete {
                let rest = piece.bytes(consumed..<piece.count)
                let step = try decoder.next(rest.span)
                if !step.payload.isEmpty, payload != consumed + step.payload.lowerBound {
                    // The payload moves towards the front over framing that was read already.
                    piece.part(payload..<piece.count).copyOverlapping(
                        from: piece.part(consumed + step.payload.lowerBound..<consumed + step.payload.upperBound))
                }
                payload += step.payload.count
                consumed += step.consumed
            }
            isWhole = decoder.isComplete
            return Piece(payload: payload, consumed: consumed)
        }
    }

    /// The sender's stream has ended.
    /// - Returns: whether the body may end so (RFC 9112 §6.3, §8).
    mutating func streamEnded() -> Bool {
        if case .untilClose = framing { isWhole = true }
        return isWhole
    }
}

extension UnsafeMutableRawBufferPointer {
    /// memmove(3) of `source` to the front; it must fit.
    fileprivate func copyOverlapping(from source: UnsafeMutableRawBufferPointer) {
        precondition(source.count <= count)
        copyMemory(from: UnsafeRawBufferPointer(source))
    }
}
