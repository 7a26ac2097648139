internal import EventLoop

/// The listeners of one worker.
final class Listeners: Sendable {
    private let listeners: [Listener]

    init(_ listeners: [Listener]) {
        self.listeners = listeners
    }

    var count: Int { listeners.count }

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
}
