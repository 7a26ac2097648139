package import System

/// Keeps one token fresh and publishes it.
///
/// All fetches go through one flight: whoever asks while one is under way waits for its result. Versions grow with
/// every publication, also when only the health changed; `TokenSeries` remembers with which version the token itself
/// last changed, which is how `renew(ifStill:)` knows an answer to the old token from one to the new.
package actor TokenBroker {
    /// How long an `unchanged` or `unavailable` verdict stands for later callers, so that a storm of 401s over a token
    /// that is right (an endpoint it may not use, an address Sentry refuses) costs the source one query a second. A
    /// token that changes within that second is found by the next 401 after it.
    package static let verdictTime: Duration = .seconds(1)
    /// The same for what the upstream says of the token itself, so that a storm of 401s that are not about the token
    /// asks it once in this time.
    package static let standingTime: Duration = .seconds(5)
    /// How often a refused token that has no successor is asked about, so that health follows without traffic.
    package static let refusedTime: Duration = .seconds(60)

    private struct Flight {
        let cause: FetchCause
        let task: Task<RenewalOutcome, Never>
    }

    private let source: any TokenSource
    private let question: TokenQuestion?
    private let clock: any TokenClock
    private let random: @Sendable () -> Double
    private let log: @Sendable (TokenEvent) -> Void
    private let wake: @Sendable () -> Void

    private var series: TokenSeries
    private var snapshot: TokenSnapshot { series.snapshot }
    private var flight: Flight?
    private var verdict: RenewalVerdict?
    private var backOff = BackOff()
    private var budget = RenewalBudget()
    private var refusal: TokenRefusal?
    /// When to fetch next.
    private var due = Instant.distantPast
    private var sleeper: Task<Void, Never>?

    /// Publishes `.missing(.notReadYet)`; nothing is fetched before `load()`, `run()` or `reload()`.
    /// - Parameters:
    ///   - question: asks the upstream about the token; nil when it cannot be asked, so that a 401 counts as refusal.
    ///   - random: 0 up to but not including 1; spreads the retries.
    ///   - log: gets typed events; called on the actor, must not block.
    ///   - wake: called after each publication and each finished renewal, to wake the reactors; must not block.
    package init(
        source: any TokenSource,
        publisher: TokenPublisher,
        question: TokenQuestion? = nil,
        clock: any TokenClock = SystemClock(),
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        log: @escaping @Sendable (TokenEvent) -> Void,
        wake: @escaping @Sendable () -> Void
    ) {
        self.source = source
        self.question = question
        self.clock = clock
        self.random = random
        self.log = log
        self.wake = wake
        series = TokenSeries(of: source, publisher)
    }

    /// The background life: first fetch, refresh when due, retries with back-off, polling. Returns when cancelled.
    package func run() async {
        var pollDue = pollDue()
        while !Task.isCancelled {
            let now = clock.now().monotonic
            if now >= due {
                _ = await fly(backOff.failures > 0 ? .retry : snapshot.token == nil ? .start : .refresh)
            } else if now >= pollDue {
                if await source.hasChanged() { _ = await fly(.changed) }
                pollDue = self.pollDue()
            } else if let refusal, now >= refusal.askAgain {
                await lookAgain()
            } else {
                await sleep(for: min(due, pollDue, refusal?.askAgain ?? .never) - now)
            }
        }
    }

    /// Asks the source for the first token, before the listeners open.
    package func load() async {
        _ = await fly(.start)
    }

    /// Asks the source again, whatever is due (SIGHUP).
    @discardableResult
    package func reload() async -> RenewalOutcome {
        await fly(.reload)
    }

    /// Renews the token after a 401, once for all who ask.
    ///
    /// - Parameter version: the snapshot's version that the refused request was sent with.
    /// - Returns: `.renewed` at once when the token has changed since; otherwise what one query for all callers says.
    ///   A source that is not renewable is not asked, but the upstream is, for the health's sake: `.unchanged`.
    package func renew(ifStill version: UInt64) async -> RenewalOutcome {
        while true {
            if version < series.tokenSince, snapshot.token != nil { return .renewed }
            if let verdict, clock.now().monotonic < verdict.until { return verdict.outcome }
            if source.isRenewable, snapshot.token != nil, !snapshot.suspect { publish(suspect: true) }
            guard let flight, flight.cause != .renewal else {
                // Before the first fetch it is no renewal that is waited for.
                return await fly(snapshot.isAwaited ? .start : .renewal)
            }
            // A flight that took off for another reason may have read the row before the token was replaced: its
            // `unchanged` does not count.
            let outcome = await flight.task.value
            if outcome != .unchanged { return outcome }
        }
    }

    // MARK: - One flight for all

    private func fly(_ cause: FetchCause) async -> RenewalOutcome {
        if let flight { return await flight.task.value }
        let request = FetchRequest(cause: cause, current: snapshot.token)
        // Its own task: a caller that is cancelled must not take the others' answer away.
        let task = Task { await self.fetch(request) }
        flight = Flight(cause: cause, task: task)
        return await task.value
    }

    private func fetch(_ request: FetchRequest) async -> RenewalOutcome {
        if request.cause == .renewal, let outcome = await judge(request.current) {
            flight = nil
            wake()
            return outcome
        }
        let result: Result<FetchedToken, TokenSourceError>
        do {
            result = .success(try await source.fetch(request))
        } catch {
            result = .failure(error)
        }
        flight = nil
        let outcome =
            switch result {
            case .success(let fetched): settle(fetched, request.cause)
            case .failure(let error): settle(error, request.cause)
            }
        if request.cause == .renewal {
            log(.renewal(outcome, kind: source.kind))
            if outcome == .unchanged { await unchanged() }
            wake()
        }
        sleeper?.cancel()
        return outcome
    }

    private func settle(_ fetched: FetchedToken, _ cause: FetchCause) -> RenewalOutcome {
        let now = clock.now()
        if backOff.failures > 0 { log(.recovered(attempts: backOff.failures)) }
        backOff.reset()
        due = fetched.refreshAfter.map { now.monotonic + $0 } ?? .never
        let isNew = snapshot.token != fetched.token
        if isNew {
            verdict = nil
            refusal = nil
            if cause == .renewal { budget.renewed(now: now.monotonic) }
            let version = series.changeToken()
            log(.obtained(cause: cause, kind: source.kind, source: source.origin, version: version))
        } else {
            if cause == .renewal { remember(.unchanged, now) }
            log(.confirmed(cause: cause))
        }
        publish(token: fetched.token, obtainedAt: now, health: health, suspect: false)
        return isNew ? .renewed : .unchanged
    }

    private func settle(_ error: TokenSourceError, _ cause: FetchCause) -> RenewalOutcome {
        let now = clock.now()
        let wait = backOff.next(after: error, random: random())
        due = now.monotonic + wait
        remember(.unavailable, now)
        let kept = error.endsToken ? nil : snapshot.token
        log(
            .failed(cause: cause, error, attempt: backOff.failures, retry: wait, keepsToken: kept != nil))
        publish(
            token: kept, obtainedAt: kept == nil ? nil : snapshot.obtainedAt,
            health: kept == nil ? .missing(error) : .degraded(error), suspect: kept != nil && snapshot.suspect)
        return .unavailable
    }

    private func remember(_ outcome: RenewalOutcome, _ now: TokenInstant, for time: Duration = verdictTime) {
        verdict = RenewalVerdict(outcome: outcome, until: now.monotonic + time)
    }

    // MARK: - What the upstream says of the token

    /// A 401 may be about what was asked for and not about the token: before a refresh token is used up, and before a
    /// token that has no successor is called refused, the upstream is asked about the token alone.
    /// - Returns: the outcome, when the source is not to be asked.
    private func judge(_ token: Secret?) async -> RenewalOutcome? {
        // The system token's source can be asked at no cost.
        guard source.kind != .system, let question, let token else { return source.isRenewable ? nil : .unchanged }
        let standing = await ask(question, token)
        let now = clock.now()
        if standing == .refused, source.isRenewable, budget.mayRenew(now: now.monotonic) { return nil }
        let outcome: RenewalOutcome = standing == .unclear && source.isRenewable ? .unavailable : .unchanged
        remember(outcome, now, for: Self.standingTime)
        settle(standing, of: token)
        return outcome
    }

    /// The source gave the refused token again.
    private func unchanged() async {
        guard let question, let token = snapshot.token else { return }
        if source.kind == .system {
            // Nobody has to wait for that.
            Task {
                let standing = await self.ask(question, token)
                self.settle(standing, of: token)
            }
        } else {
            settle(.refused, of: token)
        }
    }

    private func lookAgain() async {
        guard let question, let token = snapshot.token else {
            refusal = nil
            return
        }
        refusal?.askAgain = .never
        let standing = await ask(question, token)
        settle(standing, of: token)
    }

    private func ask(_ question: TokenQuestion, _ token: Secret) async -> TokenStanding {
        let standing = await question(token)
        log(.judged(standing))
        return standing
    }

    private func settle(_ standing: TokenStanding, of token: Secret) {
        // A new token came while the old one was asked about.
        guard snapshot.token == token else { return }
        let before = refusal
        refusal = TokenRefusal(before, standing, askAgain: clock.now().monotonic + Self.refusedTime)
        if standing == .accepted, before != nil { log(.acceptedAgain) }
        if standing == .refused, let refusal {
            log(.refused(source.kind, source: source.origin, answers: refusal.answers))
        }
        // What the source itself has failed in is the more urgent news.
        let isOwnTrouble = backOff.failures > 0
        publish(
            token: token, obtainedAt: snapshot.obtainedAt, health: isOwnTrouble ? snapshot.health : health,
            suspect: (isOwnTrouble || standing == .unclear) && snapshot.suspect)
        sleeper?.cancel()
    }

    /// Of a token whose source answers.
    private var health: TokenHealth { refusal == nil ? .ready : .degraded(.refused(source.kind)) }

    // MARK: - Publishing

    private func publish(suspect: Bool) {
        publish(token: snapshot.token, obtainedAt: snapshot.obtainedAt, health: snapshot.health, suspect: suspect)
    }

    private func publish(token: Secret?, obtainedAt: TokenInstant?, health: TokenHealth, suspect: Bool) {
        series.publish(
            token, obtainedAt: obtainedAt, nextRefresh: clock.now().later(due), health: health, suspect: suspect)
        wake()
    }

    // MARK: - Waiting

    private func pollDue() -> Instant {
        source.pollPeriod.map { clock.now().monotonic + $0 } ?? .never
    }

    /// Sleeps, but no longer than until `run()` is cancelled or a flight lands: what is due may have moved.
    private func sleep(for time: Duration) async {
        let sleeper = Task { [clock] in await clock.sleep(for: time) }
        self.sleeper = sleeper
        await withTaskCancellationHandler {
            await sleeper.value
        } onCancel: {
            sleeper.cancel()
        }
        self.sleeper = nil
    }
}
