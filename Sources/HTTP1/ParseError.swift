/// Every reason to refuse a message. One case, one rule.
///
/// `status` is the answer to a *client* whose request broke the rule. A response that breaks one is a 502,
/// whatever `status` says, or an aborted connection once bytes are on their way.
package enum ParseError: Error, Sendable, Equatable, CaseIterable {
    // Lines.
    case bareLineFeed
    case bareCarriageReturn

    // Request line.
    case malformedRequestLine
    case invalidMethod
    case methodTooLong
    case methodNotAllowed
    case http2Preface
    case malformedTarget
    case invalidTargetByte
    case targetTooLong
    case malformedVersion
    case unsupportedVersion

    // Status line.
    case malformedStatusLine
    case invalidStatusCode
    case invalidReasonPhrase
    case switchingProtocols

    // Fields.
    case emptyFieldName
    case invalidFieldName
    case spaceBeforeColon
    case lineFolding
    case invalidFieldValue
    case tooManyFields
    case headTooLong

    // Fields with a meaning here.
    case missingHost
    case duplicateHost
    case malformedHost
    case unknownExpectation

    // Framing.
    case duplicateContentLength
    case malformedContentLength
    case contentLengthTooLarge
    case contentLengthWithTransferEncoding
    case malformedTransferEncoding
    case transferEncodingInHTTP10
    case chunkedNotFinal
    case chunkedTwice
    case unknownTransferCoding
    case disguisedFramingField

    // Chunked coding.
    case malformedChunkSize
    case chunkSizeTooLarge
    case malformedChunkExtension
    case chunkExtensionTooLong
    case malformedChunkEnd
}

extension ParseError {
    /// The status of the answer to a client, 400...599.
    package var status: Int { rule.status }

    /// Where the broken rule is written.
    package var section: String { "\(rule.section)" }

    /// What was wrong, for the log. Holds no byte that a peer sent.
    package var summary: StaticString { rule.summary }

    private var rule: (status: Int, section: StaticString, summary: StaticString) {
        switch self {
        case .bareLineFeed:
            (400, "RFC 9112 §2.2", "a line ends with LF alone")
        case .bareCarriageReturn:
            (400, "RFC 9112 §2.2", "CR without LF")
        case .malformedRequestLine:
            (400, "RFC 9112 §3", "the request line is not method SP target SP version")
        case .invalidMethod:
            (400, "RFC 9112 §3.1", "the method is not a token")
        case .methodTooLong:
            (501, "RFC 9112 §3", "the method is too long")
        case .methodNotAllowed:
            (405, "RFC 9110 §9.3.6, §9.3.8", "CONNECT and TRACE are not served")
        case .http2Preface:
            (400, "RFC 9113 §3.4", "the client speaks HTTP/2")
        case .malformedTarget:
            (400, "RFC 9112 §3.2", "the request target has none of the allowed forms")
        case .invalidTargetByte:
            (400, "RFC 9112 §3.2", "the request target holds a byte that no URI has")
        case .targetTooLong:
            (414, "RFC 9112 §3", "the request target is over its limit")
        case .malformedVersion:
            (400, "RFC 9112 §2.3", "the protocol version is malformed")
        case .unsupportedVersion:
            (505, "RFC 9112 §2.3", "the protocol version is neither HTTP/1.0 nor HTTP/1.1")
        case .malformedStatusLine:
            (502, "RFC 9112 §4", "the status line is not version SP status-code")
        case .invalidStatusCode:
            (502, "RFC 9110 §15", "the status code is not in 100...599")
        case .invalidReasonPhrase:
            (502, "RFC 9112 §4", "the reason phrase holds a control byte")
        case .switchingProtocols:
            (502, "RFC 9110 §15.2.2", "101 answers no request of this proxy")
        case .emptyFieldName:
            (400, "RFC 9112 §5", "a field has no name")
        case .invalidFieldName:
            (400, "RFC 9110 §5.1", "a field name is not a token")
        case .spaceBeforeColon:
            (400, "RFC 9112 §5.1", "white space before the colon of a field")
        case .lineFolding:
            (400, "RFC 9112 §5.2", "a field line begins with white space")
        case .invalidFieldValue:
            (400, "RFC 9110 §5.5", "a field value holds a control byte")
        case .tooManyFields:
            (431, "RFC 6585 §5", "more fields than the limit")
        case .headTooLong:
            (431, "RFC 6585 §5", "more bytes of fields than the limit")
        case .missingHost:
            (400, "RFC 9112 §3.2", "no Host")
        case .duplicateHost:
            (400, "RFC 9112 §3.2", "more than one Host")
        case .malformedHost:
            (400, "RFC 9112 §3.2", "Host is not host [\":\" port]")
        case .unknownExpectation:
            (417, "RFC 9110 §10.1.1", "an expectation other than 100-continue")
        case .duplicateContentLength:
            (400, "RFC 9112 §6.3", "more than one Content-Length")
        case .malformedContentLength:
            (400, "RFC 9110 §8.6", "Content-Length is not a number")
        case .contentLengthTooLarge:
            (400, "RFC 9110 §8.6", "Content-Length is over 2^63-1")
        case .contentLengthWithTransferEncoding:
            (400, "RFC 9112 §6.3", "Content-Length with Transfer-Encoding")
        case .malformedTransferEncoding:
            (400, "RFC 9112 §6.1", "Transfer-Encoding is not a list of codings without parameters")
        case .transferEncodingInHTTP10:
            (400, "RFC 9112 §6.1", "Transfer-Encoding in an HTTP/1.0 message")
        case .chunkedNotFinal:
            (400, "RFC 9112 §6.3", "the final transfer coding is not chunked")
        case .chunkedTwice:
            (400, "RFC 9112 §6.1", "chunked is applied more than once")
        case .unknownTransferCoding:
            (501, "RFC 9112 §6.1", "a transfer coding other than chunked")
        case .disguisedFramingField:
            (400, "RFC 9112 §11.2", "Content_Length or Transfer_Encoding: WSGI reads it as the real field")
        case .malformedChunkSize:
            (400, "RFC 9112 §7.1", "a chunk size is not 1 to 16 hexadecimal digits")
        case .chunkSizeTooLarge:
            (400, "RFC 9112 §7.1", "a chunk size is over 2^63-1")
        case .malformedChunkExtension:
            (400, "RFC 9112 §7.1.1", "a chunk extension is malformed")
        case .chunkExtensionTooLong:
            (400, "RFC 9112 §7.1.1", "chunk extensions are over their limit")
        case .malformedChunkEnd:
            (400, "RFC 9112 §7.1", "chunk data does not end with CRLF")
        }
    }
}
