/// How a renewal that a 401 asked for ended. `body_too_large` is the proxy's own outcome.
package enum RenewalOutcome: String, Sendable {
    /// There is another token than the one that was refused: retry once.
    case renewed
    /// The source gives the same token: a retry is no use.
    case unchanged
    /// The source did not answer.
    case unavailable
}

/// Keeps one token fresh and publishes it.
///
/// All fetches go through one flight: whoever asks while one is under way waits for its result. Versions grow with
/// every publication, also when only the health changed; `tokenSince` remembers with which version the token itself
/// last changed, which is how `renew(ifStill:)` knows an answer to the old token from one to the new.
package actor TokenBroker {
    /// How long an `unchanged` or `unavailable` verdict stands for later callers, so that a storm of 401s over a token
    /// that is right (an endpoint it may not use, an address Sentry refuses) costs the source one query a second. A
    /// token that changes within that second is found by the next 401 after it.
    package static let verdictNanoseconds: UInt64 = 1_000_000_000

    private struct Flight {
        let cause: FetchCause
        let task: Task<RenewalOutcome, Never>
    }

    private struct Verdict {
        let outcome: RenewalOutcome
        let untilNanoseconds: UInt64
    }

    private let source: any TokenSource
    private let publisher: TokenPublisher
    private let clock: any TokenClock
    private let random: @Sendable () -> Double
    private let log: @Sendable (TokenEvent) -> Void
    private let wake: @Sendable () -> Void

    private var snapshot: TokenSnapshot
    private var tokenSince: UInt64
    private var flight: Flight?
    private var verdict: Verdict?
    private var backOff = BackOff()
    /// When to fetch next, on the monotonic clock; 0 is at once, `.max` is never.
    private var dueNanoseconds: UInt64 = 0
    private var sleeper: Task<Void, Never>?

    /// Publishes `.missing(.notReadYet)`; nothing is fetched before `load()`, `run()` or `reload()`.
    /// - Parameters:
    ///   - random: 0 up to but not including 1; spreads the retries.
    ///   - log: gets typed events; called on the actor, must not block.
    ///   - wake: called after each publication and each finished renewal, to wake the reactors; must not block.
    package init(
        source: any TokenSource,
        publisher: TokenPublisher,
        clock: any TokenClock = SystemClock(),
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        log: @escaping @Sendable (TokenEvent) -> Void,
        wake: @escaping @Sendable () -> Void
    ) {
        self.source = source
        self.publisher = publisher
        self.clock = clock
        self.random = random
        self.log = log
        self.wake = wake
        let first = TokenSnapshot(
            version: publisher.version + 1,
            token: nil,
            kind: source.kind,
            source: source.origin,
            isRenewable: source.isRenewable,
            health: .missing(.notReadYet)
        )
        snapshot = first
        tokenSince = first.version
        publisher.publish(first)
    }

    /// The background life: first fetch, refresh when due, retries with back-off, polling. Returns when cancelled.
    package func run() async {
        var pollDue = pollDue()
        while !Task.isCancelled {
            let now = clock.now().monotonicNanoseconds
            if now >= dueNanoseconds {
                _ = await fly(backOff.failures > 0 ? .retry : snapshot.token == nil ? .start : .refresh)
            } else if now >= pollDue {
                if await source.hasChanged() { _ = await fly(.changed) }
                pollDue = self.pollDue()
            } else {
                await sleep(nanoseconds: min(dueNanoseconds, pollDue) - now)
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
    ///   A source that is not renewable is not asked: `.unchanged`.
    package func renew(ifStill version: UInt64) async -> RenewalOutcome {
        while true {
            if version < tokenSince, snapshot.token != nil { return .renewed }
            guard source.isRenewable else { return .unchanged }
            if let verdict, clock.now().monotonicNanoseconds < verdict.untilNanoseconds { return verdict.outcome }
            if snapshot.token != nil, !snapshot.suspect { publish(suspect: true) }
            guard let flight, flight.cause != .renewal else { return await fly(.renewal) }
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
            wake()
        }
        sleeper?.cancel()
        return outcome
    }

    private func settle(_ fetched: FetchedToken, _ cause: FetchCause) -> RenewalOutcome {
        let now = clock.now()
        if backOff.failures > 0 { log(.recovered(attempts: backOff.failures)) }
        backOff.reset()
        dueNanoseconds = fetched.refreshAfterNanoseconds.map { now.monotonicNanoseconds &+ $0 } ?? .max
        let isNew = snapshot.token != fetched.token
        if isNew {
            verdict = nil
            tokenSince = snapshot.version + 1
            log(.obtained(cause: cause, kind: source.kind, source: source.origin, version: tokenSince))
        } else {
            if cause == .renewal { remember(.unchanged, now) }
            log(.confirmed(cause: cause))
        }
        publish(token: fetched.token, obtainedAt: now, health: .ready, suspect: false)
        return isNew ? .renewed : .unchanged
    }

    private func settle(_ error: TokenSourceError, _ cause: FetchCause) -> RenewalOutcome {
        let now = clock.now()
        let wait = backOff.next(after: error, random: random())
        dueNanoseconds = now.monotonicNanoseconds &+ wait
        remember(.unavailable, now)
        let kept = error.endsToken ? nil : snapshot.token
        log(
            .failed(cause: cause, error, attempt: backOff.failures, retryNanoseconds: wait, keepsToken: kept != nil))
        publish(
            token: kept, obtainedAt: kept == nil ? nil : snapshot.obtainedAt,
            health: kept == nil ? .missing(error) : .degraded(error), suspect: kept != nil && snapshot.suspect)
        return .unavailable
    }

    private func remember(_ outcome: RenewalOutcome, _ now: TokenInstant) {
        verdict = Verdict(outcome: outcome, untilNanoseconds: now.monotonicNanoseconds &+ Self.verdictNanoseconds)
    }

    // MARK: - Publishing

    private func publish(suspect: Bool) {
        publish(token: snapshot.token, obtainedAt: snapshot.obtainedAt, health: snapshot.health, suspect: suspect)
    }

    private func publish(token: Secret?, obtainedAt: TokenInstant?, health: TokenHealth, suspect: Bool) {
        snapshot = TokenSnapshot(
            version: snapshot.version + 1,
            token: token,
            kind: source.kind,
            source: source.origin,
            isRenewable: source.isRenewable,
            obtainedAt: obtainedAt,
            nextRefresh: nextRefresh(),
            health: health,
            suspect: suspect
        )
        publisher.publish(snapshot)
        wake()
    }

    private func nextRefresh() -> TokenInstant? {
        guard dueNanoseconds != .max else { return nil }
        let now = clock.now()
        let ahead = dueNanoseconds - min(dueNanoseconds, now.monotonicNanoseconds)
        return TokenInstant(
            monotonicNanoseconds: dueNanoseconds,
            wallSeconds: now.wallSeconds + Int64(ahead / 1_000_000_000)
        )
    }

    // MARK: - Waiting

    private func pollDue() -> UInt64 {
        source.pollNanoseconds.map { clock.now().monotonicNanoseconds &+ $0 } ?? .max
    }

    /// Sleeps, but no longer than until `run()` is cancelled or a flight lands: what is due may have moved.
    private func sleep(nanoseconds: UInt64) async {
        let sleeper = Task { [clock] in await clock.sleep(nanoseconds: nanoseconds) }
        self.sleeper = sleeper
        await withTaskCancellationHandler {
            await sleeper.value
        } onCancel: {
            sleeper.cancel()
        }
        self.sleeper = nil
    }
}
