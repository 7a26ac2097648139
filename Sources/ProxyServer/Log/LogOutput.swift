internal import EventLoop
internal import Glibc
internal import System

/// The log's descriptor, as its one thread writes to it. Lines it does not accept are lost as a whole, and counted:
/// the reader may be gone (`EPIPE`) or the disk full (`ENOSPC`), now and no longer with the next line.
struct LogOutput {
    private static let newline = UInt8(ascii: "\n")

    private let descriptor: CInt
    /// write(2), or a test's.
    private let writeBytes: (UnsafeRawBufferPointer) -> IOResult
    /// What was written last ends in the middle of a line whose rest is lost.
    private var isCutOff = false
    /// What was lost last ends in the middle of a line: its rest is of no use either.
    private var isLosing = false

    /// - Parameter descriptor: written to, never closed.
    init(descriptor: CInt) {
        self.init(descriptor: descriptor) { bytes in
            let count = Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            return count >= 0 ? .bytes(count) : .failed(SystemError(code: errno))
        }
    }

    init(descriptor: CInt, writeBytes: @escaping (UnsafeRawBufferPointer) -> IOResult) {
        self.descriptor = descriptor
        self.writeBytes = writeBytes
    }

    /// Writes all of it; the descriptor may be a pipe that blocks, or one that somebody made non-blocking.
    /// - Parameter bytes: lines; the last one may go on in the next call.
    /// - Returns: how many lines were lost.
    mutating func write(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var rest = bytes
        var lost: UInt64 = 0
        if isLosing {
            guard let end = rest.firstIndex(of: Self.newline) else { return 0 }
            rest = UnsafeRawBufferPointer(rebasing: rest[(end + 1)...])
            isLosing = false
            lost = 1
        }
        if isCutOff, !rest.isEmpty {
            // The broken line must not run into a good one.
            var end = Self.newline
            isCutOff = !withUnsafeBytes(of: &end) { put($0) }.isEmpty
        }
        let left = isCutOff ? rest : put(rest)
        guard !left.isEmpty else { return lost }
        isCutOff = isCutOff || left.count < rest.count && rest[rest.count - left.count - 1] != Self.newline
        isLosing = left.last != Self.newline
        return lost + UInt64(left.count { $0 == Self.newline })
    }

    /// - Returns: what the descriptor did not take.
    private func put(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var rest = bytes
        while !rest.isEmpty {
            switch writeBytes(rest) {
            case .bytes(let count) where count > 0:
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            case .failed(.again):
                // Slow is not gone: what comes meanwhile waits in the rings, and is counted where it finds no room.
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&waiting, 1, 1_000)
            case .failed(.interrupted):
                continue
            case .bytes, .failed, .wouldBlock, .endOfStream:
                return rest
            }
        }
        return rest
    }
}
