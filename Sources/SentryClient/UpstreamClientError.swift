package import EventLoop
package import HTTP1
package import System
package import TLS

/// Why a call of the program's own came to nothing.
package enum UpstreamClientError: Error, Sendable, Equatable {
    case nameNotFound(ResolveFailure)
    /// The last of the addresses that were tried.
    case notConnected(SystemError)
    /// A file that the TLS settings name is not right.
    case tlsConfiguration(TLSConfigurationError)
    case tls(TLSFailure)
    /// The forward proxy opened no tunnel; its status, or 0 for what is no answer.
    case proxyRefused(Int)
    case connectionLost(SystemError)
    /// The connection ended before the answer did.
    case cutShort
    case malformedAnswer(ParseError)
    /// More than `UpstreamClient.mostAnswerBytes`.
    case answerTooLong
    case requestTooLong
    case deadlinePassed

    /// One line for the operator; no address of the upstream, no secret.
    package var message: String {
        switch self {
        case .nameNotFound(let failure): "its name cannot be resolved: \(failure.summary)"
        case .notConnected(let error): "no connection: \(error.summary)"
        case .tlsConfiguration(let error): error.description
        case .tls(let failure): "no TLS connection: \(failure.logName)"
        case .proxyRefused(let status): "the forward proxy answered with status \(status)"
        case .connectionLost(let error): "the connection broke: \(error.summary)"
        case .cutShort: "it closed the connection before its answer was whole"
        case .malformedAnswer: "its answer is not HTTP/1.1"
        case .answerTooLong: "its answer is longer than \(UpstreamClient.mostAnswerBytes) bytes"
        case .requestTooLong: "the request is too long"
        case .deadlinePassed: "no answer before the deadline"
        }
    }
}
