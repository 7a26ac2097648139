internal import Glibc

/// Threads wait at it until it is opened, once (sem_overview(7)).
package final class Latch: @unchecked Sendable {
    // Invariant: the semaphore is initialised before anybody sees the object and destroyed after all have left it;
    // its calls are thread-safe by themselves. Hence @unchecked.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    package init() {
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    package func open() {
        sem_post(semaphore)
    }

    /// Waits without end.
    package func wait() {
        while sem_wait(semaphore) != 0 {}
        sem_post(semaphore)
    }

    /// Waits for at most this long.
    /// - Returns: whether it was opened.
    package func wait(within time: Duration) -> Bool {
        guard take(within: time) else { return false }
        sem_post(semaphore)
        return true
    }

    /// Waits for at most this long, and closes it again: for the one thread that is woken whenever there is something to do.
    /// - Returns: whether it was opened.
    @discardableResult
    package func pass(within time: Duration) -> Bool {
        guard take(within: time) else { return false }
        // What it was opened for meanwhile is done at once.
        while sem_trywait(semaphore) == 0 {}
        return true
    }

    private func take(within time: Duration) -> Bool {
        let end = Clock.wall.nanoseconds + time.nanoseconds
        var time = timespec(tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
        while sem_timedwait(semaphore, &time) != 0 {
            if errno == ETIMEDOUT { return false }
        }
        return true
    }
}
