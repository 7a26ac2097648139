import System
import Testing

@testable import EventLoop

private let tick = UInt64(1) << TimerWheel.tickShift
private let second: UInt64 = 1_000_000_000
private func at(_ nanoseconds: UInt64) -> Instant { Instant(nanoseconds: nanoseconds) }

/// All slots that are due, in the order in which they come.
private func expired(_ wheel: inout TimerWheel, _ now: UInt64) -> [Int] {
    var slots: [Int] = []
    while let slot = wheel.popExpired(now: at(now)) { slots.append(slot) }
    return slots
}

@Suite struct TimerWheelTests {
    @Test func firesNeverEarlyAndAtMostTwoTicksLate() {
        for start in [UInt64(0), 1, tick - 1, tick, 1_000 * second + 7] {
            for delay in [UInt64(0), 1, tick - 1, tick, tick + 1, 50_000_000, 8 * second, 9 * second, 3_600 * second] {
                var wheel = TimerWheel(now: at(start))
                let deadline = start + delay
                wheel.arm(slot: 3, at: at(deadline))
                if deadline > 0 { #expect(expired(&wheel, deadline - 1).isEmpty, "\(start) + \(delay)") }
                #expect(expired(&wheel, deadline + 2 * tick) == [3], "\(start) + \(delay)")
                #expect(wheel.count == 0)
            }
        }
    }

    @Test func aTimerMoreThanATurnAheadOutlivesTheTurnsBeforeIt() {
        var wheel = TimerWheel(now: at(0))
        wheel.arm(slot: 0, at: at(25 * second))
        var now: UInt64 = 0
        while now < 25 * second {
            let early = expired(&wheel, now)
            #expect(early.isEmpty, "at \(now)")
            now += 3 * tick
        }
        #expect(expired(&wheel, 25 * second + tick) == [0])
    }

    @Test func aLongPauseOfTheLoopLosesNothing() {
        var wheel = TimerWheel(now: at(0))
        for slot in 0..<2_000 { wheel.arm(slot: slot, at: at(UInt64(slot) * 37_000_000)) }
        wheel.arm(slot: 2_000, at: at(1_000_000 * second))
        #expect(expired(&wheel, 100_000 * second).sorted() == Array(0..<2_000))
        #expect(wheel.count == 1)
        #expect(expired(&wheel, 1_000_001 * second) == [2_000])
    }

    @Test func armingAgainReplacesAndDisarmingRemoves() {
        var wheel = TimerWheel(now: at(0))
        wheel.arm(slot: 5, at: at(second))
        wheel.arm(slot: 5, at: at(20 * second))
        wheel.arm(slot: 6, at: at(second))
        wheel.disarm(slot: 6)
        wheel.disarm(slot: 6)
        wheel.disarm(slot: 99_999)
        #expect(wheel.count == 1)
        let early = expired(&wheel, 2 * second)
        #expect(early.isEmpty)
        wheel.arm(slot: 5, at: at(3 * second))
        #expect(expired(&wheel, 4 * second) == [5])
        #expect(wheel.timeoutMilliseconds(now: at(4 * second)) == -1)
    }

    @Test func agreesWithAListOfDeadlinesWhateverHappens() {
        var random = SystemRandomNumberGenerator()
        var now: UInt64 = 77 * second
        var wheel = TimerWheel(now: at(now))
        var deadlines: [Int: UInt64] = [:]
        for _ in 0..<20_000 {
            let slot = Int.random(in: 0..<200, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                let deadline = now + UInt64.random(in: 0...(30 * second), using: &random)
                wheel.arm(slot: slot, at: at(deadline))
                deadlines[slot] = deadline
            case 2:
                wheel.disarm(slot: slot)
                deadlines[slot] = nil
            default:
                now += UInt64.random(in: 0...(second / 2), using: &random)
                for slot in expired(&wheel, now) {
                    let deadline = deadlines.removeValue(forKey: slot)
                    #expect(deadline.map { $0 <= now } == true, "slot \(slot) fired early or was not armed")
                }
                #expect(deadlines.values.allSatisfy { $0 + 2 * tick > now }, "a timer was passed over")
            }
            #expect(wheel.count == deadlines.count)
        }
    }

    /// Handlers arm and disarm between the pops, and a loop with a budget stops in the middle of a bucket.
    @Test func changesWhileTheDueOnesAreTakenAreNotMissed() {
        var random = SystemRandomNumberGenerator()
        var now: UInt64 = 77 * second
        var wheel = TimerWheel(now: at(now))
        var deadlines: [Int: UInt64] = [:]
        for _ in 0..<5_000 {
            now += UInt64.random(in: 0...(5 * second), using: &random)
            let budget = Int.random(in: 0...60, using: &random)
            var popped = 0
            while popped < budget, let slot = wheel.popExpired(now: at(now)) {
                popped += 1
                let deadline = deadlines.removeValue(forKey: slot)
                #expect(deadline.map { $0 <= now } == true, "slot \(slot) fired early or was not armed")
                for _ in 0..<Int.random(in: 0...2, using: &random) {
                    let other = Int.random(in: 0..<100, using: &random)
                    // Many share a bucket, in this turn of the wheel and in the next ones.
                    let ahead = UInt64.random(in: 0...3, using: &random) * 512 * tick
                    // One that has passed already is due at once.
                    wheel.arm(slot: other, at: at(ahead == 0 ? now - 4 * second : now + ahead))
                    deadlines[other] = now + ahead
                }
                let gone = Int.random(in: 0..<100, using: &random)
                wheel.disarm(slot: gone)
                deadlines[gone] = nil
            }
            if popped < budget {
                #expect(deadlines.values.allSatisfy { $0 + 2 * tick > now }, "a timer was passed over")
            }
            #expect(wheel.count == deadlines.count)
            if deadlines.count < 20 {
                for slot in 0..<100 where deadlines[slot] == nil {
                    deadlines[slot] = now + UInt64.random(in: 0...40, using: &random) * 256 * tick
                    wheel.arm(slot: slot, at: at(deadlines[slot]!))
                }
            }
        }
    }

    @Test func theTimeoutNeverSleepsPastATimer() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let start = UInt64.random(in: 0...(1_000 * second), using: &random)
            var wheel = TimerWheel(now: at(start))
            let deadlines = (0..<5).map { _ in start + UInt64.random(in: 0...(20 * second), using: &random) }
            for (slot, deadline) in deadlines.enumerated() { wheel.arm(slot: slot, at: at(deadline)) }
            // Sleeping as told again and again finds the first timer in time, and without spinning.
            var now = start
            var turns = 0
            while wheel.count == 5 {
                let timeout = wheel.timeoutMilliseconds(now: at(now))
                #expect(timeout >= 0 && timeout <= 8_700)
                now += UInt64(timeout) * 1_000_000
                _ = expired(&wheel, now)
                turns += 1
                guard turns < 50 else { break }
            }
            #expect(turns < 50)
            #expect(now <= deadlines.min()! + 3 * tick)
        }
    }

    @Test func anArmedPastDeadlineIsDueInTheNextTickAndNotInTheSame() {
        var wheel = TimerWheel(now: at(10 * second))
        wheel.arm(slot: 0, at: at(1))
        let early = expired(&wheel, 10 * second)
        #expect(early.isEmpty)
        #expect(expired(&wheel, 10 * second + tick) == [0])
    }
}
