package import EventLoop
package import System
package import TokenStore

/// A forward proxy on the way to the upstream (RFC 9110 §3.7), in the two forms in which it is asked.
package struct UpstreamProxy: Sendable {
    /// The whole CONNECT request, for an https upstream; nil when requests go out in absolute form.
    package let connect: Secret?
    /// The value of `Proxy-Authorization`, for requests in absolute form.
    package let authorization: Secret?

    package init(connect: Secret?, authorization: Secret?) {
        self.connect = connect
        self.authorization = authorization
    }
}

/// Why there is no tunnel.
package enum TunnelFailure: Equatable {
    /// The forward proxy answered with this status.
    case refused(Int)
    case malformedAnswer
    case system(SystemError)
}

/// A tunnel through a forward proxy (RFC 9110 §9.3.6) that is being opened, ahead of TLS.
package struct Tunnel {
    private let request: Secret
    private var sent = 0
    private var answer = TunnelAnswer()

    package enum Progress: Equatable {
        case open
        case wantsRead
        case wantsWrite
        case failed(TunnelFailure)
    }

    /// - Parameter request: the whole CONNECT request.
    package init(_ request: Secret) {
        self.request = request
    }

    /// Goes on as far as the socket lets it.
    package mutating func advance(_ socket: borrowing Socket) -> Progress {
        while sent < request.count {
            let result = request.withBytes { bytes in
                bytes.withUnsafeBytes { socket.send(UnsafeRawBufferPointer(rebasing: $0[sent...]), more: false) }
            }
            switch result {
            case .bytes(let count): sent += count
            case .wouldBlock, .failed(.notConnected): return .wantsWrite
            case .endOfStream: return .failed(.system(.reset))
            case .failed(let error): return .failed(.system(error))
            }
        }
        return withUnsafeTemporaryAllocation(byteCount: 1_024, alignment: 1) { buffer in
            while true {
                switch socket.receive(into: buffer) {
                case .bytes(let count):
                    switch answer.read(
                        UnsafeRawBufferPointer(rebasing: buffer[..<count]).bindMemory(to: UInt8.self).span)
                    {
                    case .partial: continue
                    case .final(let status): return (200..<300).contains(status) ? .open : .failed(.refused(status))
                    case .malformed: return .failed(.malformedAnswer)
                    }
                case .wouldBlock: return .wantsRead
                case .endOfStream: return .failed(.malformedAnswer)
                case .failed(let error): return .failed(.system(error))
                }
            }
        }
    }
}

/// Reads the head of an answer to CONNECT, byte by byte and without keeping it. A 2xx has no body whatever its fields say
/// (RFC 9110 §9.3.6), and nothing can follow it: in TLS the client speaks first.
struct TunnelAnswer {
    static let mostBytes = 16_384

    enum Progress: Equatable {
        case partial
        case final(status: Int)
        case malformed
    }

    /// Bytes of the head so far.
    private var count = 0
    private var lineCount = 0
    private var status = 0

    mutating func read(_ bytes: Span<UInt8>) -> Progress {
        for at in bytes.indices {
            let byte = bytes[at]
            guard count < Self.mostBytes, isStatusLine(byte) else { return .malformed }
            count += 1
            switch byte {
            case UInt8(ascii: "\r"): continue
            case UInt8(ascii: "\n"):
                guard lineCount == 0 else {
                    lineCount = 0
                    continue
                }
                if status < 200 {
                    self = TunnelAnswer()
                    continue
                }
                // A refusal may have a body, which nobody reads.
                let isAll = at + 1 == bytes.count
                return isAll || status >= 300 ? .final(status: status) : .malformed
            default: lineCount += 1
            }
        }
        return .partial
    }

    /// Whether the byte fits `HTTP/1.x 000`, as far as that goes (RFC 9112 §4).
    private mutating func isStatusLine(_ byte: UInt8) -> Bool {
        switch count {
        case 0..<7:
            let expected: InlineArray<7, UInt8> = [0x48, 0x54, 0x54, 0x50, 0x2f, 0x31, 0x2e]
            return byte == expected[count]
        case 7: return 0x30...0x39 ~= byte
        case 8: return byte == 0x20
        case 9...11:
            guard 0x30...0x39 ~= byte else { return false }
            status = status * 10 + Int(byte - 0x30)
            return count > 9 || byte != 0x30
        case 12: return byte == 0x20 || byte == 0x0d || byte == 0x0a
        default: return true
        }
    }
}
