internal import HTTP1

/// What became of a 401 that a renewal might mend.
enum RetryOutcome: UInt8, Sendable {
    case none, renewed, unchanged, unavailable
    /// The request's body was too large to be kept, so it was not sent again.
    case bodyTooLarge
}

/// What a second sending needs of the request.
struct Replay: ~Copyable {
    /// The upstream's request head as it was written, when it may have to be sent again.
    var head = PooledBytes()
    /// Where the token lies in it.
    var tokenPlace: ByteSlice?
    var tokenVersion: UInt64 = 0
    /// The request's body from its start, when it may have to be sent again or is being collected.
    var body = PooledBytes()
    var recording = Recording.none
    var outcome = RetryOutcome.none

    /// The body, as far as it came, can be sent from its start.
    @inline(__always)
    var holdsBody: Bool { recording == .recording || recording == .complete }
}
