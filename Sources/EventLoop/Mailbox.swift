internal import CEpoll
internal import Synchronization
package import System

/// How any thread hands a message to a reactor's thread: a short lock and, for the first message since
/// the last look, a wake-up by eventfd(2).
package final class Mailbox<Message: Sendable>: Sendable {
    private struct State {
        var messages: [Message] = []
        var isSignalled = false
    }

    private let state = Mutex(State())
    private let wakeup: Descriptor

    package init() throws(SystemError) {
        wakeup = Descriptor(owning: try checked(cepoll_eventfd()))
    }

    /// Readable when there are messages.
    package var descriptor: CInt { wakeup.raw }

    package func post(_ message: Message) {
        let mustSignal = state.withLock { state in
            state.messages.append(message)
            defer { state.isSignalled = true }
            return !state.isSignalled
        }
        if mustSignal { _ = cepoll_eventfd_signal(wakeup.raw) }
    }

    /// Takes all messages, oldest first.
    package func takeAll() -> [Message] {
        _ = cepoll_eventfd_drain(wakeup.raw)
        return state.withLock { state in
            defer { state = State() }
            return state.messages
        }
    }
}
