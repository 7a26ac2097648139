internal import Glibc
internal import Synchronization

/// Runs `work`, which may block, on a thread made for it, so that no thread of the cooperative pool waits.
///
/// - Parameter time: `work` has this deadline itself; half a second after it the answer is `nil`, because
///   one thing in `work` knows no deadline: a look-up of a host name inside libpq. The thread then ends by itself later
///   and its answer is dropped.
package func onOwnThread<R: Sendable>(within time: Duration, _ work: @escaping @Sendable () -> R) async -> R? {
    let answer = FirstAnswer<R>()
    let timer = Task {
        try? await Task.sleep(nanoseconds: (time + .milliseconds(500)).nanoseconds)
        if !Task.isCancelled { answer.give(nil) }
    }
    defer { timer.cancel() }
    return await withCheckedContinuation { continuation in
        answer.arrive(continuation)
        let started = startThread { answer.give(work()) }
        if !started { answer.give(nil) }
    }
}

/// The first of several answers goes to the one who waits, the others nowhere.
private final class FirstAnswer<R: Sendable>: Sendable {
    private let waiting = Mutex<CheckedContinuation<R?, Never>?>(nil)

    func arrive(_ continuation: CheckedContinuation<R?, Never>) {
        waiting.withLock { $0 = continuation }
    }

    func give(_ value: R?) {
        let continuation = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        continuation?.resume(returning: value)
    }
}

/// Starts a detached thread that takes no signals: those belong to the main thread.
package func startThread(_ run: @escaping @Sendable () -> Void) -> Bool {
    guard let thread = try? Thread(name: "blocking", takesSignals: false, run) else { return false }
    thread.detach()
    return true
}

/// Stops the calling thread, which must be one of its own, for a while.
package func pauseThread(for time: Duration) {
    sleep(CUnsignedInt(time.secondsRoundedUp))
}

/// Stops the calling thread, which must be one of its own, until `isDone`, looked at every few milliseconds, or the
/// deadline of the monotonic clock.
package func pauseThread(until deadline: Instant, _ isDone: () -> Bool) {
    while !isDone(), Clock.now < deadline { usleep(5_000) }
}
