internal import Glibc

/// Waits until poll(2) reports one of `events`, an error or the end on `descriptor`.
/// - Parameter end: when to give up.
/// - Returns: false when that passed first.
package func waitUntilReady(
    _ descriptor: CInt, for events: CInt, until end: Instant
) throws(SystemError) -> Bool {
    while true {
        let now = Clock.now
        guard now < end else { return false }
        var entry = pollfd(fd: descriptor, events: CShort(events), revents: 0)
        // Rounded up, so that what is left is not waited for in a loop.
        let ready = poll(&entry, 1, CInt(min((end - now).millisecondsRoundedUp, 60_000)))
        if ready > 0 { return true }
        if ready < 0, errno != EINTR { throw SystemError(code: errno) }
    }
}
