internal import CZlib

/// Decodes a gzip stream (RFC 1952) as it comes. Memory is fixed at its making (zlib's window, some 40 KB),
/// however much the stream expands; `reset` makes it ready for another stream, so that a reactor keeps a few.
package struct Inflater: ~Copyable {
    package enum State: Sendable, Equatable {
        /// The stream continues. If the input ends here, it was cut short.
        case more
        /// The input ended with a whole member. More input may follow: another member (RFC 1952 §2.2), or none.
        case finished
        /// Not gzip, damaged, a wrong checksum, or something other than a member after the last one.
        case corrupt
    }

    // Invariant: `stream` was initialised by inflateInit2 and is at one address for life, since zlib keeps a pointer back to it.
    private let stream: UnsafeMutablePointer<z_stream>
    private var state = State.more

    /// Nil if there is no memory for it.
    package init?() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15: the largest window, which any gzip stream may use; 16: a gzip wrapper and no other.
        guard czlib_inflate_init2(stream, 15 + 16) == Z_OK else {
            stream.deallocate()
            return nil
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Makes it ready for another stream.
    package mutating func reset() {
        inflateReset(stream)
        state = .more
    }

    /// Decodes until the input is used up or the output is full.
    ///
    /// The output is full: call again with what is left of the input, which may be nothing, until it is not.
    package mutating func inflate(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) -> (consumed: Int, produced: Int, state: State) {
        // zlib takes an output without an address for a misuse.
        guard !output.isEmpty else { return (0, 0, state) }
        var consumed = 0
        var produced = 0
        while state != .corrupt {
            if state == .finished {
                guard consumed < input.count else { break }
                inflateReset(stream)
                state = .more
            }
            // zlib counts in 32 bits. It reads from next_in only, whatever its type says, and keeps neither pointer after the call.
            let available = min(input.count - consumed, Int(CInt.max))
            let room = min(output.count - produced, Int(CInt.max))
            stream.pointee.next_in = input.baseAddress.map {
                UnsafeMutableRawPointer(mutating: $0 + consumed).assumingMemoryBound(to: Bytef.self)
            }
            stream.pointee.avail_in = uInt(available)
            stream.pointee.next_out = output.baseAddress.map { ($0 + produced).assumingMemoryBound(to: Bytef.self) }
            stream.pointee.avail_out = uInt(room)
            let result = CZlib.inflate(stream, Z_NO_FLUSH)
            let used = available - Int(stream.pointee.avail_in)
            let made = room - Int(stream.pointee.avail_out)
            consumed += used
            produced += made
            switch result {
            case Z_STREAM_END: state = .finished
            case Z_OK where used + made > 0: continue
            // No progress: the input is used up or the output is full.
            case Z_OK, Z_BUF_ERROR: return (consumed, produced, state)
            default: state = .corrupt
            }
        }
        return (consumed, produced, state)
    }
}
