import Foundation
import Synchronization
import System
import Testing

@testable import AccessPolicy

@Suite struct AliasCellTests {
    private func rate(_ text: String) throws -> RateLimit { try #require(RateLimit(text)) }

    /// Runs the same on several threads that begin together.
    private func together(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        let waiting = Atomic<Int>(count)
        withExtendedLifetime(Holder(waiting)) { holder in
            let ended = DispatchGroup()
            for index in 0..<count {
                let thread = Foundation.Thread {
                    holder.waiting.subtract(1, ordering: .acquiringAndReleasing)
                    while holder.waiting.load(ordering: .acquiring) > 0 {}
                    body(index)
                    ended.leave()
                }
                ended.enter()
                thread.start()
            }
            ended.wait()
        }
    }

    private final class Holder: Sendable {
        let waiting: Atomic<Int>
        init(_ waiting: consuming Atomic<Int>) { self.waiting = waiting }
    }

    private final class Counts: Sendable {
        let allowed = Atomic<Int>(0)
        let most = Atomic<Int>(0)
        let flying = Atomic<Int>(0)
        let time = Atomic<UInt64>(1_000_000_000_000)
    }

    @Test func `while time stands still the burst goes through and no more, over eight threads`() throws {
        let rate = try rate("1/m:1000")
        let (cell, counts) = (AliasCell(), Counts())
        together(8) { _ in
            for _ in 0..<1_000 where cell.spend(rate, now: Instant(nanoseconds: 1_000_000_000_000)) == .zero {
                counts.allowed.add(1, ordering: .relaxed)
            }
        }
        #expect(counts.allowed.load(ordering: .relaxed) == 1_000)
    }

    @Test func `while time goes on the rate goes through and no more, over eight threads`() throws {
        let rate = try rate("1000/s:10")
        let (cell, counts) = (AliasCell(), Counts())
        // A thousandth of a second each time that anybody asks: more than is asked for in sum.
        together(8) { _ in
            for _ in 0..<2_000 {
                let now = counts.time.add(250_000, ordering: .relaxed).newValue
                if cell.spend(rate, now: Instant(nanoseconds: now)) == .zero {
                    counts.allowed.add(1, ordering: .relaxed)
                }
            }
        }
        // 16,000 quarters of a millisecond are 4,000 of the rate's milliseconds, and the burst stands before them. A
        // thread that was overtaken asks with a time of before and may be refused; nobody goes through twice for it.
        let allowed = counts.allowed.load(ordering: .relaxed)
        #expect(allowed <= 4_010 && allowed >= 3_600, "\(allowed)")
    }

    @Test func `one after the other it is exact to the nanosecond`() throws {
        let rate = try rate("4/s:2")
        let cell = AliasCell()
        func spend(_ now: UInt64) -> UInt64 { cell.spend(rate, now: Instant(nanoseconds: now)).nanoseconds }
        #expect(spend(1_000) == 0)
        #expect(spend(1_000) == 0)
        #expect(spend(1_000) == 250_000_000)
        #expect(spend(250_000_999) == 1)
        #expect(spend(250_001_000) == 0)
        // After a rest the whole burst is there again, and not more.
        #expect(spend(9_000_000_000) == 0)
        #expect(spend(9_000_000_000) == 0)
        #expect(spend(9_000_000_000) == 250_000_000)
    }

    @Test func `never more are in flight than are allowed, over eight threads, and all are counted out`() {
        let (cell, counts) = (AliasCell(), Counts())
        together(8) { _ in
            for _ in 0..<20_000 where cell.enter(most: 3) {
                let now = counts.flying.add(1, ordering: .sequentiallyConsistent).newValue
                counts.most.max(now, ordering: .relaxed)
                counts.allowed.add(1, ordering: .relaxed)
                counts.flying.subtract(1, ordering: .sequentiallyConsistent)
                cell.leave()
            }
        }
        #expect(counts.most.load(ordering: .relaxed) <= 3 && counts.allowed.load(ordering: .relaxed) > 0)
        #expect(cell.enter(most: 3) && cell.enter(most: 3) && cell.enter(most: 3) && !cell.enter(most: 3))
    }

    @Test func `counts are kept by name over a reload, and for those that have a limit only`() throws {
        func load(_ text: String, after old: RightsInForce? = nil) throws -> RightsInForce {
            try #require(
                RightsInForce(
                    try AliasTable(try parseAliasFile(text), rules: AliasRules(policy: .builtIn, now: 0)), after: old))
        }
        let old = try load("a sap_1 mcp rate=1/s\nb sap_2 mcp concurrency=1\nc sap_3 mcp\n")
        #expect(old.cell(of: 2) == nil)
        let new = try load("b sap_2 mcp concurrency=1\nd sap_4 mcp rate=1/s\na sap_1 full rate=2/s\n", after: old)
        #expect(new.cell(of: 0) === old.cell(of: 1) && new.cell(of: 2) === old.cell(of: 0))
        #expect(new.cell(of: 1) != nil && new.cell(of: 1) !== old.cell(of: 0))
    }
}
