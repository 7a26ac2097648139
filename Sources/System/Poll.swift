internal import Glibc

/// Waits until poll(2) reports one of `events`, an error or the end on `descriptor`.
/// - Parameter end: of the monotonic clock, in nanoseconds.
/// - Returns: false when that passed first.
package func waitUntilReady(
    _ descriptor: CInt, for events: CInt, until end: UInt64
) throws(SystemError) -> Bool {
    while true {
        let now = Clock.monotonic
        guard now < end else { return false }
        var entry = pollfd(fd: descriptor, events: CShort(events), revents: 0)
        // Rounded up, so that what is left is not waited for in a loop.
        let ready = poll(&entry, 1, CInt(min((end - now + 999_999) / 1_000_000, 60_000)))
        if ready > 0 { return true }
        if ready < 0, errno != EINTR { throw SystemError(code: errno) }
    }
}
