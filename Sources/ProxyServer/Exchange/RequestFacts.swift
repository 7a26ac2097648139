internal import AccessPolicy
internal import EventLoop
internal import HTTP1

/// What is known of the request once its head is gone: who asks, by which line, of which host.
struct RequestFacts {
    /// Shown to the client as `X-Request-Id`.
    var id: UInt64 = 0
    /// Where the request comes from: the connection's other end, or whom a trusted proxy says.
    var client = ClientAddress()
    /// Method, path without query, Host, the client's ids and the alias's name, as far as they will be asked for.
    var line: PooledBuffer?
    var methodCount = 0
    var lineCount = 0
    /// The request's Host behind the line.
    var hostCount = 0
    /// The client's own `X-Request-Id` behind that.
    var clientRequestIDCount = 0
    /// Its `traceparent` behind that.
    var traceparentCount = 0
    /// The alias's name behind that.
    var aliasCount = 0
    /// The operation's name behind that.
    var operationCount = 0
    /// Bytes of `line` that are in use.
    var noted: Int {
        lineCount + hostCount + clientRequestIDCount + traceparentCount + aliasCount + operationCount
    }

    /// The request's path without its query, or its beginning.
    var path: UnsafeBufferPointer<UInt8> {
        line?.bytes.bytes(methodCount..<lineCount) ?? UnsafeBufferPointer(start: nil, count: 0)
    }

    /// The request's Host; empty when it had none, or when nobody will ask for it.
    var host: UnsafeBufferPointer<UInt8> {
        line?.bytes.bytes(lineCount..<lineCount + hostCount) ?? UnsafeBufferPointer(start: nil, count: 0)
    }

    /// Where the client's own `X-Request-Id` lies in `line`.
    var clientRequestIDRange: Range<Int> { lineCount + hostCount..<lineCount + hostCount + clientRequestIDCount }

    /// The request holds an alias where none belongs: what the client chose is blanked out, and only its length remains.
    func blot(path: Bool) {
        guard let line else { return }
        let identifiers = lineCount + hostCount
        var ranges = [identifiers..<identifiers + clientRequestIDCount + traceparentCount]
        if path { ranges.append(methodCount..<lineCount) }
        for range in ranges where !range.isEmpty {
            line.bytes.part(range).initializeMemory(as: UInt8.self, repeating: UInt8(ascii: "*"))
        }
    }

    /// Sixteen hexadecimal digits.
    var idText: InlineArray<16, UInt8> {
        InlineArray<16, UInt8> { index in
            let digit = UInt8(truncatingIfNeeded: id >> UInt64(60 - 4 * index) & 0xf)
            return digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
        }
    }
}
