package import AccessPolicy
package import EventLoop
package import HTTP1
package import System

/// The time-outs of an exchange.
package struct Timeouts: Sendable {
    /// From accept until the request's head is whole.
    package var head: Duration
    /// Without a byte of a body, in either direction.
    package var body: Duration
    /// From the request's last byte until the answer's head is whole.
    package var response: Duration
    /// Name look-up, TCP and TLS of all addresses together.
    package var connect: Duration

    package init(head: Duration, body: Duration, response: Duration, connect: Duration) {
        self.head = head
        self.body = body
        self.response = response
        self.connect = connect
    }
}

/// Which requests get an access line.
package enum AccessLogMode: String, Sendable, CaseIterable { case off, errors, all }

/// What to do with a chunked request body larger than the replay buffer.
package enum LongChunkedBody: String, Sendable, CaseIterable {
    /// 411: the application servers that Sentry runs under lose such a body without a word.
    case refuse
    /// It is forwarded as it arrives, chunked.
    case forward
    /// It is written to a file first, and sent with its length.
    case spool
}

/// Bounds of the bytes that are held for clients.
package struct BodyLimits: Sendable {
    package var longChunked = LongChunkedBody.refuse
    /// From a chunked body's head until the body is whole; also how long any other body is kept while
    /// it is not whole.
    package var collect: Duration = .seconds(60)
    /// Where bodies are spooled.
    package var spoolPlace = SpoolPlace.memory
    /// Bytes spooled in total.
    package var spoolBytes = 1_073_741_824
    /// Bytes the process holds for its clients in total.
    package var memoryBytes = 536_870_912

    package init() {}
}

/// What every worker needs to know and what never changes while the server runs.
package struct ServerConfiguration: Sendable {
    package var target: UpstreamTarget
    /// A forward proxy on the way to it.
    package var upstreamProxy: UpstreamProxy?
    /// The same upstream, asked for bodies without a coding: for those that the proxy reads itself.
    package var identityTarget: UpstreamTarget {
        UpstreamTarget(
            authority: target.authority, pathPrefix: target.pathPrefix, acceptEncoding: .identity,
            absoluteBase: target.absoluteBase)
    }
    /// Keeps clients behind the proxy.
    package var rewriter: LinkRewriter
    /// Without `--public-url` the request's own Host is the proxy's base.
    package var hasPublicURL: Bool
    /// The path of `--public-url`, which is stripped from a request's; empty if it has none.
    package var publicPath: [UInt8] = []
    package var headLimits: HeadLimits
    /// Of an answer's head, and of its trailer section.
    package var responseLimits: HeadLimits
    package var timeouts: Timeouts
    /// Request bodies up to this many bytes are kept, to be sent again after a renewal or with a Content-Length.
    package var replayBufferBytes: Int
    /// Requests in flight, in the whole process; nil is bound by descriptors and memory.
    package var maxRequests: Int?
    /// The process's descriptor limit.
    package var descriptorLimit: Int
    package var accessLog: AccessLogMode
    /// Every so many ordinary requests get an access line; those that went wrong always do.
    package var accessLogSample: Int
    /// On the bypass the client's address is sent as `X-Forwarded-For`.
    package var tellsClientOnBypass = false
    package var bodies: BodyLimits
    /// Whose word about a client's address is taken.
    package var trustedProxies: TrustedProxies
    /// Connections of trusted proxies begin with a PROXY header.
    package var proxyProtocol: Bool

    /// Whether a header is there is never guessed from the bytes: a client could send one as well.
    func expectsProxyHeader(from peer: ClientAddress) -> Bool {
        proxyProtocol && trustedProxies.contains(peer)
    }

    package init(
        target: UpstreamTarget, rewriter: LinkRewriter, hasPublicURL: Bool, headLimits: HeadLimits,
        answerFields: Int = 200, timeouts: Timeouts,
        replayBufferBytes: Int, maxRequests: Int?, descriptorLimit: Int, accessLog: AccessLogMode,
        accessLogSample: Int = 1, bodies: BodyLimits = BodyLimits(), trustedProxies: TrustedProxies = TrustedProxies(),
        proxyProtocol: Bool = false
    ) {
        self.target = target
        self.rewriter = rewriter
        self.hasPublicURL = hasPublicURL
        self.headLimits = headLimits
        responseLimits = HeadLimits(fields: answerFields)
        self.timeouts = timeouts
        self.replayBufferBytes = replayBufferBytes
        self.maxRequests = maxRequests
        self.descriptorLimit = descriptorLimit
        self.accessLog = accessLog
        self.accessLogSample = accessLogSample
        self.bodies = bodies
        self.trustedProxies = trustedProxies
        self.proxyProtocol = proxyProtocol
    }
}

extension ServerConfiguration {
    /// With fewer descriptors hardly a request could be served.
    package static let leastDescriptors = Bounds.reservedDescriptors + 16
}

/// Bounds that are not for the operator to choose.
enum Bounds {
    /// One read moves at most this much.
    static let relayBytes = 65_536
    /// One read of a long body for a receiver that keeps up: fewer and longer sends wake it less often (ADR 0010).
    static let widestRelayBytes = 262_144
    /// Reads of one exchange in one iteration; then the others have theirs.
    static let readsPerIteration = 16
    /// Bytes that one exchange relays in one iteration, about a millisecond's work; a short read counts as `relayBytes`.
    static let bytesPerIteration = 2_097_152
    /// After this time an iteration allows each exchange one more piece and no second one.
    static let iterationTime: Duration = .milliseconds(1)
    /// JSON that is rewritten between two looks at the clock.
    static let rewritingSliceBytes = 32_768
    /// Room for what a rewritten body has more than the original, usually.
    static let rewritingMargin = 1_024
    /// Before the data in the relay buffer there is room for a chunk's size line, and after it for its end and the
    /// last chunk.
    static let chunkMargin = 32
    /// A request head with what the proxy adds, or a response head, with a relay buffer's worth of body behind it.
    static let stagingBytes = 2 * 65_536 + 24_576
    /// How long a client that still sends is listened to after its answer (RFC 9112 §9.6).
    static let linger: Duration = .seconds(2)
    /// How long one address is waited for alone, before the next one is tried beside it (RFC 8305 §5).
    static let connectionAttemptDelay: Duration = .milliseconds(250)
    /// How long an address that did not answer is tried last.
    static let avoidance: Duration = .seconds(30)
    /// A Unix-domain socket whose queue is full gives no event when there is room again: it is tried again after half
    /// the time that was waited already, within these.
    static let fullQueue: ClosedRange<Duration> = .milliseconds(10)...(.milliseconds(200))
    /// How long the upstream's FIN is waited for after its whole answer is in.
    static let upstreamFIN: Duration = .seconds(1)
    /// An exchange that is answered sooner than this never has its client's socket watched: one system call less. A
    /// client that leaves is noticed after at most this long.
    static let patience: Duration = .milliseconds(50)
    /// How long the answer may take before a client whose FIN is in is asked whether it is still there.
    static let probe: Duration = .seconds(3)
    /// How long a request's head may still take when the proxy is draining.
    static let drainHead: Duration = .seconds(1)
    /// How long accepting pauses when descriptors or memory ran out.
    static let acceptPause: Duration = .milliseconds(100)
    static let acceptsPerIteration = 64
    /// How often a worker tells the broker that a token which cannot be renewed was refused.
    static let refusal: Duration = .seconds(1)
    /// A spooled body is written and read in pieces of at most this much.
    static let spooledBytes = 65_536
    /// Who sends a body that is spooled may be slower than `--collect-timeout` has it, but not than this.
    static let spooledBytesPerSecond: UInt64 = 16_384
    /// One read when memory is short: what a receiver does not take of it fits the pool's blocks of 2 KiB.
    static let narrowRelayBytes = 1_984
    /// What a connection of a client holds besides pooled buffers: the exchange with its parser and its timer.
    static let exchangeBytes = 4_096
    /// What a TLS session holds, about, with its handshake behind it.
    static let sessionBytes = 40_960
    /// Memory that must be there for one more request: its heads, its line for the log, its first bytes.
    static let requestBytes = 16_384
    /// A JSON body that is rewritten is read whole; a longer one is forwarded as it is.
    static let rewrittenBodyBytes = 1_048_576
    /// Interim answers (1xx) before the final one.
    static let interimResponses = 16
    /// Descriptors that are never given to connections: files, libpq, the admin listener.
    static let reservedDescriptors = 64
    /// A longer Host than a name and a port can make (RFC 1035 §2.3.4) is not repeated to anybody.
    static let notedHostBytes = 261
    /// Inflaters that a worker keeps for the next gzip answer.
    static let keptInflaters = 4
    /// What each of them holds, about (zlib's window).
    static let inflaterBytes = 40_960
    /// Bytes of a request line that the access log keeps.
    static let loggedLineBytes = 512
    /// Bytes of an alias's name that it keeps behind that.
    static let loggedAliasBytes = 256
    /// Bytes of a client's `X-Request-Id` or `traceparent`; a longer one is not logged.
    static let loggedIdentifierBytes = 128
    /// What an alias did, by its name in the table of operations.
    static let loggedOperationBytes = 64
    /// The form of a request to the device flow.
    static let formBytes = 8_192
    /// What is kept of a field that the device flow looks at.
    static let consultedFieldBytes = 128
    /// How long the device flow may take; its store has a shorter deadline.
    static let consult: Duration = .seconds(15)
    /// Why an alias was refused, in words; and the fields that go with it.
    static let refusalBytes = 8_192
}
