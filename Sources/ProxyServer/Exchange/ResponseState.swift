internal import AccessPolicy
internal import HTTP1

/// What is done to an answer's JSON that was read whole: one thing at a time.
enum Rework {
    case none
    case rewriting(BodyRewrite)
    /// The rights cut it.
    case filtering(AnswerFiltering)
}

/// The answer of one exchange, the upstream's or the proxy's own, on its way to the client.
struct ResponseState: ~Copyable {
    var stage = ResponseStage.head
    var parser: ResponseHeadParser?
    /// Bytes of an answer whose head is incomplete, or that waits for a renewal.
    var held = PooledBytes()
    /// The client's head as it was just written, with the body's first bytes, until it is sent in the same iteration.
    var staged: StagedBytes?
    var interimCount = 0
    var body = BodyReader()
    var framing = OutgoingFraming.none
    /// Bytes of the body that came, without their framing.
    var received: UInt64 = 0
    /// Takes gzip off the answer, for a client that does not accept it.
    var inflater: PooledInflater?
    /// Bytes of the answer that wait to be inflated.
    var compressed = WriteBuffer()
    /// The answer's JSON, while it is read whole.
    var collected = PooledBytes()
    /// How far the work on it has come, and what was written of it.
    var rework = Rework.none
    var rewritten = PooledBytes()

    // Inlined: a call would be handed a copy of all the bytes.

    /// The body is read whole before anything of the answer goes on.
    @inline(__always)
    var isCollected: Bool { stage == .rewriting || stage == .filtering }
    @inline(__always)
    var isComplete: Bool { stage == .complete }
}
