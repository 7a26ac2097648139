internal import EventLoop
internal import Glibc
internal import Synchronization
package import System

/// The one thread that writes to the log's descriptor. Whoever has a line puts it into a bounded queue and goes on: when
/// the descriptor is slow, lines are dropped and counted, and no request waits.
package final class LogWriter: Sendable {
    private static let ringBytes = 262_144
    /// Lines are gathered for so long before they are written, so that a busy worker costs one wake-up in that time.
    private static let gatherMicroseconds: UInt32 = 20_000

    private struct Queue {
        var rings: [ByteRing] = []
        var isStopping = false
    }

    package let format: LogFormat
    private let descriptor: CInt
    private let queue = Mutex(Queue())
    /// Lines from other threads than the workers: few, so a lock will do.
    private let events = ByteRing(capacity: ringBytes)
    private let eventsLock = Mutex(())
    private let isAsleep = Atomic<Bool>(false)
    private let dropped = Atomic<UInt64>(0)
    private let bell: Mailbox<Void>
    private let isRunning = Atomic<Bool>(false)

    /// - Parameter descriptor: written to, never closed.
    package init(descriptor: CInt, format: LogFormat) throws(SystemError) {
        self.descriptor = descriptor
        self.format = format
        bell = try Mailbox()
    }

    /// Lines lost since the start: they did not fit into the queue, or the descriptor did not take them.
    package var droppedLines: UInt64 { dropped.load(ordering: .relaxed) }

    package func start() throws(SystemError) {
        isRunning.store(true, ordering: .releasing)
        try Thread(name: "log") { [self] in run() }.detach()
    }

    /// A queue for one worker's thread.
    func makeRing() -> ByteRing {
        let ring = ByteRing(capacity: Self.ringBytes)
        queue.withLock { $0.rings.append(ring) }
        return ring
    }

    /// Queues a line of a worker.
    func write(_ line: UnsafeRawBufferPointer, to ring: ByteRing) {
        guard ring.write(line) else {
            dropped.add(1, ordering: .relaxed)
            return
        }
        wake()
    }

    /// Queues one line of any other thread.
    package func log(_ level: LogLevel, _ message: String, _ fields: [(String, String)] = []) {
        withUnsafeTemporaryAllocation(byteCount: 8_192, alignment: 1) { buffer in
            var line = LogLine(buffer, format)
            line.time(Clock.wall)
            line.field("level", text: level.rawValue)
            line.field("msg", text: message)
            for (name, value) in fields { line.field(key: name, text: value) }
            let count = line.end()
            // An event that is too long for a line counts as dropped too.
            let written =
                count > 0
                && eventsLock.withLock { _ in events.write(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
            if !written { dropped.add(1, ordering: .relaxed) }
        }
        wake()
    }

    /// Writes what is queued and ends the thread. A descriptor that blocks is given up after a second.
    package func stop() {
        queue.withLock { $0.isStopping = true }
        bell.post(())
        for _ in 0..<100 where isRunning.load(ordering: .acquiring) { usleep(10_000) }
    }

    private func wake() {
        if isAsleep.exchange(false, ordering: .acquiringAndReleasing) { bell.post(()) }
    }

    private func run() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
        defer { buffer.deallocate() }
        var output = LogOutput(descriptor: descriptor)
        while true {
            let (rings, isStopping) = queue.withLock { ($0.rings, $0.isStopping) }
            var isIdle = true
            for ring in rings + [events] {
                while true {
                    let count = ring.read(into: buffer)
                    guard count > 0 else { break }
                    isIdle = false
                    let lost = output.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                    if lost > 0 { dropped.add(lost, ordering: .relaxed) }
                }
            }
            if isStopping {
                isRunning.store(false, ordering: .releasing)
                return
            }
            if isIdle {
                // Announced first and looked at once more, so that a line queued in between is not left behind.
                if isAsleep.exchange(true, ordering: .acquiringAndReleasing) {
                    var waiting = pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0)
                    poll(&waiting, 1, -1)
                    _ = bell.takeAll()
                    isAsleep.store(false, ordering: .releasing)
                    usleep(Self.gatherMicroseconds)
                }
            } else {
                isAsleep.store(false, ordering: .releasing)
                usleep(Self.gatherMicroseconds)
            }
        }
    }
}
