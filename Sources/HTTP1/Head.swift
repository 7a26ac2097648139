/// A run of bytes inside a head's buffer, by offset: heads are never copied to be read.
@usableFromInline
package struct ByteSlice: Sendable, Equatable {
    /// Offset of the first byte from the start of the head.
    @usableFromInline package var start: Int32
    /// Number of bytes.
    @usableFromInline package var count: Int32

    @inlinable
    package init(start: Int, count: Int) {
        self.start = Int32(truncatingIfNeeded: start)
        self.count = Int32(truncatingIfNeeded: count)
    }

    @inlinable package static var empty: ByteSlice { ByteSlice(start: 0, count: 0) }

    @inlinable package var isEmpty: Bool { count == 0 }
    @inlinable package var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
}

/// The methods that this proxy distinguishes (RFC 9110 §9); any other token is `.other` and forwarded as it is.
@usableFromInline
package enum Method: UInt8, Sendable, CaseIterable {
    case get, head, post, put, delete, connect, options, trace, patch, other

    @inlinable @inline(__always)
    package var isGetOrHead: Bool {
        switch self {
        case .get, .head: true
        default: false
        }
    }
}

/// The protocol versions that are spoken here (RFC 9112 §2.3).
package enum HTTPVersion: UInt8, Sendable { case http10, http11 }

/// The forms of a request target (RFC 9112 §3.2). CONNECT's authority-form is refused by method before it is parsed.
package enum TargetForm: UInt8, Sendable { case origin, absolute, asterisk }

/// How the end of a message body is found (RFC 9112 §6.3).
@usableFromInline
package enum BodyFraming: Sendable, Equatable {
    case none
    case length(UInt64)
    case chunked
    case untilClose

    @inlinable @inline(__always)
    package var isNone: Bool { if case .none = self { true } else { false } }
}

/// A request head in which every byte was checked. Slices point into the buffer that was parsed.
///
/// A class, so that handing it on copies nothing.
@usableFromInline
package final class RequestHead {
    package var method = Method.other
    package var methodName = ByteSlice.empty
    package var target = ByteSlice.empty
    package var form = TargetForm.origin
    /// What goes upstream: the path and query of the target, with its own bytes. Empty stands for `/`
    /// (absolute-form without a path).
    package var path = ByteSlice.empty
    /// Host and port of an absolute form; empty for other forms.
    @usableFromInline package var targetAuthority = ByteSlice.empty
    package var version = HTTPVersion.http11
    @usableFromInline package var fields = FieldLines()
    package var framing = BodyFraming.none
    /// `Expect: 100-continue` from an HTTP/1.1 client (RFC 9110 §10.1.1).
    package var expectsContinue = false
    /// The client said `Connection: close` or speaks HTTP/1.0: it sends nothing after this request (RFC 9112 §9.6).
    package var isLastRequest = false
    /// `Connection` occurs once and contains only `close`.
    package internal(set) var closes = false
    /// Bytes of the head, up to and including the empty line.
    package var length = 0

    package init() {}

    /// Makes it empty; the fields keep their room.
    func clear() {
        method = .other
        methodName = .empty
        target = .empty
        form = .origin
        path = .empty
        targetAuthority = .empty
        version = .http11
        fields.removeAll()
        framing = .none
        expectsContinue = false
        isLastRequest = false
        closes = false
        length = 0
    }

    /// The authority that the client asked: the absolute form's, which comes before `Host` (RFC 9112 §3.2.2); empty when
    /// it named none.
    @inlinable @inline(__always)
    package var authority: ByteSlice {
        targetAuthority.isEmpty ? fields.first(.host) ?? .empty : targetAuthority
    }

    /// The absolute form's scheme is https; nil for other forms.
    package func targetIsSecure(_ bytes: Span<UInt8>) -> Bool? {
        form == .absolute ? fieldHasPrefix(bytes, target, "https://") : nil
    }
}

/// A response head in which every byte was checked. Slices point into the buffer that was parsed.
///
/// A class, so that handing it on copies nothing.
@usableFromInline
package final class ResponseHead {
    package var status = 0
    package var reason = ByteSlice.empty
    package var version = HTTPVersion.http11
    @usableFromInline package var fields = FieldLines()
    /// `Connection` occurs once and contains only `close`.
    package internal(set) var closes = false
    /// Bytes of the head, up to and including the empty line.
    package var length = 0

    package init() {}

    /// Makes it empty; the fields keep their room.
    func clear() {
        status = 0
        reason = .empty
        version = .http11
        fields.removeAll()
        closes = false
        length = 0
    }
}
