internal import CEpoll
internal import Glibc

/// A plain thread of the operating system.
package struct Thread: Sendable {
    private let handle: pthread_t

    private final class Start {
        let name: String
        let takesSignals: Bool
        let body: @Sendable () -> Void

        init(name: String, takesSignals: Bool, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.takesSignals = takesSignals
            self.body = body
        }
    }

    /// Starts a thread that runs `body` and ends.
    /// - Parameters:
    ///   - name: shown by ps(1) and top(1); at most 15 bytes count.
    ///   - takesSignals: whether a signal of the process may interrupt it.
    package init(
        name: String, takesSignals: Bool = true, _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        // Ownership of the box goes to the thread, which takes it back exactly once.
        let start = Unmanaged.passRetained(Start(name: String(name.prefix(15)), takesSignals: takesSignals, body: body))
        var handle = pthread_t()
        let result = pthread_create(
            &handle, nil,
            { argument in
                let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                cepoll_name_thread(start.name)
                if !start.takesSignals {
                    var all = sigset_t()
                    sigfillset(&all)
                    pthread_sigmask(SIG_BLOCK, &all, nil)
                }
                start.body()
                return nil
            }, start.toOpaque())
        guard result == 0 else {
            start.release()
            throw SystemError(code: result)
        }
        self.handle = handle
    }

    /// Lets the thread clean up after itself: nobody will `join` it.
    package func detach() {
        pthread_detach(handle)
    }

    /// Waits until the thread has ended. To be called once at most, and not after `detach`.
    package func join() {
        pthread_join(handle, nil)
    }
}
