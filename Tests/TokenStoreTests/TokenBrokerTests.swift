import Synchronization
import System
import Testing

@testable import TokenStore

@Suite struct TokenBrokerTests {
    let clock = VirtualClock()
    let recorder = Recorder()
    let publisher = TokenPublisher(initial: initialSnapshot())

    func broker(
        _ source: any TokenSource, random: Double = 0, question: TokenQuestion? = nil
    ) -> TokenBroker {
        TokenBroker(
            source: source, publisher: publisher, question: question, clock: clock, random: { random },
            log: recorder.log, wake: recorder.wake)
    }

    @Test func firstFetchPublishesTheToken() async {
        let source = FakeSource(fetched("old"))
        let broker = broker(source)
        #expect(publisher.current().health == .missing(.notReadYet))
        let life = Task { await broker.run() }
        #expect(await eventually { publisher.current().health == .ready })
        let snapshot = publisher.current()
        #expect(text(snapshot.token) == "old")
        #expect(snapshot.version == publisher.version)
        #expect(snapshot.kind == .system)
        #expect(snapshot.isRenewable)
        #expect(snapshot.obtainedAt == clock.now())
        #expect(snapshot.nextRefresh?.monotonic == clock.now().monotonic + .seconds(900))
        life.cancel()
        await life.value
    }

    @Test func twoThousandCallersOneFetch() async {
        let source = FakeSource(fetched("old"))
        let broker = broker(source)
        await broker.reload()
        let version = publisher.version
        source.answer(fetched("new"))
        source.hold()
        let outcomes = await withTaskGroup(of: RenewalOutcome.self) { group in
            for _ in 0..<2000 { group.addTask { await broker.renew(ifStill: version) } }
            #expect(await eventually { source.fetches == 2 })
            source.release()
            return await group.reduce(into: [RenewalOutcome]()) { $0.append($1) }
        }
        #expect(outcomes.count == 2000)
        #expect(outcomes.allSatisfy { $0 == .renewed })
        #expect(source.causes == [.reload, .renewal])
        #expect(text(publisher.current().token) == "new")
        #expect(!publisher.current().suspect)
        // Late to the party, with the version of the old token.
        #expect(await broker.renew(ifStill: version) == .renewed)
        #expect(source.fetches == 2)
    }

    @Test func suspectWhileTheRenewalIsUnderWay() async {
        let source = FakeSource(fetched("old"))
        let broker = broker(source)
        await broker.reload()
        let version = publisher.version
        source.hold()
        async let first = broker.renew(ifStill: version)
        #expect(await eventually { source.fetches == 2 })
        #expect(publisher.current().suspect)
        // The publication of the suspicion has moved the version, but it is the same token still.
        async let second = broker.renew(ifStill: publisher.version)
        async let third = broker.renew(ifStill: version)
        source.release()
        #expect(await [first, second, third] == [.unchanged, .unchanged, .unchanged])
        #expect(source.fetches == 2)
        #expect(!publisher.current().suspect)
    }

    @Test func unchangedVerdictStandsForOneSecond() async {
        let source = FakeSource(fetched("same"))
        let broker = broker(source)
        await broker.reload()
        let version = publisher.version
        for _ in 0..<100 { #expect(await broker.renew(ifStill: version) == .unchanged) }
        #expect(source.fetches == 2)
        clock.advance(by: TokenBroker.verdictTime - .nanoseconds(1))
        _ = await broker.renew(ifStill: version)
        #expect(source.fetches == 2)
        clock.advance(by: .nanoseconds(1))
        source.answer(fetched("new"))
        #expect(await broker.renew(ifStill: version) == .renewed)
        #expect(source.fetches == 3)
        // A new token's first 401 is not answered with the old token's verdict.
        #expect(await broker.renew(ifStill: publisher.version) == .unchanged)
        #expect(source.fetches == 4)
    }

    @Test func aRefreshThatReadTooEarlyDoesNotAnswerARenewal() async {
        let source = FakeSource(fetched("old"))
        let broker = broker(source)
        await broker.reload()
        let version = publisher.version
        source.hold()
        async let background = broker.reload()
        #expect(await eventually { source.fetches == 2 })
        source.answer(fetched("new"))
        async let renewal = broker.renew(ifStill: version)
        #expect(await eventually { publisher.current().suspect })
        source.release()
        #expect(await background == .unchanged)
        #expect(await renewal == .renewed)
        #expect(source.causes == [.reload, .reload, .renewal])
    }

    @Test func unavailableKeepsTheTokenAndDegrades() async {
        let source = FakeSource(fetched("good"))
        let broker = broker(source)
        await broker.reload()
        source.answer(.failure(.database(.unreachable)))
        let version = publisher.version
        #expect(await broker.renew(ifStill: version) == .unavailable)
        #expect(await broker.renew(ifStill: version) == .unavailable)
        #expect(source.fetches == 2)
        let snapshot = publisher.current()
        #expect(text(snapshot.token) == "good")
        #expect(snapshot.health == .degraded(.database(.unreachable)))
        #expect(snapshot.suspect)
    }

    @Test func staticTokensAreNotAskedFor() async {
        let source = FakeSource(fetched("given", after: nil), kind: .static)
        let broker = broker(source)
        await broker.reload()
        #expect(publisher.current().nextRefresh == nil)
        #expect(await broker.renew(ifStill: publisher.version) == .unchanged)
        #expect(source.fetches == 1)
        #expect(!publisher.current().suspect)
    }

    /// What the upstream is asked, and what it says.
    final class Upstream: Sendable {
        let standing: Mutex<TokenStanding>
        let asked = Mutex(0)

        init(_ standing: TokenStanding) { self.standing = Mutex(standing) }

        func say(_ standing: TokenStanding) { self.standing.withLock { $0 = standing } }

        var question: TokenQuestion {
            { [self] _ in
                asked.withLock { $0 += 1 }
                return standing.withLock { $0 }
            }
        }
    }

    @Test func aLoginThatTheUpstreamAcceptsIsNotRenewed() async {
        let source = FakeSource(fetched("good"), kind: .login)
        let upstream = Upstream(.accepted)
        let broker = broker(source, question: upstream.question)
        await broker.reload()
        for _ in 0..<100 { #expect(await broker.renew(ifStill: publisher.version) == .unchanged) }
        #expect(source.causes == [.reload] && upstream.asked.withLock { $0 } == 1)
        #expect(publisher.current().health == .ready && !publisher.current().suspect)
        clock.advance(by: TokenBroker.standingTime)
        // No answer is no reason to use a refresh token up either.
        upstream.say(.unclear)
        #expect(await broker.renew(ifStill: publisher.version) == .unavailable)
        #expect(source.causes == [.reload] && upstream.asked.withLock { $0 } == 2)
        clock.advance(by: TokenBroker.standingTime)
        upstream.say(.refused)
        source.answer(fetched("new"))
        #expect(await broker.renew(ifStill: publisher.version) == .renewed)
        #expect(source.causes == [.reload, .renewal])
        #expect(publisher.current().health == .ready)
    }

    @Test func anUpstreamThatRefusesEveryTokenGetsFewerAndFewerRenewals() async {
        let source = FakeSource(fetched("0"), kind: .login)
        let upstream = Upstream(.refused)
        let broker = broker(source, question: upstream.question)
        await broker.reload()
        for second in 0..<7_200 {
            source.answer(fetched("\(second)."))
            _ = await broker.renew(ifStill: publisher.version)
            clock.advance(by: .seconds(1))
        }
        // At once, after 30 s, and then after twice as long each time.
        let renewals = source.causes.count { $0 == .renewal }
        #expect((2...9).contains(renewals), "\(renewals) renewals in two hours")
        #expect(publisher.current().health == .degraded(.refused(.login)))
    }

    @Test func theBudgetOfRenewalsRecovers() {
        var budget = RenewalBudget()
        var now = Instant(nanoseconds: 1)
        #expect(budget.mayRenew(now: now))
        budget.renewed(now: now)
        #expect(!budget.mayRenew(now: now + RenewalBudget.first - .nanoseconds(1)))
        #expect(budget.mayRenew(now: now + RenewalBudget.first))
        for _ in 0..<100 {
            now = now + RenewalBudget.cap
            #expect(budget.mayRenew(now: now))
            budget.renewed(now: now)
        }
        now = now + RenewalBudget.cap * 2
        budget.renewed(now: now)
        #expect(budget.mayRenew(now: now + RenewalBudget.first))
    }

    @Test func aStaticTokenThatIsRefusedDegradesAndRecovers() async {
        let source = FakeSource(fetched("given", after: nil), kind: .static)
        let upstream = Upstream(.refused)
        let broker = broker(source, question: upstream.question)
        let life = Task { await broker.run() }
        #expect(await eventually { publisher.current().health == .ready && clock.earliest != nil })
        #expect(await broker.renew(ifStill: publisher.version) == .unchanged)
        #expect(publisher.current().health == .degraded(.refused(.static)))
        #expect(text(publisher.current().token) == "given")
        #expect(recorder.all.contains(.refused(.static, source: .postgreSQL, answers: 1)))
        // Without any request it is asked about again, and warnings get rarer.
        for answers in 2...5 {
            let due = clock.now().monotonic + TokenBroker.refusedTime
            #expect(await eventually { clock.earliest == due })
            clock.advance(by: TokenBroker.refusedTime)
            #expect(
                await eventually { recorder.all.contains(.refused(.static, source: .postgreSQL, answers: answers)) })
        }
        let warnings = recorder.all.count { if case .refused = $0 { $0.level == .warning } else { false } }
        #expect(warnings == 3)
        upstream.say(.accepted)
        let due = clock.now().monotonic + TokenBroker.refusedTime
        #expect(await eventually { clock.earliest == due })
        clock.advance(by: TokenBroker.refusedTime)
        #expect(await eventually { publisher.current().health == .ready })
        #expect(source.fetches == 1)
        life.cancel()
        await life.value
    }

    @Test func aSystemTokenThatIsRefusedStaysDegradedThroughItsRefresh() async {
        let source = FakeSource(fetched("same"))
        let upstream = Upstream(.refused)
        let broker = broker(source, question: upstream.question)
        await broker.reload()
        #expect(await broker.renew(ifStill: publisher.version) == .unchanged)
        #expect(await eventually { publisher.current().health == .degraded(.refused(.system)) })
        await broker.reload()
        #expect(publisher.current().health == .degraded(.refused(.system)))
        source.answer(fetched("new"))
        await broker.reload()
        #expect(publisher.current().health == .ready)
    }

    @Test func refreshAtHalfLife() async {
        let source = FakeSource(fetched("a"))
        let broker = broker(source)
        let life = Task { await broker.run() }
        let start = clock.now().monotonic
        #expect(await eventually { clock.earliest == start + .seconds(900) })
        clock.advance(by: .nanoseconds(899_999_999_999))
        #expect(source.fetches == 1)
        source.answer(fetched("b"))
        clock.advance(by: .nanoseconds(1))
        #expect(await eventually { text(publisher.current().token) == "b" })
        #expect(source.causes == [.start, .refresh])
        life.cancel()
        await life.value
    }

    /// Waits that the broker took after each failure, in virtual time.
    func waits(_ count: Int, error: TokenSourceError, random: Double) async -> [Duration] {
        let source = FakeSource(.failure(error))
        let broker = broker(source, random: random)
        let life = Task { await broker.run() }
        var waits: [Duration] = []
        for attempt in 1...count {
            #expect(await eventually { source.fetches == attempt && clock.earliest != nil })
            guard let until = clock.earliest else { break }
            waits.append(until - clock.now().monotonic)
            clock.advance(by: waits[waits.count - 1])
        }
        life.cancel()
        await life.value
        return waits
    }

    @Test func backOffDoublesToThreeSecondsForWhatMendsItself() async {
        let least = await waits(5, error: .database(.unreachable), random: 0)
        #expect(least == [500, 1_000, 1_500, 1_500, 1_500].map { Duration.milliseconds($0) })
    }

    @Test func backOffDoublesToThirtySecondsForWhatWaitsForAPerson() async {
        let waits = await waits(8, error: .database(.authentication), random: 0.5)
        #expect(waits == [0.75, 1.5, 3, 6, 12, 22.5, 22.5, 22.5].map { Duration.milliseconds(UInt64($0 * 1_000)) })
    }

    @Test func jitterStaysWithinTheStep() {
        var backOff = BackOff()
        for failure in 0..<100 {
            let wait = backOff.next(after: .rowAbsent, random: Double(failure) / 100)
            #expect((BackOff.first / 2...BackOff.cap).contains(wait))
        }
    }

    @Test func recoversWithinThreeSecondsOfTheSource() async {
        let source = FakeSource(.failure(.database(.unreachable)))
        let broker = broker(source, random: 0.999)
        let life = Task { await broker.run() }
        for attempt in 1...6 {
            #expect(await eventually { source.fetches == attempt && clock.earliest != nil })
            #expect(publisher.current().health == .missing(.database(.unreachable)))
            guard attempt < 6, let until = clock.earliest else { break }
            clock.advance(by: until - clock.now().monotonic)
        }
        source.answer(fetched("back"))
        clock.advance(by: .seconds(3))
        #expect(await eventually { publisher.current().health == .ready })
        #expect(recorder.all.contains(.recovered(attempts: 6)))
        life.cancel()
        await life.value
    }

    @Test func aFailedRenewalWakesTheSleepingLife() async {
        let source = FakeSource(fetched("good"))
        let broker = broker(source)
        let life = Task { await broker.run() }
        #expect(await eventually { clock.earliest != nil })
        source.answer(.failure(.database(.timeout)))
        #expect(await broker.renew(ifStill: publisher.version) == .unavailable)
        // The next try is half a second away now, no longer a quarter of an hour.
        let now = clock.now().monotonic
        #expect(await eventually { clock.earliest == now + .milliseconds(500) })
        source.answer(fetched("good"))
        clock.advance(by: .milliseconds(500))
        #expect(await eventually { publisher.current().health == .ready })
        #expect(source.causes == [.start, .renewal, .retry])
        life.cancel()
        await life.value
    }

    @Test func everyPublicationWakes() async {
        let source = FakeSource(fetched("old"))
        let broker = broker(source)
        await broker.reload()
        #expect(recorder.wakes.withLock { $0 } == 1)
        source.answer(fetched("new"))
        _ = await broker.renew(ifStill: publisher.version)
        // Suspicion, the new token, the finished renewal.
        #expect(recorder.wakes.withLock { $0 } == 4)
    }

    /// "Never due" is one long sleep on the real clock, neither a crash nor a hot loop.
    @Test func aStaticTokenOnTheRealClock() async {
        let counting = CountingClock()
        let broker = TokenBroker(
            source: StaticSource(token: secret("given"), origin: .tokenFlag), publisher: publisher, clock: counting,
            log: recorder.log, wake: recorder.wake)
        let life = Task { await broker.run() }
        #expect(await eventually { text(publisher.current().token) == "given" && counting.sleeps >= 1 })
        #expect(publisher.current().source == .tokenFlag)
        try? await Task.sleep(for: .milliseconds(50))
        #expect(counting.sleeps == 1)
        life.cancel()
        await life.value
    }
}
