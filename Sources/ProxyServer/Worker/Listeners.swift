internal import EventLoop
internal import System

/// The listeners of one worker.
final class Listeners: @unchecked Sendable {
    // Invariant: made on the thread that starts the worker, used on the worker's thread only from then on. Hence
    // @unchecked.
    private var listeners: [Listener]

    init(_ listeners: [Listener]) {
        self.listeners = listeners
    }

    var count: Int { listeners.count }
    /// `close` was called.
    var isClosed: Bool { listeners.isEmpty }

    func watch(with reactor: Reactor) throws(SystemError) {
        for (number, listener) in listeners.enumerated() {
            try reactor.watch(listener: listener.descriptor, number: number)
        }
    }

    func unwatch(with reactor: Reactor) {
        for listener in listeners { reactor.unwatch(listener.descriptor) }
    }

    @inline(__always)
    func accept(_ number: Int) -> Listener.Accepted { listeners[number].accept() }

    /// Lets no more connections in; see `Listener.stopQueueing`.
    /// - Returns: for how long the queues must still be watched.
    func stopQueueing(with reactor: Reactor) -> Duration {
        // What is in a queue that another process can accept from is left to it.
        for listener in listeners where listener.isInherited { reactor.unwatch(listener.descriptor) }
        listeners.removeAll(where: \.isInherited)
        return listeners.reduce(.zero) { max($0, $1.stopQueueing()) }
    }

    /// Gives the sockets up: each is closed when the last worker that shares it has done so.
    func close(with reactor: Reactor) {
        unwatch(with: reactor)
        listeners = []
    }
}
