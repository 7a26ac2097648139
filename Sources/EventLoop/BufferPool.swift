internal import Glibc

/// A block of memory that an exchange holds for a while. Its owner gives it back to the pool it came from.
package struct PooledBuffer {
    /// Never nil, so that an optional block, of which an exchange has ten, takes no more room than a block.
    @usableFromInline let address: UnsafeMutableRawPointer
    package let capacity: Int

    fileprivate init(_ block: UnsafeMutableRawBufferPointer) {
        address = block.baseAddress!
        capacity = block.count
    }

    @inlinable
    package var bytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: address, count: capacity) }
}

/// Reusable blocks in a few sizes, for one thread. In steady state nothing is allocated; what a peak
/// needed beyond the kept stock is freed when it comes back.
package struct BufferPool: ~Copyable {
    /// Block sizes in bytes, with how many of each are kept.
    @inline(__always)
    private static func sizes(_ sizeClass: Int) -> (size: Int, kept: Int) {
        switch sizeClass {
        case 0: (128, 1024)
        case 1: (512, 1024)
        case 2: (2_048, 128)
        case 3: (8_192, 32)
        case 4: (16_384, 16)
        case 5: (65_536, 16)
        default: (262_144, 4)
        }
    }
    private static let classCount = 7

    // Invariant: a block is in `stock` or with exactly one owner, never both; `take` hands out whole
    // malloc(3) blocks of at least the asked size, and `give` is called once for each.
    private var stock: [[UnsafeMutableRawBufferPointer]]
    /// Blocks that are with an owner count as held.
    package var memory: MemoryShare

    package init(_ budget: MemoryBudget = MemoryBudget(bytes: .max / 4, shares: 1)) {
        memory = MemoryShare(budget)
        stock = Array(repeating: [], count: Self.classCount)
        for index in stock.indices { stock[index].reserveCapacity(Self.sizes(index).kept) }
    }

    deinit {
        for blocks in stock {
            for block in blocks { block.deallocate() }
        }
    }

    /// The smallest class with blocks of at least so many bytes; -1 when there is none.
    @inline(__always)
    private static func sizeClass(_ bytes: Int) -> Int {
        for sizeClass in 0..<classCount where bytes <= sizes(sizeClass).size { return sizeClass }
        return -1
    }

    /// Whether a block of at least `bytes` bytes is within the budget. `take` gives it in any case.
    package func mayTake(atLeast bytes: Int, for use: MemoryUse) -> Bool {
        let sizeClass = Self.sizeClass(bytes)
        return memory.mayHold(sizeClass >= 0 ? Self.sizes(sizeClass).size : bytes, for: use)
    }

    /// A block of at least `bytes` bytes; larger than the largest class is allowed and never kept.
    package mutating func take(atLeast bytes: Int) -> PooledBuffer {
        let sizeClass = Self.sizeClass(bytes)
        guard sizeClass >= 0 else {
            memory.hold(bytes)
            return PooledBuffer(.allocate(byteCount: bytes, alignment: 16))
        }
        memory.hold(Self.sizes(sizeClass).size)
        let block =
            stock[sizeClass].popLast() ?? .allocate(byteCount: Self.sizes(sizeClass).size, alignment: 16)
        return PooledBuffer(block)
    }

    /// Whether `append` of so many bytes stays within the budget.
    package func mayAppend(_ bytes: Int, to buffer: PooledBuffer, count: Int, for use: MemoryUse) -> Bool {
        count + bytes <= buffer.capacity
            || mayTake(atLeast: max(buffer.capacity * 4, count + bytes), for: use)
    }

    /// Adds bytes behind the first `count` of a block, which is exchanged for a larger one when they do not fit.
    /// - Parameter count: bytes in use; counted up.
    package mutating func append(_ bytes: UnsafeRawBufferPointer, to buffer: inout PooledBuffer, count: inout Int) {
        if count + bytes.count > buffer.capacity {
            let larger = take(atLeast: max(buffer.capacity * 4, count + bytes.count))
            larger.bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count]))
            give(buffer, used: count)
            buffer = larger
        }
        UnsafeMutableRawBufferPointer(rebasing: buffer.bytes[count...]).copyMemory(from: bytes)
        count += bytes.count
    }

    /// Gives a block back. Secrets may have been in it, so what was used of it is wiped.
    /// - Parameter used: bytes from the start that were written.
    package mutating func give(_ buffer: PooledBuffer, used: Int) {
        memory.release(buffer.capacity)
        explicit_bzero(buffer.address, min(used, buffer.capacity))
        // What `take` gave is of a class's size, or larger than all of them.
        let sizeClass = Self.sizeClass(buffer.capacity)
        guard sizeClass >= 0, stock[sizeClass].count < Self.sizes(sizeClass).kept else {
            buffer.bytes.deallocate()
            return
        }
        stock[sizeClass].append(buffer.bytes)
    }
}
