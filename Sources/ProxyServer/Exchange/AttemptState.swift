// The attempts to connect to the upstream, within the phase `dialing` (RFC 8305 §5): the same kind of machine as that of the
// exchange, whole and on its own.

/// Which attempts are under way.
package enum AttemptState: UInt8, Sendable, CaseIterable {
    case none
    /// The name service has not answered yet.
    case awaitingAddresses
    /// The listen queue of a Unix-domain socket is full.
    case awaitingQueue
    case one
    /// A second one, beside the first that does not get on.
    case two
    /// TCP is connected, and TLS waits for its peer.
    case handshaking
    case connected
}

/// What happened to them.
package enum AttemptInput: UInt8, Sendable, CaseIterable {
    case addressesMissing
    case queueFull
    case began
    case secondBegan
    case handshakeBegan
    /// One of them failed, was given up or overtaken.
    case failed
    case connected
}

/// - Returns: nil when the pair cannot happen.
package func step(_ state: AttemptState, _ input: AttemptInput) -> AttemptState? {
    switch state {
    case .none:
        switch input {
        case .addressesMissing: .awaitingAddresses
        case .queueFull: .awaitingQueue
        case .began: .one
        case .secondBegan, .handshakeBegan, .failed, .connected: nil
        }
    case .awaitingAddresses, .awaitingQueue:
        switch input {
        case .queueFull: .awaitingQueue
        case .began: .one
        case .addressesMissing, .secondBegan, .handshakeBegan, .failed, .connected: nil
        }
    case .one:
        switch input {
        case .secondBegan: .two
        case .handshakeBegan: .handshaking
        case .failed: AttemptState.none
        case .connected: .connected
        case .addressesMissing, .queueFull, .began: nil
        }
    case .two:
        switch input {
        // The race is for TCP: the one that is left.
        case .failed: .one
        case .handshakeBegan: .handshaking
        case .connected: .connected
        case .addressesMissing, .queueFull, .began, .secondBegan: nil
        }
    case .handshaking:
        switch input {
        case .failed: AttemptState.none
        case .connected: .connected
        case .addressesMissing, .queueFull, .began, .secondBegan, .handshakeBegan: nil
        }
    case .connected:
        switch input {
        case .addressesMissing, .queueFull, .began, .secondBegan, .handshakeBegan, .failed, .connected: nil
        }
    }
}
