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

    // What is computed is inlined: a call would be handed a copy of all the bytes.

    /// Bytes of `line` that are in use.
    @inline(__always)
    var noted: Int {
        lineCount + hostCount + clientRequestIDCount + traceparentCount + aliasCount + operationCount
    }

    /// The request's path without its query, or its beginning.
    @inline(__always)
    var path: UnsafeBufferPointer<UInt8> {
        line?.bytes.bytes(methodCount..<lineCount) ?? UnsafeBufferPointer(start: nil, count: 0)
    }

    /// The request's Host; empty when it had none, or when nobody will ask for it.
    @inline(__always)
    var host: UnsafeBufferPointer<UInt8> {
        line?.bytes.bytes(lineCount..<lineCount + hostCount) ?? UnsafeBufferPointer(start: nil, count: 0)
    }

    /// Where the client's own `X-Request-Id` lies in `line`.
    @inline(__always)
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
    @inline(__always)
    var idText: InlineArray<16, UInt8> { Self.text(of: id) }

    private static func text(of id: UInt64) -> InlineArray<16, UInt8> {
        let first = hexadecimal(UInt32(truncatingIfNeeded: id >> 32))
        let last = hexadecimal(UInt32(truncatingIfNeeded: id))
        return InlineArray<16, UInt8> { UInt8(truncatingIfNeeded: ($0 < 8 ? first : last) >> UInt64(8 * ($0 & 7))) }
    }

    /// Eight digits, the first in the lowest byte.
    private static func hexadecimal(_ value: UInt32) -> UInt64 {
        // Each half of what is in one place moves to a place of its own: halves, bytes, digits.
        var word = UInt64(value.byteSwapped)
        word = (word | word << 16) & 0x0000_ffff_0000_ffff
        word = (word | word << 8) & 0x00ff_00ff_00ff_00ff
        word = (word >> 4 | word << 8) & 0x0f0f_0f0f_0f0f_0f0f
        // What is above nine becomes a letter: 39 is the way from behind `9` to `a`.
        let letters = (word &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return word &+ 0x3030_3030_3030_3030 &+ letters &* 39
    }
}
