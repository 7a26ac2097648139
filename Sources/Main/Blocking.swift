internal import System

/// For a plain thread that has to wait for the concurrent world.
enum Blocking {
    /// Runs `body` and waits until it returns. Never to be called from a task: it blocks the thread.
    static func wait(_ body: @escaping @Sendable () async -> Void) {
        let done = Latch()
        Task.detached {
            await body()
            done.open()
        }
        done.wait()
    }
}
