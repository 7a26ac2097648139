internal import Synchronization

/// A bounded queue of bytes from one thread to one other, without locks: whole messages in, bytes out.
package final class ByteRing: @unchecked Sendable {
    // Invariant: positions only grow; bytes in written ..< read + capacity belong to the writer, bytes in
    // read ..< written to the reader. Each position is stored by one thread only, after it has done with the bytes
    // (releasing), and loaded by the other before it touches them (acquiring). Hence @unchecked.
    private let storage: UnsafeMutableRawBufferPointer
    private let written = Atomic<Int>(0)
    private let read = Atomic<Int>(0)

    /// - Parameter capacity: bytes that fit; a power of two.
    package init(capacity: Int) {
        precondition(capacity > 0 && capacity & (capacity - 1) == 0)
        storage = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit {
        storage.deallocate()
    }

    /// Puts a whole message in; for the writing thread.
    /// - Returns: false when it does not fit now.
    package func write(_ message: UnsafeRawBufferPointer) -> Bool {
        let position = written.load(ordering: .relaxed)
        let used = position - read.load(ordering: .acquiring)
        guard message.count <= storage.count - used else { return false }
        let start = position & (storage.count - 1)
        let first = min(message.count, storage.count - start)
        UnsafeMutableRawBufferPointer(rebasing: storage[start..<start + first])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: message[..<first]))
        UnsafeMutableRawBufferPointer(rebasing: storage[..<(message.count - first)])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: message[first...]))
        written.store(position + message.count, ordering: .releasing)
        return true
    }

    /// Takes what is there, as much as fits; for the reading thread.
    /// - Returns: bytes taken.
    package func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let position = read.load(ordering: .relaxed)
        let count = min(written.load(ordering: .acquiring) - position, buffer.count)
        let start = position & (storage.count - 1)
        let first = min(count, storage.count - start)
        UnsafeMutableRawBufferPointer(rebasing: buffer[..<first])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[start..<start + first]))
        UnsafeMutableRawBufferPointer(rebasing: buffer[first..<count])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[..<(count - first)]))
        read.store(position + count, ordering: .releasing)
        return count
    }
}
