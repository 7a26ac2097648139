internal import AccessPolicy
internal import HTTP1

/// What later parts of the exchange need to know of the request, once its head is gone.
struct RequestFacts {
    var method = Method.other
    var version = HTTPVersion.http11
    /// The client promised to send nothing after this request.
    var isLast = false
    var acceptsGzip = false
    /// The scheme that an absolute form named; nil is that of the connection.
    var namedScheme: ClientScheme?
    /// The JSON of the answer names Sentry's own address.
    var endpoint: RewrittenEndpoint?
}

/// What became of a 401 that a renewal might mend.
enum RetryOutcome: UInt8, Sendable {
    case none, renewed, unchanged, unavailable
    /// The request's body was too large to be kept, so it was not sent again.
    case bodyTooLarge
}
