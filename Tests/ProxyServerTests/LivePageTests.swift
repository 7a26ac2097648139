import AccessPolicy
import System
import Testing

@testable import ProxyServer

/// What the live page keeps and how it shows it, by a clock of the test's own.
@Suite struct LivePageTests {
    /// The beginning of a slot.
    private static func slot(_ number: Int) -> Instant { .distantPast + RequestHistory.slot * number }

    @Test func aSlotIsForgottenAfterAQuarterOfAnHour() {
        var history = RequestHistory()
        let start = 1_000
        for second in 0..<10 { history.record(at: Self.slot(start) + .seconds(UInt64(second)), statusClass: 2) }
        history.record(at: Self.slot(start + 1), statusClass: 5)
        var slots = history.slots(until: Self.slot(start + 1))
        #expect(slots.count == 90 && slots[88] == [0, 0, 10, 0, 0, 0] && slots[89] == [0, 0, 0, 0, 0, 1])
        // Nothing was recorded since: the same slots are further back.
        slots = history.slots(until: Self.slot(start + 89))
        #expect(slots[0][2] == 10 && slots[1][5] == 1)
        slots = history.slots(until: Self.slot(start + 90))
        #expect(slots[0][5] == 1 && slots[1...].allSatisfy { $0.reduce(0, +) == 0 })
        // The place of an old slot is taken by a new one.
        history.record(at: Self.slot(start + 90), statusClass: 4)
        #expect(history.slots(until: Self.slot(start + 90)).map { $0.reduce(0, +) }.reduce(0, +) == 2)
        history.record(at: Self.slot(start + 10_000), statusClass: 4)
        #expect(history.slots(until: Self.slot(start + 10_000)).map { $0.reduce(0, +) }.reduce(0, +) == 1)
    }

    @Test func theHistoriesOfWorkersAreAddedByTheClock() {
        var (one, other) = (RequestHistory(), RequestHistory())
        one.record(at: Self.slot(500), statusClass: 2)
        other.record(at: Self.slot(502), statusClass: 2)
        var (sum, reversed) = (one, other)
        sum.add(other)
        reversed.add(one)
        for all in [sum, reversed] {
            let slots = all.slots(until: Self.slot(502))
            #expect(slots[87][2] == 1 && slots[89][2] == 1 && slots.map { $0[2] }.reduce(0, +) == 2)
        }
    }

    @Test func quantilesLieWithinTheirBuckets() {
        var histogram = Histogram()
        #expect(histogram.quantile(0.5) == nil)
        for _ in 0..<98 { histogram.record(.nanoseconds(3_000_000)) }
        let before = histogram
        for _ in 0..<2 { histogram.record(.nanoseconds(40_000_000_000)) }
        #expect((2_500_000...5_000_000).contains(histogram.quantile(0.5)?.nanoseconds ?? 0))
        #expect(histogram.quantile(0.99) == .seconds(30))
        #expect(histogram.since(before).count == 2 && histogram.since(before).quantile(0.5) == .seconds(30))
    }

    @Test func figuresAreShort() {
        #expect(
            LiveText.duration(.nanoseconds(1_549_999)) == "1.5 ms"
                && LiveText.duration(.nanoseconds(2_000_000)) == "2 ms")
        #expect(LiveText.duration(.nanoseconds(61_000_000_000)) == "1 min" && LiveText.duration(nil) == "–")
        #expect(LiveText.age(.nanoseconds(999_999_999)) == "0 s" && LiveText.age(.nanoseconds(1_700_000_000)) == "1 s")
        #expect(LiveText.rate(0.25) == "0.3" && LiveText.rate(12) == "12" && LiveText.rate(1_234.5) == "1234")
        #expect(LiveText.hexadecimal(0xab) == "00000000000000ab")
        #expect(LiveText.path([0, 5, 10], most: 10) == "M0 98L10 50L20 2")
        #expect(escapedForHTML("<a href=\"x\">&'") == "&lt;a href=&quot;x&quot;&gt;&amp;&#39;")
    }

    @Test func fiftyFailuresAreKeptTheLatestFirst() {
        var counters = Counters()
        for number in 1...120 {
            var record = AccessRecord(id: UInt64(number), acceptedAt: .distantPast)
            record.endedAt = Instant(nanoseconds: UInt64(number))
            record.status = number % 2 == 0 ? 502 : 200
            counters.count(record)
        }
        var sum = Counters()
        sum.add(counters)
        let latest: [UInt64] = stride(from: 120, through: 22, by: -2).map { UInt64($0) }
        #expect(sum.failures.latestFirst.map(\.id) == latest)
        #expect(sum.failures.latestFirst.allSatisfy { "\($0.cause)" == "upstream_error" })
    }

    @Test func theUpstreamIsSilentUntilItAnswersAndAfterTwoMissedProbes() {
        func at(_ seconds: UInt64) -> Instant { .distantPast + .seconds(seconds) }
        var pulse = UpstreamPulse()
        func look(answers: UInt64, errors: UInt64, now: Instant) -> Bool {
            pulse.look(answers: answers, errors: errors, now: now)
        }
        #expect(pulse.isSilent(now: .distantPast))
        // No traffic: a probe is due. Its answer counts for 12 s.
        #expect(look(answers: 0, errors: 0, now: at(100)) == true)
        pulse.answered(now: at(100))
        #expect(!pulse.isSilent(now: at(112)) && pulse.isSilent(now: at(113)))
        // An answer to a client makes the probe unnecessary.
        #expect(look(answers: 1, errors: 0, now: at(200)) == false)
        #expect(!pulse.isSilent(now: at(205)))
        // Answers of 5xx alone do not.
        #expect(look(answers: 3, errors: 2, now: at(210)) == true)
        #expect(pulse.isSilent(now: at(213)))
        #expect(look(answers: 5, errors: 3, now: at(215)) == false)
    }
}
