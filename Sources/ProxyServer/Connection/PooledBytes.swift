internal import EventLoop

/// Bytes in a pooled block, or no block. Whoever holds it gives the block back.
struct PooledBytes: ~Copyable {
    var buffer: PooledBuffer?
    /// Bytes from the block's start that are in use.
    var count = 0

    /// Adds bytes to a block that there is; a larger one takes its place when they do not fit.
    mutating func append(_ bytes: UnsafeRawBufferPointer, from pool: inout BufferPool) {
        pool.append(bytes, to: &buffer!, count: &count)
    }

    /// Gives the block back, when there is one: most of those that an exchange may hold it never had.
    @inline(__always)
    mutating func release(to pool: inout BufferPool) {
        guard let buffer else { return }
        pool.give(buffer, used: count)
        (self.buffer, count) = (nil, 0)
    }
}
