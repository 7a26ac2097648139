import System
import Testing

@testable import EventLoop

@Suite struct ReactorTests {
    /// Postpones as its first turn begins, and ends when that is reported.
    private final class Handler: ReactorHandler {
        let reactor: Reactor
        private(set) var postponedIn: UInt64?
        private(set) var reportedIn: UInt64?

        init(_ reactor: Reactor) { self.reactor = reactor }

        func turnBegan(now: Instant) {
            guard postponedIn == nil else { return }
            postponedIn = reactor.turn
            reactor.postpone(EventToken(generation: 0, slot: 0, side: 0), .readable)
        }

        func acceptReady(listener: Int, now: Instant) {}
        func ready(_ token: EventToken, _ readiness: Readiness, now: Instant) { reportedIn = reactor.turn }
        func timerExpired(slot: Int, now: Instant) {}
        func mailReady(now: Instant) {}
        func turnEnded(now: Instant) -> Bool { reportedIn != nil }
    }

    /// In the same turn its share would be used up still, and whoever postponed it would not do so twice.
    @Test func whatIsPostponedAsATurnBeginsRunsInTheNextOne() throws {
        let reactor = try Reactor()
        let handler = Handler(reactor)
        reactor.wake(at: reactor.now + .nanoseconds(1))
        reactor.run(handler)
        #expect(try #require(handler.reportedIn) == #require(handler.postponedIn) + 1)
    }
}
