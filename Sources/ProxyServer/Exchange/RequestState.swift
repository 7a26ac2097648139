internal import AccessPolicy
internal import EventLoop
internal import HTTP1
internal import System

/// The request of one exchange: what it is, what was decided about it, and how far its body has come.
struct RequestState: ~Copyable {
    /// The connection begins with the PROXY header of a balancer.
    var expectsProxyHeader = false

    // What later parts need to know of the head, once it is gone.
    var facts = RequestFacts()
    var method = Method.other
    var version = HTTPVersion.http11
    /// The client promised to send nothing after this request.
    var isLast = false
    var acceptsGzip = false
    /// The scheme that an absolute form named; nil is that of the connection.
    var namedScheme: ClientScheme?
    /// The JSON of the answer names Sentry's own address.
    var endpoint: RewrittenEndpoint?

    /// The head's bytes while it is incomplete, or while the body is collected.
    var heldHead = PooledBytes()
    /// The upstream's head as it was just written, with the body's first bytes, until it is sent or queued in the same iteration.
    var staged: StagedBytes?
    /// Reads the held head.
    var headParser: RequestHeadParser?

    // The body.
    var body = BodyReader()
    var framing = OutgoingFraming.none
    /// Bytes of it that came, without their framing: `--max-body` bounds them.
    var received: UInt64 = 0
    var upload = Upload.streaming
    /// Until when the body must be whole to be collected, or to be kept any longer.
    var collectingEnds = Instant.never
    /// The body, when it was too long to be held.
    var spool: Spool?

    // The decision.
    var forward = Forward(route: .bypass)
    /// The rights of the alias, when it is a bounded one.
    var rights: RightsInForce?
    var verdict = AccessPolicy.Verdict()
    /// How far the collected body was held against them.
    var reading: BodyReading?
    /// Where the request counts as one of its alias in flight.
    var cell: AliasCell?
    /// It counts as one in flight.
    var isInFlight = false
    /// Its answer is out, or broke off, and is counted.
    var isAnswered = false
}
