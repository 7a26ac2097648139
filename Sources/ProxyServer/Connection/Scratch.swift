internal import HTTP1

/// Two blocks of memory that the exchanges of one worker share. What is in them is good until the exchange that put
/// it there returns to the loop.
final class Scratch {
    // Invariant: both blocks live as long as the worker, and only its thread touches them.
    /// What was just received lies at `chunkMargin`.
    private let relay: UnsafeMutableRawBufferPointer
    /// A head being written, with the first bytes of its body behind it; or what was just inflated, at `chunkMargin`.
    private let staged: UnsafeMutableRawBufferPointer
    /// How often `staging` was written anew.
    private var writings: UInt64 = 0

    init() {
        relay = .allocate(byteCount: Bounds.widestRelayBytes + 2 * Bounds.chunkMargin, alignment: 64)
        staged = .allocate(byteCount: Bounds.stagingBytes, alignment: 64)
    }

    deinit {
        relay.deallocate()
        staged.deallocate()
    }

    // MARK: Staging

    /// Where to write a head, or anything else that is sent at once. What was staged before is nobody's any more.
    func beginStaging() -> UnsafeMutableRawBufferPointer {
        writings &+= 1
        return staged
    }

    /// The first `count` bytes of the staging buffer, which now wait to be sent.
    func stage(_ count: Int) -> StagedBytes {
        precondition(count <= staged.count)
        return StagedBytes(count: count, writing: writings)
    }

    /// What is staged. Valid until something else is.
    func bytes(of bytes: borrowing StagedBytes) -> UnsafeRawBufferPointer {
        precondition(bytes.writing == writings, "staged bytes were overwritten")
        return UnsafeRawBufferPointer(staged.part(0..<bytes.count))
    }

    /// The rest of the staging buffer.
    func room(behind bytes: borrowing StagedBytes) -> UnsafeMutableRawBufferPointer {
        precondition(bytes.writing == writings, "staged bytes were overwritten")
        return staged.part(bytes.count..<Bounds.stagingBytes)
    }

    // MARK: Received and inflated

    /// Where to receive into.
    var inbound: UnsafeMutableRawBufferPointer { inbound(Bounds.relayBytes) }
    /// Where to inflate into.
    var inflated: UnsafeMutableRawBufferPointer {
        beginStaging().part(Bounds.chunkMargin..<Bounds.chunkMargin + Bounds.relayBytes)
    }

    /// Where to receive up to `window` bytes of a long body into.
    func inbound(_ window: Int) -> UnsafeMutableRawBufferPointer {
        relay.part(Bounds.chunkMargin..<Bounds.chunkMargin + window)
    }

    /// The first `payload` bytes of `inbound` as they go on.
    func framedInbound(_ payload: Int, isChunked: Bool, isLast: Bool) -> UnsafeRawBufferPointer {
        frame(relay, payload, isChunked: isChunked, isLast: isLast)
    }

    /// The first `payload` bytes of `inflated` as they go on.
    func framedInflated(_ payload: Int, isChunked: Bool, isLast: Bool) -> UnsafeRawBufferPointer {
        frame(staged, payload, isChunked: isChunked, isLast: isLast)
    }

    /// As they are, or with their chunk framing in the margins around them (RFC 9112 §7.1).
    private func frame(
        _ block: UnsafeMutableRawBufferPointer, _ payload: Int, isChunked: Bool, isLast: Bool
    ) -> UnsafeRawBufferPointer {
        precondition(payload <= block.count - 2 * Bounds.chunkMargin)
        let end = Bounds.chunkMargin + payload
        guard isChunked else { return UnsafeRawBufferPointer(block.part(Bounds.chunkMargin..<end)) }
        var start = Bounds.chunkMargin
        if payload > 0 {
            // Written at the margin's start, then moved up to the payload.
            var header = HeadWriter(block.part(0..<Bounds.chunkMargin))
            header.appendChunkHeader(payload)
            start -= header.count
            block.part(start..<Bounds.chunkMargin).copyMemory(
                from: UnsafeRawBufferPointer(block.part(0..<header.count)))
        }
        var tail = HeadWriter(block.part(end..<end + Bounds.chunkMargin))
        if payload > 0 { tail.append(ChunkedCoding.chunkEnd) }
        if isLast { tail.append(ChunkedCoding.lastChunk) }
        return UnsafeRawBufferPointer(block.part(start..<end + tail.count))
    }
}

/// Bytes of the staging buffer that wait to be sent, within one iteration. They cannot be copied: who wrote them hands them to who
/// sends them, and they go out once, for the exchange that they were written for.
struct StagedBytes: ~Copyable {
    fileprivate(set) var count: Int
    /// Which writing of the buffer they are of.
    fileprivate let writing: UInt64

    /// Counts in bytes that were written behind them.
    mutating func extend(by bytes: Int) {
        count += bytes
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
