internal import EventLoop

/// Bytes that are on their way to a socket which did not take them yet.
struct WriteBuffer: ~Copyable {
    private var buffer: PooledBuffer?
    private var start = 0
    private var end = 0

    @inline(__always)
    var isEmpty: Bool { start == end }
    @inline(__always)
    var count: Int { end - start }

    /// The bytes that are left. Valid until the write buffer changes.
    var bytes: UnsafeRawBufferPointer {
        guard let buffer else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(rebasing: buffer.bytes[start..<end])
    }

    /// Makes room for `count` bytes behind those that are there.
    mutating func reserve(_ count: Int, from pool: inout BufferPool) {
        let larger = pool.take(atLeast: self.count + count)
        let rest = bytes
        if !rest.isEmpty { larger.bytes.copyMemory(from: rest) }
        release(to: &pool)
        (buffer, end) = (larger, rest.count)
    }

    /// Adds bytes; `reserve` must have made room for them.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        buffer!.bytes[end...].copyMemory(from: bytes, count: bytes.count)
        end += bytes.count
    }

    mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Takes over what a send left, behind what earlier ones did.
    mutating func store(_ bytes: UnsafeRawBufferPointer, from pool: inout BufferPool) {
        reserve(bytes.count, from: &pool)
        append(bytes)
    }

    mutating func consume(_ count: Int) {
        precondition(count <= self.count)
        start += count
    }

    /// Gives the memory back, and forgets what is left.
    mutating func release(to pool: inout BufferPool) {
        if let buffer { pool.give(buffer, used: end) }
        buffer = nil
        start = 0
        end = 0
    }
}

extension Slice where Base == UnsafeMutableRawBufferPointer {
    /// Copies `count` bytes to the slice's start; they must fit.
    fileprivate func copyMemory(from source: UnsafeRawBufferPointer, count: Int) {
        UnsafeMutableRawBufferPointer(rebasing: self[startIndex..<startIndex + count]).copyMemory(from: source)
    }
}
