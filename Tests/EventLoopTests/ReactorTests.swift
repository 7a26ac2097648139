import System
import Testing

@testable import EventLoop

@Suite struct ReactorTests {
    /// Postpones as its first iteration begins, and ends when that is reported.
    private final class Handler: ReactorHandler {
        let reactor: Reactor
        private(set) var postponedIn: UInt64?
        private(set) var reportedIn: UInt64?

        init(_ reactor: Reactor) { self.reactor = reactor }

        func iterationBegan(now: Instant) {
            guard postponedIn == nil else { return }
            postponedIn = reactor.iteration
            reactor.postpone(EventToken(generation: 0, slot: 0, side: 0), .readable)
        }

        func acceptReady(listener: Int, now: Instant) {}
        func ready(_ token: EventToken, _ readiness: Readiness, now: Instant) { reportedIn = reactor.iteration }
        func timerExpired(slot: Int, now: Instant) {}
        func mailReady(now: Instant) {}
        func iterationEnded(now: Instant) -> Bool { reportedIn != nil }
    }

    /// In the same iteration its share would be used up still, and whoever postponed it would not do so twice.
    @Test func whatIsPostponedAsAnIterationBeginsRunsInTheNextOne() throws {
        let reactor = try Reactor()
        let handler = Handler(reactor)
        reactor.wake(at: reactor.now + .nanoseconds(1))
        reactor.run(handler)
        #expect(try #require(handler.reportedIn) == #require(handler.postponedIn) + 1)
    }
}
