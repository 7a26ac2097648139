package import EventLoop
internal import Glibc
package import System

/// The second listener, for operators: one thread, a handful of connections, each with a deadline.
package final class AdminServer: Sendable {
    /// When one more comes, the oldest is dropped: slow clients cannot keep others out.
    private static let mostConnections = 32
    /// Accepting pauses for so long when descriptors or memory ran out.
    private static let pauseNanoseconds: UInt64 = 100_000_000

    /// How often is looked whether the device flow has answered.
    private static let lookNanoseconds: UInt64 = 20_000_000

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
        var pausedUntil: UInt64 = 0
        while true {
            var now = Clock.monotonic
            wait(connections, pausedUntil: pausedUntil, now)
            now = Clock.monotonic
            if now >= pausedUntil { pausedUntil = accept(into: &connections, now) }
            for box in connections { box.connection.proceed(pages) }
            now = Clock.monotonic
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

    private func wait(_ connections: [Box], pausedUntil: UInt64, _ now: UInt64) {
        var end = UInt64.max
        var descriptors = connections.map { box in
            end = min(end, box.connection.deadline)
            if box.connection.waiting == .answer { end = min(end, now + Self.lookNanoseconds) }
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
        let timeout = end == .max ? -1 : Int32(clamping: (end - min(end, now)) / 1_000_000 + 1)
        poll(&descriptors, nfds_t(descriptors.count), timeout)
    }

    /// - Returns: until when to pause; 0 is not at all.
    private func accept(into connections: inout [Box], _ now: UInt64) -> UInt64 {
        for _ in 0..<Self.mostConnections {
            switch listener.accept() {
            case .none: return 0
            case .aborted: continue
            case .exhausted: return now + Self.pauseNanoseconds
            case .socket(let descriptor, from: _):
                if connections.count == Self.mostConnections { connections.removeFirst() }
                connections.append(Box(AdminConnection(Socket(owning: descriptor), now: now)))
            }
        }
        return 0
    }
}
