import System
import Testing

@Suite struct InstantTests {
    private let start = Instant(nanoseconds: 5_000_000_000)

    @Test func `what lies beyond the clock's end is never`() {
        #expect(Instant.never + .seconds(1) == .never)
        #expect(Instant(nanoseconds: .max - 5) + .nanoseconds(6) == .never)
        #expect(start + .seconds(1) == Instant(nanoseconds: 6_000_000_000))
    }

    @Test func `never is later than anything and not zero`() {
        #expect(start < .never && .distantPast < start)
        #expect(Instant.never != .distantPast && Instant.never - start > .seconds(1_000_000_000))
    }

    @Test func `of a deadline that has passed nothing is left`() {
        #expect(start - (start + .seconds(1)) == .zero)
        #expect(start + .seconds(1) - start == .seconds(1))
        #expect(start - .seconds(9) == .distantPast && start - .seconds(2) == Instant(nanoseconds: 3_000_000_000))
        #expect(Duration.seconds(1) - .seconds(2) == .zero)
    }

    @Test func `a sleep is rounded up`() {
        let length = Duration.milliseconds(1_500) + .nanoseconds(1)
        #expect(length.milliseconds == 1_500 && length.millisecondsRoundedUp == 1_501)
        #expect(length.seconds == 1 && length.secondsRoundedUp == 2)
        #expect(Duration.seconds(3).secondsRoundedUp == 3 && Duration.milliseconds(7).millisecondsRoundedUp == 7)
        #expect(Duration.zero.millisecondsRoundedUp == 0)
    }

    @Test func `times are one word`() {
        #expect(MemoryLayout<Instant>.size == 8 && MemoryLayout<Duration>.size == 8 && MemoryLayout<WallTime>.size == 8)
    }
}
