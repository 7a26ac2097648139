internal import CEpoll
internal import System

/// An epoll instance and the array it reports into.
struct Epoll: ~Copyable {
    private let descriptor: Descriptor
    // Invariant: `wait` writes at most `capacity` entries, and `event(at:)` reads below the count that
    // `wait` returned. Allocated once, freed by deinit.
    private let events: UnsafeMutablePointer<epoll_event>
    private let capacity: Int

    init(capacity: Int = 256) throws(SystemError) {
        descriptor = Descriptor(owning: try checked(cepoll_create()))
        events = .allocate(capacity: capacity)
        events.initialize(repeating: epoll_event(), count: capacity)
        self.capacity = capacity
    }

    deinit {
        events.deallocate()
    }

    func add(_ fd: CInt, _ interest: Readiness, _ token: EventToken) throws(SystemError) {
        _ = try checked(cepoll_add(descriptor.raw, fd, interest.rawValue, token.raw))
    }

    func modify(_ fd: CInt, _ interest: Readiness, _ token: EventToken) throws(SystemError) {
        _ = try checked(cepoll_modify(descriptor.raw, fd, interest.rawValue, token.raw))
    }

    func remove(_ fd: CInt) {
        _ = cepoll_remove(descriptor.raw, fd)
    }

    /// Waits for events.
    /// - Parameter timeoutMilliseconds: -1 waits without end.
    /// - Returns: how many entries `event(at:)` has; 0 also when a signal interrupted the wait.
    func wait(timeoutMilliseconds: CInt) -> Int {
        max(0, Int(cepoll_wait(descriptor.raw, events, CInt(capacity), timeoutMilliseconds)))
    }

    func event(at index: Int) -> (token: EventToken, readiness: Readiness) {
        precondition(index >= 0 && index < capacity)
        let event = events[index]
        return (EventToken(raw: event.data.u64), Readiness(rawValue: event.events))
    }
}
