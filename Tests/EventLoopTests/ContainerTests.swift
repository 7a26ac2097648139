import Glibc
import Synchronization
import System
import Testing

@testable import EventLoop

private final class Holder {
    let slot: Int

    init(slot: Int) {
        self.slot = slot
    }
}

@Suite struct SlabTests {
    private func acquire(_ slab: inout Slab<Holder>) throws -> (element: Holder, slot: Int, generation: UInt32) {
        let taken = slab.acquire()
        return try #require(taken)
    }

    @Test func aTokenOfAFormerTenancyFindsNobody() throws {
        var slab = Slab { Holder(slot: $0) }
        let first = try acquire(&slab)
        let token = EventToken(generation: first.generation, slot: first.slot, side: 1)
        #expect(slab.element(for: token) === first.element)
        slab.release(slot: first.slot)
        #expect(slab.element(for: token) == nil)
        let second = try acquire(&slab)
        #expect(second.element === first.element && second.slot == first.slot)
        #expect(slab.element(for: token) == nil)
        #expect(slab.element(for: EventToken(generation: second.generation, slot: second.slot, side: 0)) != nil)
    }

    @Test func countsWhatIsInUseAndReusesBeforeItGrows() throws {
        var slab = Slab { Holder(slot: $0) }
        for expected in 0..<100 { #expect(try acquire(&slab).slot == expected) }
        #expect(slab.count == 100 && slab.slots == 100)
        for slot in 0..<50 { slab.release(slot: slot) }
        #expect(slab.count == 50)
        var reused: Set<Int> = []
        for _ in 0..<50 { reused.insert(try acquire(&slab).slot) }
        #expect(reused == Set(0..<50) && slab.slots == 100)
    }

    @Test func aSlotThatDoesNotExistIsNobodys() {
        let slab = Slab { Holder(slot: $0) }
        #expect(slab.element(for: EventToken(generation: 0, slot: 7, side: 0)) == nil)
    }
}

@Suite struct EventTokenTests {
    @Test func keepsItsThreePartsApart() {
        for generation in [UInt32(0), 1, .max] {
            for slot in [0, 1, 255, 256, 0xff_ffff] {
                for side in [UInt8(0), 1, 255] {
                    let token = EventToken(generation: generation, slot: slot, side: side)
                    #expect((token.generation, token.slot, token.side) == (generation, slot, side))
                    #expect(EventToken(raw: token.raw) == token)
                }
            }
        }
    }
}

@Suite struct MailboxTests {
    private func isReadable(_ fd: CInt) -> Bool {
        var entry = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) == 1
    }

    @Test func givesAllInOrderAndIsReadableOnlyUntilThen() throws {
        let mailbox = try Mailbox<Int>()
        #expect(!isReadable(mailbox.descriptor))
        for number in 0..<5 { mailbox.post(number) }
        #expect(isReadable(mailbox.descriptor))
        #expect(mailbox.takeAll() == [0, 1, 2, 3, 4])
        #expect(!isReadable(mailbox.descriptor))
        #expect(mailbox.takeAll().isEmpty)
        mailbox.post(9)
        #expect(isReadable(mailbox.descriptor))
    }

    @Test func noMessageOfManyThreadsIsLostOrLeftWithoutASignal() throws {
        let mailbox = try Mailbox<Int>()
        let threads = try (0..<4).map { thread in
            try Thread(name: "post-\(thread)") { for number in 0..<5_000 { mailbox.post(thread * 5_000 + number) } }
        }
        var seen: [Int] = []
        while seen.count < 20_000 {
            var entry = pollfd(fd: mailbox.descriptor, events: Int16(POLLIN), revents: 0)
            try #require(poll(&entry, 1, 5_000) == 1, "messages without a signal")
            seen += mailbox.takeAll()
        }
        for thread in threads { thread.join() }
        #expect(Set(seen).count == 20_000)
        for thread in 0..<4 {
            let own = seen.filter { $0 / 5_000 == thread }
            #expect(own == own.sorted())
        }
    }
}

@Suite struct BufferPoolTests {
    @Test func givesAtLeastWhatWasAskedFor() {
        var pool = BufferPool()
        for size in [0, 1, 128, 129, 2_048, 65_536, 65_537, 262_144, 262_145, 1_000_000] {
            let buffer = pool.take(atLeast: size)
            #expect(buffer.capacity >= size)
            pool.give(buffer, used: size)
        }
    }

    @Test func whatWasUsedIsWipedBeforeTheNextOwnerSeesIt() {
        var pool = BufferPool()
        let first = pool.take(atLeast: 512)
        first.bytes.initializeMemory(as: UInt8.self, repeating: 0x73)
        pool.give(first, used: 512)
        let second = pool.take(atLeast: 512)
        #expect(second.bytes.baseAddress == first.bytes.baseAddress)
        #expect(second.bytes.allSatisfy { $0 == 0 })
        pool.give(second, used: 0)
    }

    @Test func appendingKeepsWhatIsThereAcrossLargerBlocks() {
        var pool = BufferPool()
        var buffer = pool.take(atLeast: 100)
        var count = 0
        var expected: [UInt8] = []
        for step in 0..<200 {
            let piece = [UInt8](repeating: UInt8(step), count: step * 13 % 3_000)
            piece.withUnsafeBytes { pool.append($0, to: &buffer, count: &count) }
            expected += piece
        }
        #expect(count == expected.count && Array(buffer.bytes[..<count]) == expected)
        pool.give(buffer, used: count)
    }

    @Test func noBlockHasTwoOwners() {
        var pool = BufferPool()
        var owned: [PooledBuffer] = []
        for round in 0..<5_000 {
            if owned.count > 300 || (!owned.isEmpty && round % 3 == 0) {
                pool.give(owned.remove(at: round % owned.count), used: 4)
            } else {
                owned.append(pool.take(atLeast: [1, 300, 5_000, 70_000, 300_000][round % 5]))
            }
            #expect(Set(owned.map { $0.bytes.baseAddress! }).count == owned.count)
        }
        for buffer in owned { pool.give(buffer, used: 0) }
    }
}

@Suite struct ByteRingTests {
    private func read(_ ring: ByteRing, _ most: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: most) { buffer, count in
            count = ring.read(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    @Test func takesWholeMessagesOnly() {
        let ring = ByteRing(capacity: 16)
        func write(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { ring.write($0) } }
        #expect(write(Array(1...10)))
        #expect(!write(Array(1...7)))
        #expect(write([]))
        #expect(write(Array(11...16)))
        #expect(!write([0]))
        #expect(read(ring, 4) == [1, 2, 3, 4])
        // Over the end of the storage.
        #expect(write([17, 18, 19, 20]))
        #expect(read(ring, 100) == Array(5...20))
        #expect(read(ring, 100).isEmpty)
        #expect(!write([UInt8](repeating: 0, count: 17)))
    }

    @Test func twoThreadsSeeTheSameBytesInTheSameOrder() throws {
        let ring = ByteRing(capacity: 256)
        let total = 300_000
        let writer = try Thread(name: "write") {
            var sent = 0
            while sent < total {
                let count = min(1 + sent % 61, total - sent)
                let message = (0..<count).map { UInt8(truncatingIfNeeded: (sent + $0) &* 31) }
                if message.withUnsafeBytes({ ring.write($0) }) { sent += count } else { sched_yield() }
            }
        }
        var received = 0
        while received < total {
            let bytes = read(ring, 1 + received % 97)
            if bytes.isEmpty { sched_yield() }
            let isRight = bytes.indices.allSatisfy { bytes[$0] == UInt8(truncatingIfNeeded: (received + $0) &* 31) }
            #expect(isRight)
            guard isRight else { break }
            received += bytes.count
        }
        writer.join()
    }
}
