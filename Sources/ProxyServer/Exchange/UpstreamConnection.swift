internal import EventLoop
internal import System

/// The way to the upstream: one connection, and the attempts that led to it.
struct UpstreamConnection: ~Copyable {
    var side = ConnectionSide()
    var attempts = ConnectionAttempts()
}

/// The attempts to connect, within the phase `dialing`.
struct ConnectionAttempts: ~Copyable {
    var state = AttemptState.none
    /// When the request began to be dialed for, in nanoseconds of the monotonic clock.
    var startedAt = Instant.never
    var tried = TriedAddresses()
    var address = AttemptedAddress()
    /// The side of the upstream's events; the other one of the two is the second attempt's.
    var side = Exchange.Side.upstream
    var second = SecondAttempt()
}

/// A second attempt to connect, beside one that does not get on.
struct SecondAttempt: ~Copyable {
    var socket = Socket()
    var interest: Readiness = .nothing
    var address = AttemptedAddress()
}
