internal import CEpoll
package import System

/// What a reactor calls; one implementation serves one reactor, on its thread.
package protocol ReactorHandler: AnyObject {
    /// An iteration of the loop begins: a good moment to look whether something was published.
    func iterationBegan(now: Instant)
    /// The listener that was watched under this number has connections to accept.
    func acceptReady(listener: Int, now: Instant)
    /// A watched descriptor is ready. The token may be stale.
    func ready(_ token: EventToken, _ readiness: Readiness, now: Instant)
    /// The slot's timer has run out.
    func timerExpired(slot: Int, now: Instant)
    /// The watched mailbox has messages.
    func mailReady(now: Instant)
    /// The iteration ends; `true` ends the loop.
    func iterationEnded(now: Instant) -> Bool
}

/// One thread's event loop: epoll, a timer wheel and a queue of work that ran out of its budget.
///
/// Everything except `Mailbox` is used on the loop's own thread only.
package final class Reactor {
    /// Sides of a token at or above this one are the reactor's own.
    private static let listenerSide: UInt8 = 255
    private static let mailboxSide: UInt8 = 254

    private var epoll: Epoll
    /// Timers, one for each slot of the handler.
    package var timers: TimerWheel
    /// Work that stopped at its budget and goes on in the next iteration, after everybody else had theirs.
    private var postponed: [(token: EventToken, readiness: Readiness)] = []
    private var postponedNext: [(token: EventToken, readiness: Readiness)] = []
    /// When the current iteration began.
    package private(set) var now: Instant
    /// The current iteration's number.
    package private(set) var iteration: UInt64 = 0
    private var wakeTime = Instant.never
    /// Longest iteration since `takeLongestIteration` was last called.
    private var longestIteration = Duration.zero

    package init() throws(SystemError) {
        epoll = try Epoll()
        now = Clock.now
        timers = TimerWheel(now: now)
    }

    /// Watches a socket, edge-triggered: after an event, read or write until it would block.
    package func watch(_ fd: CInt, _ interest: Readiness, _ token: EventToken) throws(SystemError) {
        try epoll.add(fd, interest.union(.edgeTriggered), token)
    }

    package func rewatch(_ fd: CInt, _ interest: Readiness, _ token: EventToken) throws(SystemError) {
        try epoll.modify(fd, interest.union(.edgeTriggered), token)
    }

    /// Watches a socket for more than before. Without kernel memory for it nothing is reported: a timer has to end the wait.
    /// - Parameter current: what the socket is watched for; `interest` is added.
    package func watch(_ fd: CInt, _ interest: Readiness, over current: inout Readiness, _ token: EventToken) {
        let wanted = current.union(interest)
        if current.isEmpty {
            try? watch(fd, wanted, token)
        } else {
            try? rewatch(fd, wanted, token)
        }
        current = wanted
    }

    /// Watches a listener, level-triggered: what one iteration does not accept is reported again.
    package func watch(listener fd: CInt, number: Int) throws(SystemError) {
        try epoll.add(fd, .readable, EventToken(generation: 0, slot: number, side: Self.listenerSide))
    }

    /// Stops watching a descriptor that stays open.
    package func unwatch(_ fd: CInt) {
        epoll.remove(fd)
    }

    package func watch(mailbox fd: CInt) throws(SystemError) {
        try epoll.add(fd, .readable, EventToken(generation: 0, slot: 0, side: Self.mailboxSide))
    }

    /// Reports `readiness` once more in the next iteration: for work that used up its budget.
    package func postpone(_ token: EventToken, _ readiness: Readiness) {
        postponedNext.append((token, readiness))
    }

    /// Makes sure that an iteration begins at about this time, whatever happens. One such time is kept, the latest asked for.
    package func wake(at time: Instant) {
        wakeTime = time
    }

    private func timeoutMilliseconds() -> Int32 {
        if !postponedNext.isEmpty { return 0 }
        let time = Clock.now
        let timeout = timers.timeoutMilliseconds(now: time)
        guard wakeTime != .never else { return timeout }
        let untilWake = Int32(clamping: (wakeTime - time).millisecondsRoundedUp)
        return timeout < 0 ? untilWake : min(timeout, untilWake)
    }

    /// The longest iteration since the last call: how long an event may have waited.
    package func takeLongestIteration() -> Duration {
        defer { longestIteration = .zero }
        return longestIteration
    }

    /// Runs the loop until the handler ends it.
    package func run(_ handler: some ReactorHandler) {
        while true {
            let count = epoll.wait(timeoutMilliseconds: timeoutMilliseconds())
            now = Clock.now
            iteration &+= 1
            if now >= wakeTime { wakeTime = .never }
            // Before anything is postponed in this iteration: what is runs in the next one.
            swap(&postponed, &postponedNext)
            handler.iterationBegan(now: now)
            for index in 0..<count {
                let (token, readiness) = epoll.event(at: index)
                switch token.side {
                case Self.listenerSide: handler.acceptReady(listener: token.slot, now: now)
                case Self.mailboxSide: handler.mailReady(now: now)
                default: handler.ready(token, readiness, now: now)
                }
            }
            for work in postponed { handler.ready(work.token, work.readiness, now: now) }
            postponed.removeAll(keepingCapacity: true)
            while let slot = timers.popExpired(now: now) { handler.timerExpired(slot: slot, now: now) }
            let stops = handler.iterationEnded(now: now)
            longestIteration = max(longestIteration, Clock.now - now)
            if stops { return }
        }
    }
}
