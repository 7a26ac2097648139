internal import CEpoll
internal import Glibc

/// Signals as values, read from a descriptor instead of in a handler.
///
/// The signals are blocked in the thread that creates this and in all that it starts later, so it must
/// be created before any other thread. It also makes a process that is PID 1 react to them.
package struct Signals: ~Copyable, Sendable {
    package enum Signal: Sendable {
        case terminate, interrupt, hangUp
    }

    private let descriptor: Descriptor

    package init() throws(SystemError) {
        let watched: [CInt] = [SIGTERM, SIGINT, SIGHUP]
        descriptor = Descriptor(owning: try checked(cepoll_signalfd(watched, CInt(watched.count))))
    }

    /// Waits for the next signal; nil when the descriptor failed.
    package func next() -> Signal? {
        switch cepoll_signalfd_read(descriptor.raw) {
        case SIGTERM: .terminate
        case SIGINT: .interrupt
        case SIGHUP: .hangUp
        default: nil
        }
    }
}
