/// Two blocks of memory that the exchanges of one worker share. What is in them is good until the exchange that put
/// it there returns to the loop.
final class Scratch {
    // Invariant: both blocks live as long as the worker, and only its thread touches them.
    /// What was just received lies at `chunkMargin`.
    private let relay: UnsafeMutableRawBufferPointer
    /// A head being written, with the first bytes of its body behind it.
    let staging: UnsafeMutableRawBufferPointer

    init() {
        relay = .allocate(byteCount: Bounds.relayBytes + 2 * Bounds.chunkMargin, alignment: 64)
        staging = .allocate(byteCount: Bounds.stagingBytes, alignment: 64)
    }

    deinit {
        relay.deallocate()
        staging.deallocate()
    }

    /// Where to receive into.
    var inbound: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: relay[Bounds.chunkMargin..<Bounds.chunkMargin + Bounds.relayBytes])
    }

    /// The first `count` received bytes with the margins that they use.
    /// - Parameters:
    ///   - before: bytes of the margin in front that count as well.
    ///   - after: bytes of the margin behind.
    func framed(_ count: Int, before: Int, after: Int) -> UnsafeMutableRawBufferPointer {
        precondition(before <= Bounds.chunkMargin && after <= Bounds.chunkMargin && count <= Bounds.relayBytes)
        return UnsafeMutableRawBufferPointer(
            rebasing: relay[Bounds.chunkMargin - before..<Bounds.chunkMargin + count + after])
    }
}

extension UnsafeMutableRawBufferPointer {
    /// A part as bytes that a parser takes. The range is checked.
    @inline(__always)
    func bytes(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return UnsafeBufferPointer(
            start: baseAddress?.advanced(by: range.lowerBound).assumingMemoryBound(to: UInt8.self), count: range.count)
    }

    @inline(__always)
    func bytes(_ count: Int) -> UnsafeBufferPointer<UInt8> { bytes(0..<count) }

    @inline(__always)
    func part(_ range: Range<Int>) -> UnsafeMutableRawBufferPointer {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return UnsafeMutableRawBufferPointer(start: baseAddress?.advanced(by: range.lowerBound), count: range.count)
    }
}
