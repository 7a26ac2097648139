package import EventLoop
internal import Glibc
package import System

/// The second listener, for operators: one thread, a handful of connections, each with a deadline.
package final class AdminServer: Sendable {
    /// When one more comes, the oldest is dropped: slow clients cannot keep others out.
    private static let mostConnections = 32
    /// Accepting pauses for so long when descriptors or memory ran out.
    private static let pause: Duration = .milliseconds(100)

    /// How often is looked whether the device flow has answered.
    private static let look: Duration = .milliseconds(20)

    private let listener: Listener
    private let pages: AdminPages

    package init(_ listener: Listener, _ facts: AdminFacts) {
        self.listener = listener
        pages = AdminPages(facts: facts)
    }

    /// Serves until the process ends.
    package func start() throws(SystemError) {
        try Thread(name: "admin") { [self] in run() }.detach()
    }

    private func run() {
        var connections: [Box] = []
        var pausedUntil = Instant.distantPast
        while true {
            var now = Clock.now
            wait(connections, pausedUntil: pausedUntil, now)
            now = Clock.now
            if now >= pausedUntil { pausedUntil = accept(into: &connections, now) }
            for box in connections { box.connection.proceed(pages) }
            now = Clock.now
            connections.removeAll { $0.connection.waiting == .nothing || now >= $0.connection.deadline }
        }
    }

    /// A connection is not copyable, and arrays hold copies.
    private final class Box {
        var connection: AdminConnection

        init(_ connection: consuming AdminConnection) {
            self.connection = connection
        }
    }

    private func wait(_ connections: [Box], pausedUntil: Instant, _ now: Instant) {
        var end = Instant.never
        var descriptors = connections.map { box in
            end = min(end, box.connection.deadline)
            if box.connection.waiting == .answer { end = min(end, now + Self.look) }
            // Who waits for the device flow is not listened to meanwhile.
            guard box.connection.waiting != .answer else { return pollfd(fd: -1, events: 0, revents: 0) }
            let events = box.connection.waiting == .writable ? POLLOUT : POLLIN
            return pollfd(fd: box.connection.descriptor, events: Int16(events), revents: 0)
        }
        if now >= pausedUntil {
            descriptors.append(pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0))
        } else {
            end = min(end, pausedUntil)
        }
        let timeout = end == .never ? -1 : Int32(clamping: (end - now).milliseconds + 1)
        poll(&descriptors, nfds_t(descriptors.count), timeout)
    }

    /// - Returns: until when to pause.
    private func accept(into connections: inout [Box], _ now: Instant) -> Instant {
        for _ in 0..<Self.mostConnections {
            switch listener.accept() {
            case .none: return .distantPast
            case .aborted: continue
            case .exhausted: return now + Self.pause
            case .socket(let descriptor, from: _):
                if connections.count == Self.mostConnections { connections.removeFirst() }
                connections.append(Box(AdminConnection(Socket(owning: descriptor), now: now)))
            }
        }
        return .distantPast
    }
}
