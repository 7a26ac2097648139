/// Request ids that cannot be told from one another's: SipHash-2-4 of a count, under a key of this worker's own.
///
/// An id is shown to clients and stands in the log; one that could be computed from another would let a client name
/// somebody else's request.
struct RequestIDs {
    private let key0: UInt64
    private let key1: UInt64
    private var count: UInt64 = 0

    init(key0: UInt64, key1: UInt64) {
        (self.key0, self.key1) = (key0, key1)
    }

    mutating func next() -> UInt64 {
        count &+= 1
        return Self.sipHash24(count, key0, key1)
    }

    /// SipHash-2-4 of the eight bytes of a number, least significant first.
    static func sipHash24(_ message: UInt64, _ key0: UInt64, _ key1: UInt64) -> UInt64 {
        var v0 = key0 ^ 0x736f_6d65_7073_6575
        var v1 = key1 ^ 0x646f_7261_6e64_6f6d
        var v2 = key0 ^ 0x6c79_6765_6e65_7261
        var v3 = key1 ^ 0x7465_6462_7974_6573

        func rotated(_ word: UInt64, _ bits: UInt64) -> UInt64 { word << bits | word >> (64 - bits) }
        func round() {
            v0 = v0 &+ v1
            v1 = rotated(v1, 13) ^ v0
            v0 = rotated(v0, 32)
            v2 = v2 &+ v3
            v3 = rotated(v3, 16) ^ v2
            v0 = v0 &+ v3
            v3 = rotated(v3, 21) ^ v0
            v2 = v2 &+ v1
            v1 = rotated(v1, 17) ^ v2
            v2 = rotated(v2, 32)
        }
        func absorb(_ block: UInt64) {
            v3 ^= block
            round()
            round()
            v0 ^= block
        }
        absorb(message)
        // The last block is the message's length alone.
        absorb(8 << 56)
        v2 ^= 0xff
        for _ in 0..<4 { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }
}
