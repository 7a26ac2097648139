import EventLoop
import Testing

@testable import ProxyServer

@Suite struct AcceptQuotaTests {
    /// What one more look would cost is paid only now and then.
    @Test func itIsRaisedWhenItWasUsedUpForLongAndFollowsWhatIsFound() {
        var quota = AcceptQuota()
        for _ in 0..<31 { quota.usedUp() }
        #expect(quota.quota == 1)
        quota.usedUp()
        #expect(quota.quota == 2)
        for _ in 0..<320 { quota.usedUp() }
        #expect(quota.quota == Bounds.acceptsPerIteration)
        quota.foundNone(after: 5)
        #expect(quota.quota == 5)
        quota.foundNone(after: 0)
        #expect(quota.quota == 1)
        // What was used up before does not count.
        for _ in 0..<31 { quota.usedUp() }
        quota.foundNone(after: 1)
        quota.usedUp()
        #expect(quota.quota == 1)
    }

    @Test func allOfAQueueStaysAllOfIt() {
        var quota = AcceptQuota.unbounded
        quota.foundNone(after: 3)
        for _ in 0..<40 { quota.usedUp() }
        #expect(quota.quota == .max)
    }
}

@Suite struct ParkedExchangesTests {
    @Test func eachVersionIsAskedAboutOnceAndAnsweredToAll() {
        var parked = ParkedExchanges()
        let tokens = (0..<4).map { EventToken(generation: 1, slot: $0, side: 0) }
        let first = [parked.park(tokens[0], version: 7), parked.park(tokens[1], version: 8)]
        let later = [parked.park(tokens[2], version: 7), parked.park(tokens[3], version: 8)]
        #expect(first == [true, true] && later == [false, false])
        #expect(!parked.isIdle(version: 7) && parked.isIdle(version: 9))
        let found = parked.take(version: 7).map(\.slot)
        #expect(found == [0, 2])
        #expect(parked.isIdle(version: 7) && !parked.isIdle(version: 8))
        let again = parked.take(version: 7).count
        let others = parked.take(version: 8).map(\.slot)
        #expect(again == 0 && others == [1, 3])
        let isFirst = parked.park(tokens[0], version: 7)
        #expect(isFirst)
    }
}
