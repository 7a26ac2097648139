import System
import Testing

@testable import ProxyServer

struct HistogramTests {
    @Test("A duration at a bound is in that bound's bucket, one above it in the next")
    func bounds() {
        for index in Histogram.bounds.indices {
            var histogram = Histogram()
            histogram.record(.nanoseconds(Histogram.bounds[index]))
            #expect(histogram.buckets[index] == 1)
            histogram.record(.nanoseconds(Histogram.bounds[index] + 1))
            #expect(histogram.buckets[index + 1] == 1)
            #expect(histogram.count == 2)
        }
    }

    @Test func boundsGrow() {
        for index in Histogram.bounds.indices.dropFirst() {
            #expect(Histogram.bounds[index - 1] < Histogram.bounds[index])
        }
    }

    @Test func extremes() {
        let longest = UInt64.max / 2
        var histogram = Histogram()
        histogram.record(.nanoseconds(0))
        histogram.record(.nanoseconds(longest))
        #expect(histogram.buckets[0] == 1)
        #expect(histogram.buckets[15] == 1)
        #expect(histogram.sum == longest)
    }

    @Test func sumOfTwo() {
        var one = Histogram()
        var other = Histogram()
        one.record(.nanoseconds(600_000))
        other.record(.nanoseconds(600_000))
        other.record(.nanoseconds(70_000_000_000))
        one.add(other)
        #expect(one.buckets[1] == 2)
        #expect(one.buckets[15] == 1)
        #expect(one.sum == 70_001_200_000)
    }
}

struct ExpositionTests {
    private func text(_ body: (inout Exposition) -> Void) -> String {
        var exposition = Exposition()
        body(&exposition)
        return String(decoding: exposition.text, as: UTF8.self)
    }

    @Test func aFamilyWithAndWithoutLabels() {
        let written = text {
            $0.family("a_total", .counter, "What it is.")
            $0.sample(7)
            $0.sample(8, [("one", "1"), ("two", "2")])
        }
        #expect(
            written == "# HELP a_total What it is.\n# TYPE a_total counter\na_total 7\na_total{one=\"1\",two=\"2\"} 8\n"
        )
    }

    @Test("Backslash, quote and line feed are escaped in labels; in help the quote stays")
    func escapes() {
        let written = text {
            $0.family("a", .gauge, "a \\ \"b\"\nc")
            $0.sample(true, [("name", "a \\ \"b\"\nc é")])
        }
        #expect(written == "# HELP a a \\\\ \"b\"\\nc\n# TYPE a gauge\na{name=\"a \\\\ \\\"b\\\"\\nc é\"} 1\n")
    }

    @Test(arguments: [
        (0, "0"), (1, "0.000000001"), (500_000, "0.0005"), (1_000_000_000, "1"), (2_500_000_000, "2.5"),
        (UInt64.max, "18446744073.709551615"),
    ])
    func seconds(_ nanoseconds: UInt64, _ expected: String) {
        #expect(Exposition.seconds(nanoseconds) == expected)
    }

    @Test func aHistogramIsCumulative() {
        var histogram = Histogram()
        histogram.record(.nanoseconds(400_000))
        histogram.record(.nanoseconds(900_000))
        histogram.record(.nanoseconds(40_000_000_000))
        let written = text {
            $0.family("h_seconds", .histogram, "x")
            $0.sample(histogram, [("route", "r")])
        }
        let lines = written.split(separator: "\n")
        #expect(lines.count == 2 + 16 + 2)
        #expect(lines[2] == "h_seconds_bucket{route=\"r\",le=\"0.0005\"} 1")
        #expect(lines[3] == "h_seconds_bucket{route=\"r\",le=\"0.001\"} 2")
        #expect(lines[16] == "h_seconds_bucket{route=\"r\",le=\"30\"} 2")
        #expect(lines[17] == "h_seconds_bucket{route=\"r\",le=\"+Inf\"} 3")
        #expect(lines[18] == "h_seconds_sum{route=\"r\"} 40.0013")
        #expect(lines[19] == "h_seconds_count{route=\"r\"} 3")
    }
}

extension Counters {
    /// Of a record that is nobody's.
    mutating func count(_ record: AccessRecord) {
        var record = record
        count(&record)
    }
}

struct CounterTests {
    private func record(
        status: Int, isRouted: Bool = true, slot: Int? = nil, cause: Cause = .none, retry: RetryOutcome = .none
    ) -> AccessRecord {
        var record = AccessRecord(id: 1, acceptedAt: Instant(nanoseconds: 1_000))
        record.status = status
        record.isRouted = isRouted
        record.route = .elevated
        record.aliasSlot = slot
        record.cause = cause
        record.retry = retry
        record.dialedAt = Instant(nanoseconds: 1_000)
        record.connectedAt = Instant(nanoseconds: 1_500)
        record.firstByteAt = Instant(nanoseconds: 2_000)
        record.endedAt = Instant(nanoseconds: 3_000)
        record.bytesUp = 10
        record.bytesDown = 20
        return record
    }

    @Test func oneRequestIsCountedOnceInEach() {
        var counters = Counters()
        counters.count(record(status: 201))
        #expect(counters.requests(.elevated, statusClass: 2) == 1)
        #expect(counters.totalTimes[0].count == 1)
        #expect(counters.totalTimes[0].sum == 2_000)
        #expect(counters.connectTimes.sum == 500)
        #expect(counters.firstByteTimes.sum == 500)
        #expect(counters.bytesUp == 10)
        #expect(counters.bytesDown == 20)
        #expect(counters.causes.counts.allSatisfy { $0 == 0 })
    }

    @Test("A connection on which nothing was asked is no request; one that was refused unread is")
    func whatCounts() {
        var counters = Counters()
        counters.count(record(status: 0, isRouted: false))
        #expect(counters.totalTimes[2].count == 0)
        counters.count(record(status: 400, isRouted: false))
        #expect(counters.requests(.unrouted, statusClass: 4) == 1)
        counters.count(record(status: 0))
        #expect(counters.requests(.elevated, statusClass: 0) == 1)
    }

    @Test("A status that no class knows stays within the table", arguments: [600, 999, -1])
    func strangeStatus(_ status: Int) {
        var counters = Counters()
        counters.count(record(status: status))
        var sum: UInt64 = 0
        for statusClass in 0..<Counters.statusClasses { sum += counters.requests(.elevated, statusClass: statusClass) }
        #expect(sum == 1)
    }

    @Test func causesAndRetriesHaveNames() {
        var counters = Counters()
        counters.count(record(status: 502, cause: .connect(.refused), retry: .unchanged))
        counters.count(record(status: 504, cause: .answered(.gatewayTimeout)))
        let counts = Dictionary(
            uniqueKeysWithValues: zip(counters.causes.names.map { "\($0)" }, counters.causes.counts))
        #expect(counts["connection_refused"] == 1)
        #expect(counts["answer_timeout"] == 1)
        #expect(counters.retries(.unchanged) == 1)
    }

    @Test("Workers that met the aliases in another order agree by name")
    func aliasesOfTwoWorkers() {
        var one = Counters()
        var other = Counters()
        var first = AliasCounts()
        let slots = first.slots(for: ["a", "b"])
        #expect(slots == [1, 2])
        #expect(first.slots(for: ["b", "c", "a"]) == [2, 3, 1])
        first.record(slot: 2, statusClass: 2)
        var second = AliasCounts()
        #expect(second.slots(for: ["b"]) == [1])
        second.record(slot: 1, statusClass: 2)
        second.add(first)
        #expect(second.count(slot: 1, statusClass: 2) == 2)
        one.count(record(status: 200))
        other.count(record(status: 200))
        one.add(other)
        #expect(one.requests(.elevated, statusClass: 2) == 2)
    }

    @Test func aliasSlotsAreBounded() {
        var counts = AliasCounts()
        let slots = counts.slots(for: (0..<5_000).map { "alias\($0)" })
        #expect(counts.names.count == AliasCounts.mostSlots)
        #expect(slots.last == 0)
        #expect(slots.allSatisfy { $0 < AliasCounts.mostSlots })
    }

    @Test("A snapshot does not change with what it was taken from")
    func snapshots() {
        var counters = Counters()
        let before = counters.snapshot()
        counters.count(record(status: 200, slot: 0, cause: .stalled))
        #expect(before.requests(.elevated, statusClass: 2) == 0)
        #expect(before.causes.counts.allSatisfy { $0 == 0 })
        #expect(before.aliases.count(slot: 0, statusClass: 2) == 0)
    }

    @Test("Own answers that are chosen while serving are among the names shown from the start")
    func ownAnswersAreNamed() {
        let names = Set(Cause.allNames.map { "\($0)" })
        let causes: [Cause] = [
            .answered(.requestTimeout), .answered(.contentTooLarge), .answered(.overloaded),
            .answered(.tokenUnavailable),
            .answered(.gatewayTimeout), .answered(.headerFieldsTooLarge),
        ]
        for cause in causes { #expect(names.contains("\(cause.name)")) }
    }

    @Test("Every cause that metrics show from the start is a name of its own")
    func namesAreUnique() {
        let names = Cause.allNames.map { "\($0)" }
        #expect(Set(names).count == names.count)
    }
}

struct WorkerReportTests {
    @Test("A worker that does not answer is shown as it was last seen")
    func lateAnswers() {
        let reports = WorkerReports(count: 2)
        var counters = Counters()
        counters.accepted = 5
        let first = reports.ask()
        for index in 0..<2 {
            reports.update(index, counters, longestIteration: .nanoseconds(7))
            first.answered(index)
        }
        #expect(reports.take(first, within: .zero).allSatisfy { $0.isCurrent && $0.counters.accepted == 5 })
        let second = reports.ask()
        counters.accepted = 6
        reports.update(0, counters, longestIteration: .nanoseconds(3))
        second.answered(0)
        let seen = reports.take(second, within: .milliseconds(1))
        #expect(seen.map(\.isCurrent) == [true, false])
        #expect(seen.map(\.counters.accepted) == [6, 5])
        #expect(reports.takeLongestIterations() == [.nanoseconds(7), .nanoseconds(7)])
        #expect(reports.takeLongestIterations() == [.zero, .zero])
    }

    @Test("One that has ended is not asked and keeps its counts")
    func ended() {
        let reports = WorkerReports(count: 1)
        var counters = Counters()
        counters.accepted = 9
        reports.update(0, counters, longestIteration: .nanoseconds(1), hasEnded: true)
        let question = reports.ask()
        #expect(!question.isAsked(0))
        let seen = reports.take(question, within: .seconds(60))
        #expect(seen[0].isCurrent && seen[0].counters.accepted == 9)
        #expect(reports.hasEnded)
    }
}

struct JSONValueTests {
    @Test func values() {
        let value = JSONValue.object([
            ("a", .null), ("b", .array([.number(1), .bool(true), .bool(false)])), ("c", .string("\"\\\n\u{1}é")),
        ])
        #expect(value.text == #"{"a": null, "b": [1, true, false], "c": "\"\\\u000a\u0001é"}"#)
    }
}
