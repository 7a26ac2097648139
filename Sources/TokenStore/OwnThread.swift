internal import Glibc
internal import Synchronization

/// Runs `work`, which may block, on a thread made for it, so that no thread of the cooperative pool waits.
///
/// - Parameter deadlineNanoseconds: `work` has this deadline itself; half a second after it the answer is `nil`, because
///   one thing in `work` knows no deadline: a look-up of a host name inside libpq. The thread then ends by itself later
///   and its answer is dropped.
package func onOwnThread<R: Sendable>(deadlineNanoseconds: UInt64, _ work: @escaping @Sendable () -> R) async -> R? {
    let answer = FirstAnswer<R>()
    let timer = Task {
        try? await Task.sleep(nanoseconds: deadlineNanoseconds &+ 500_000_000)
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

private final class ThreadBody {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Starts a detached thread that takes no signals: those belong to the main thread.
func startThread(_ run: @escaping @Sendable () -> Void) -> Bool {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    // Balanced in the thread, or below when there is none.
    let body = Unmanaged.passRetained(ThreadBody(run))
    var thread = pthread_t()
    let status = pthread_create(
        &thread, &attributes,
        { argument in
            var all = sigset_t()
            sigfillset(&all)
            pthread_sigmask(SIG_BLOCK, &all, nil)
            Unmanaged<ThreadBody>.fromOpaque(argument!).takeRetainedValue().run()
            return nil
        }, body.toOpaque())
    if status != 0 { body.release() }
    return status == 0
}

/// Stops the calling thread, which must be one of its own, for a while.
func pauseThread(seconds: UInt64) {
    sleep(CUnsignedInt(seconds))
}

/// Stops the calling thread, which must be one of its own, until `isDone`, looked at every few milliseconds, or the
/// deadline of the monotonic clock.
func pauseThread(until deadline: UInt64, _ isDone: () -> Bool) {
    while !isDone(), SystemClock().now().monotonicNanoseconds < deadline { usleep(5_000) }
}
