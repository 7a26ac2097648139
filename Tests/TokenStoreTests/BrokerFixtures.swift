import Synchronization
import System

@testable import TokenStore

/// A source that answers what the test tells it, and counts.
final class FakeSource: TokenSource {
    let kind: TokenKind
    let origin = TokenOrigin.postgreSQL
    let isRenewable: Bool
    let pollPeriod: Duration? = nil

    struct State {
        var answer: Result<FetchedToken, TokenSourceError>
        var causes: [FetchCause] = []
        var held: Bool
        var waiting: [CheckedContinuation<Void, Never>] = []
    }
    let state: Mutex<State>

    init(_ answer: Result<FetchedToken, TokenSourceError>, kind: TokenKind = .system, held: Bool = false) {
        self.kind = kind
        isRenewable = kind != .static
        state = Mutex(State(answer: answer, held: held))
    }

    var fetches: Int { state.withLock { $0.causes.count } }
    var causes: [FetchCause] { state.withLock { $0.causes } }

    func answer(_ next: Result<FetchedToken, TokenSourceError>) { state.withLock { $0.answer = next } }

    /// Makes fetches wait for `release()`.
    func hold() { state.withLock { $0.held = true } }

    func release() {
        let waiting = state.withLock { state in
            state.held = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func fetch(_ request: FetchRequest) async throws(TokenSourceError) -> FetchedToken {
        // Read before the wait: what a query answers is what the row held when it was run.
        let answer = state.withLock {
            $0.causes.append(request.cause)
            return $0.answer
        }
        await withCheckedContinuation { continuation in
            let goOn = state.withLock {
                if $0.held { $0.waiting.append(continuation) }
                return !$0.held
            }
            if goOn { continuation.resume() }
        }
        return try answer.get()
    }
}

/// Time that moves only when the test says so.
final class VirtualClock: TokenClock {
    private struct State {
        var now = Instant(nanoseconds: 1_000_000_000_000)
        var sleepers: [(until: Instant, id: Int, continuation: CheckedContinuation<Void, Never>)] = []
        var nextID = 0
        var cancelled: Set<Int> = []
    }
    private let state = Mutex(State())

    func now() -> TokenInstant {
        let now = state.withLock { $0.now }
        return TokenInstant(monotonic: now, wallSeconds: 1_700_000_000 + Int64(now.nanoseconds / 1_000_000_000))
    }

    /// When the earliest sleeper wakes, if anybody sleeps.
    var earliest: Instant? { state.withLock { $0.sleepers.map(\.until).min() } }

    func sleep(for time: Duration) async {
        let id = state.withLock {
            $0.nextID += 1
            return $0.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goOn = state.withLock {
                    if $0.cancelled.contains(id) { return true }
                    $0.sleepers.append(($0.now + time, id, continuation))
                    return false
                }
                if goOn { continuation.resume() }
            }
        } onCancel: {
            let continuation = state.withLock { state -> CheckedContinuation<Void, Never>? in
                state.cancelled.insert(id)
                guard let index = state.sleepers.firstIndex(where: { $0.id == id }) else { return nil }
                return state.sleepers.remove(at: index).continuation
            }
            continuation?.resume()
        }
    }

    /// Moves on and wakes whoever is due.
    func advance(by time: Duration) {
        let due = state.withLock { state in
            state.now = state.now + time
            let due = state.sleepers.filter { $0.until <= state.now }
            state.sleepers.removeAll { $0.until <= state.now }
            return due
        }
        for sleeper in due { sleeper.continuation.resume() }
    }
}

/// The real clocks, with a count of the sleeps.
final class CountingClock: TokenClock {
    private let count = Mutex(0)
    var sleeps: Int { count.withLock { $0 } }
    func now() -> TokenInstant { SystemClock().now() }
    func sleep(for time: Duration) async {
        count.withLock { $0 += 1 }
        await SystemClock().sleep(for: time)
    }
}

/// Collects events and wakes.
final class Recorder: Sendable {
    let events = Mutex<[TokenEvent]>([])
    let wakes = Mutex(0)
    func log(_ event: TokenEvent) { events.withLock { $0.append(event) } }
    func wake() { wakes.withLock { $0 += 1 } }
    var all: [TokenEvent] { events.withLock { $0 } }
}

func secret(_ text: String) -> Secret { Secret(Array(text.utf8)) }

func fetched(_ text: String, after time: Duration? = .seconds(900)) -> Result<FetchedToken, TokenSourceError> {
    .success(FetchedToken(token: secret(text), refreshAfter: time))
}

func text(_ secret: Secret?) -> String? {
    secret?.withBytes { bytes in
        var text = ""
        for index in 0..<bytes.count { text.unicodeScalars.append(Unicode.Scalar(bytes[index])) }
        return text
    }
}

func initialSnapshot(kind: TokenKind = .system) -> TokenSnapshot {
    TokenSnapshot(
        version: 1, token: nil, kind: kind, source: .postgreSQL, isRenewable: true, health: .missing(.notReadYet))
}

/// Lets other tasks run until `condition` holds; gives up after a minute of the real clock.
func eventually(_ condition: () async -> Bool) async -> Bool {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(60)
    while clock.now < deadline {
        if await condition() { return true }
        try? await Task.sleep(for: .milliseconds(1))
    }
    return await condition()
}
