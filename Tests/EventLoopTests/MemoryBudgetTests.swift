import Testing

@testable import EventLoop

@Suite struct MemoryBudgetTests {
    /// Bytes that this share may still hold.
    private func room(_ share: borrowing MemoryShare) -> Int {
        var (least, most) = (0, 1_000_000)
        while least < most {
            let middle = (least + most + 1) / 2
            if share.mayHold(middle, for: .request) { least = middle } else { most = middle - 1 }
        }
        return least
    }

    @Test func whatIsHeldIsCountedAndGivenBackWhole() {
        let budget = MemoryBudget(bytes: 1_000_000, shares: 2)
        var share = MemoryShare(budget)
        for size in [1, 5_000, 300_000, 4_096, 7] { share.hold(size) }
        #expect(share.held == 309_104)
        for size in [5_000, 7, 300_000, 1, 4_096] { share.release(size) }
        #expect(share.held == 0)
        // Another share finds nearly all of it.
        let other = MemoryShare(budget)
        #expect(other.mayHold(1_000_000 - 2 * budget.chunk, for: .request) == true)
    }

    @Test func whatOneShareHoldsIsMissingToTheOthers() {
        let budget = MemoryBudget(bytes: 1_000_000, shares: 2)
        var one = MemoryShare(budget)
        let other = MemoryShare(budget)
        one.hold(600_000)
        #expect(other.mayHold(400_001, for: .request) == false)
        #expect(other.mayHold(300_000, for: .request) == true)
        #expect(one.mayHold(400_000 - budget.chunk, for: .request) == true)
    }

    @Test func relayingStopsAtHalfBodiesAtThreeQuartersRequestsAtTheEnd() {
        let budget = MemoryBudget(bytes: 1_000_000, shares: 1)
        let share = MemoryShare(budget)
        #expect(share.mayHold(500_000, for: .relay) == true)
        #expect(share.mayHold(500_001, for: .relay) == false)
        #expect(share.mayHold(750_000, for: .body) == true)
        #expect(share.mayHold(750_001, for: .body) == false)
        #expect(share.mayHold(1_000_000, for: .request) == true)
        #expect(share.mayHold(1_000_001, for: .request) == false)
    }

    @Test func aSizeThatGoesUpAndDownDrawsNothingAnew() {
        let budget = MemoryBudget(bytes: 1_000_000, shares: 1)
        var share = MemoryShare(budget)
        share.hold(budget.chunk)
        let other = MemoryShare(budget)
        var left = room(other)
        for _ in 0..<10 {
            share.hold(1)
            share.release(1)
        }
        share.hold(1)
        #expect(left == 1_000_000 - budget.chunk)
        left = room(other)
        #expect(left == 1_000_000 - 2 * budget.chunk)
        share.release(1)
        left = room(other)
        #expect(left == 1_000_000 - 2 * budget.chunk)
    }

    @Test func aLoweredBudgetHoldsAtOnce() {
        let budget = MemoryBudget(bytes: 1_000_000, shares: 1)
        budget.lower(to: 100_000)
        budget.lower(to: 500_000)
        #expect(budget.bytes == 100_000)
        let share = MemoryShare(budget)
        #expect(share.mayHold(100_001, for: .request) == false)
    }

    @Test func aPoolCountsWhatItHandsOut() {
        let budget = MemoryBudget(bytes: 1_000_000, shares: 1)
        var pool = BufferPool(budget)
        var buffer = pool.take(atLeast: 100)
        #expect(pool.memory.held == 128)
        var count = 0
        [UInt8](repeating: 1, count: 70_000).withUnsafeBytes { pool.append($0, to: &buffer, count: &count) }
        #expect(pool.memory.held == 262_144)
        let large = pool.take(atLeast: 300_000)
        #expect(pool.memory.held == 562_144)
        #expect(pool.mayTake(atLeast: 200_000, for: .body) == false)
        #expect(pool.mayTake(atLeast: 60_000, for: .body) == true)
        pool.give(buffer, used: count)
        pool.give(large, used: 0)
        #expect(pool.memory.held == 0)
    }
}
