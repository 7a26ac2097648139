import Testing

@testable import EventLoop

@Suite struct ReactorTests {
    /// Postpones as its first turn begins, and ends when that is reported.
    private final class Handler: ReactorHandler {
        let reactor: Reactor
        private(set) var postponedIn: UInt64?
        private(set) var reportedIn: UInt64?

        init(_ reactor: Reactor) { self.reactor = reactor }

        func turnBegan(now: UInt64) {
            guard postponedIn == nil else { return }
            postponedIn = reactor.turn
            reactor.postpone(EventToken(generation: 0, slot: 0, side: 0), .readable)
        }

        func acceptReady(listener: Int, now: UInt64) {}
        func ready(_ token: EventToken, _ readiness: Readiness, now: UInt64) { reportedIn = reactor.turn }
        func timerExpired(slot: Int, now: UInt64) {}
        func mailReady(now: UInt64) {}
        func turnEnded(now: UInt64) -> Bool { reportedIn != nil }
    }

    /// In the same turn its share would be used up still, and whoever postponed it would not do so twice.
    @Test func whatIsPostponedAsATurnBeginsRunsInTheNextOne() throws {
        let reactor = try Reactor()
        let handler = Handler(reactor)
        reactor.wake(at: reactor.now + 1)
        reactor.run(handler)
        #expect(try #require(handler.reportedIn) == #require(handler.postponedIn) + 1)
    }
}
