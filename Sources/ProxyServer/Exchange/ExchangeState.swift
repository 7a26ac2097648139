// The life of one exchange, whole and on its own: no I/O, no clock, no bytes.
//
// An exchange is one request of a client, its forwarding to the upstream and the answer's way back. Two
// message bodies may move at once, so there are two half-machines (the readers and writers in `Exchange`);
// what they may do is decided by one phase. `Exchange` reports what happened as an `Event`, `step` says
// which phase follows and which `Action` is due, and `Exchange` does it. No other place changes the phase.
//
// The way of an ordinary request:
//
//     readingHead → dialing → sendingRequest → awaitingResponse → relaying → closing → vacant
//
// Around it:
//  - A chunked body that may fit the replay buffer is collected first (`collectingBody`): uWSGI loses
//    chunked bodies, so it is sent with a Content-Length when it can be.
//  - A token under suspicion is renewed before a long body starts (`renewingFirst`), where the first token after a
//    start is waited for as well, and once more a 401 parks the exchange (`renewing`) until the token is known to
//    be new or not.
//  - An answer may come before the request's body has ended (`relayingEarly`).
//  - What the proxy answers by itself is `respondingLocally`.
//  - `closing` holds what is left after the answer: a client that still sends must be drained, or close()
//    would turn into a reset that can destroy the answer on its way (RFC 9112 §9.6), and the upstream's FIN is
//    waited for, so that the TIME_WAIT state is its own.

/// Where an exchange is.
package enum Phase: UInt8, Sendable, CaseIterable {
    case vacant
    case readingHead
    case collectingBody
    case renewingFirst
    case dialing
    case sendingRequest
    case awaitingResponse
    case renewing
    case relayingEarly
    case relaying
    case respondingLocally
    /// The device flow is asked for the answer.
    case consulting
    case closing
}

/// What happened to it.
package enum Event: UInt8, Sendable, CaseIterable {
    /// A connection was accepted into the slot.
    case accepted
    /// The head is whole and is to be forwarded; nothing has to happen before.
    case headAccepted
    /// The head is whole; its chunked body is to be collected before it is forwarded.
    case bodyWanted
    /// The head is whole; the token is suspect and the body too long to be sent twice.
    case renewalWanted
    /// The collected body has ended.
    case bodyCollected
    /// The body does not fit the replay buffer: it goes on as a stream.
    case bodyOutgrewBuffer
    /// The request, or the rest of it, is one that must be refused.
    case requestRefused
    /// The upstream connection is ready for the request's first byte.
    case connected
    /// No address of the upstream could be connected to.
    case dialFailed
    /// The request's last byte was handed to the upstream's socket.
    case requestSent
    /// A final answer's head is whole and is to be relayed.
    case responseBegan
    /// The upstream said 401 to a token that may be renewed, and the request can be sent again.
    case tokenRefused
    /// There is a newer token.
    case tokenRenewed
    /// There is none.
    case tokenNotRenewed
    /// The answer's last byte was handed to the client's socket.
    case responseSent
    /// The upstream ended, or broke the protocol, before its answer's head was relayed.
    case upstreamFailed
    /// The same after the head was relayed.
    case responseBroken
    /// The upstream was silent for too long before its answer's head.
    case upstreamTimedOut
    /// The client was silent for too long before its request's end.
    case clientTimedOut
    /// No byte of the answer moved for too long.
    case relayStalled
    /// The client's connection is gone.
    case clientLeft
    /// Nothing is left to wait for on either side.
    case bothClosed
    /// The request is one to the device flow, and whole.
    case flowWanted
    /// The device flow has answered.
    case flowAnswered
    /// The connection is to end without an answer.
    case flowSilent
}

/// What is to be done about it.
package enum Action: UInt8, Sendable, CaseIterable {
    case nothing
    /// Read the request's head.
    case readHead
    /// Read the body into the replay buffer.
    case collectBody
    /// Ask for a newer token.
    case renewToken
    /// Connect and send the request from its start.
    case dial
    /// Close the refused attempt, connect anew and send the kept request with the new token.
    case replay
    /// Move the request's bytes.
    case sendRequest
    /// Move the answer's bytes.
    case relayResponse
    /// Move the held 401 on to the client.
    case relayHeldResponse
    /// Write an answer of the proxy's own.
    case respondLocally
    /// Hand the request to the device flow.
    case consult
    /// Close both sides as gently as they allow.
    case close
    /// Close the client so that it cannot take what it has for a whole answer, and drop the upstream.
    case abort
    /// Drop the upstream at once and give the slot back.
    case abandon
    /// Give the slot back.
    case release
}

/// The outcome of one event.
package enum Step: Sendable, Equatable {
    case next(Phase, Action)
    /// The pair cannot happen; if it does all the same, the exchange is abandoned and counted.
    case illegal
}

/// The whole machine.
package func step(_ phase: Phase, _ event: Event) -> Step {
    #if SIMULATION
        stepWitness?(phase, event)
    #endif
    return switch phase {
    case .vacant:
        switch event {
        case .accepted: .next(.readingHead, .readHead)
        case .headAccepted, .bodyWanted, .renewalWanted, .bodyCollected, .bodyOutgrewBuffer, .requestRefused,
            .connected, .dialFailed, .requestSent, .responseBegan, .tokenRefused, .tokenRenewed, .tokenNotRenewed,
            .responseSent, .upstreamFailed, .responseBroken, .upstreamTimedOut, .clientTimedOut, .relayStalled,
            .clientLeft, .bothClosed, .flowWanted, .flowAnswered, .flowSilent:
            .illegal
        }
    case .readingHead:
        switch event {
        case .flowWanted: .next(.consulting, .consult)
        case .headAccepted: .next(.dialing, .dial)
        case .bodyWanted: .next(.collectingBody, .collectBody)
        case .renewalWanted: .next(.renewingFirst, .renewToken)
        case .requestRefused, .clientTimedOut: .next(.respondingLocally, .respondLocally)
        case .clientLeft: .next(.vacant, .release)
        case .accepted, .bodyCollected, .bodyOutgrewBuffer, .connected, .dialFailed, .requestSent, .responseBegan,
            .tokenRefused, .tokenRenewed, .tokenNotRenewed, .responseSent, .upstreamFailed, .responseBroken,
            .upstreamTimedOut, .relayStalled, .bothClosed, .flowAnswered, .flowSilent:
            .illegal
        }
    case .collectingBody:
        switch event {
        case .flowWanted: .next(.consulting, .consult)
        case .bodyCollected, .bodyOutgrewBuffer: .next(.dialing, .dial)
        case .renewalWanted: .next(.renewingFirst, .renewToken)
        case .requestRefused, .clientTimedOut: .next(.respondingLocally, .respondLocally)
        case .clientLeft: .next(.vacant, .release)
        case .accepted, .headAccepted, .bodyWanted, .connected, .dialFailed, .requestSent, .responseBegan,
            .tokenRefused, .tokenRenewed, .tokenNotRenewed, .responseSent, .upstreamFailed, .responseBroken,
            .upstreamTimedOut, .relayStalled, .bothClosed, .flowAnswered, .flowSilent:
            .illegal
        }
    case .renewingFirst:
        switch event {
        // Not renewed: the token may be right after all, and the upstream is the judge of that.
        case .tokenRenewed, .tokenNotRenewed: .next(.dialing, .dial)
        case .clientLeft: .next(.vacant, .abandon)
        case .accepted, .headAccepted, .bodyWanted, .renewalWanted, .bodyCollected, .bodyOutgrewBuffer,
            .requestRefused, .connected, .dialFailed, .requestSent, .responseBegan, .tokenRefused, .responseSent,
            .upstreamFailed, .responseBroken, .upstreamTimedOut, .clientTimedOut, .relayStalled, .bothClosed,
            .flowWanted,
            .flowAnswered, .flowSilent:
            .illegal
        }
    case .dialing:
        switch event {
        case .connected: .next(.sendingRequest, .sendRequest)
        case .dialFailed: .next(.respondingLocally, .respondLocally)
        case .clientLeft: .next(.vacant, .abandon)
        case .accepted, .headAccepted, .bodyWanted, .renewalWanted, .bodyCollected, .bodyOutgrewBuffer,
            .requestRefused, .requestSent, .responseBegan, .tokenRefused, .tokenRenewed, .tokenNotRenewed,
            .responseSent,
            .upstreamFailed, .responseBroken,
            .upstreamTimedOut, .clientTimedOut, .relayStalled, .bothClosed, .flowWanted, .flowAnswered, .flowSilent:
            .illegal
        }
    case .sendingRequest:
        switch event {
        case .requestSent: .next(.awaitingResponse, .nothing)
        case .responseBegan: .next(.relayingEarly, .relayResponse)
        case .tokenRefused: .next(.renewing, .renewToken)
        case .requestRefused, .upstreamFailed, .upstreamTimedOut, .clientTimedOut:
            .next(.respondingLocally, .respondLocally)
        case .clientLeft: .next(.vacant, .abandon)
        case .accepted, .headAccepted, .bodyWanted, .renewalWanted, .bodyCollected, .bodyOutgrewBuffer, .connected,
            .dialFailed, .tokenRenewed, .tokenNotRenewed, .responseSent, .responseBroken, .relayStalled, .bothClosed,
            .flowWanted, .flowAnswered, .flowSilent:
            .illegal
        }
    case .awaitingResponse:
        switch event {
        case .responseBegan: .next(.relaying, .relayResponse)
        case .tokenRefused: .next(.renewing, .renewToken)
        case .upstreamFailed, .upstreamTimedOut: .next(.respondingLocally, .respondLocally)
        case .clientLeft: .next(.vacant, .abandon)
        case .accepted, .headAccepted, .bodyWanted, .renewalWanted, .bodyCollected, .bodyOutgrewBuffer,
            .requestRefused, .connected, .dialFailed, .requestSent, .tokenRenewed, .tokenNotRenewed, .responseSent,
            .responseBroken, .clientTimedOut, .relayStalled, .bothClosed, .flowWanted, .flowAnswered, .flowSilent:
            .illegal
        }
    case .renewing:
        switch event {
        case .tokenRenewed: .next(.dialing, .replay)
        // Early, because the request's body may not have ended; `requestSent` follows at once if it has.
        case .tokenNotRenewed: .next(.relayingEarly, .relayHeldResponse)
        // The 401 is not for a bounded alias to see.
        case .upstreamFailed: .next(.respondingLocally, .respondLocally)
        case .clientLeft: .next(.vacant, .abandon)
        case .accepted, .headAccepted, .bodyWanted, .renewalWanted, .bodyCollected, .bodyOutgrewBuffer,
            .requestRefused, .connected, .dialFailed, .requestSent, .responseBegan, .tokenRefused, .responseSent,
            .responseBroken, .upstreamTimedOut, .clientTimedOut, .relayStalled, .bothClosed, .flowWanted, .flowAnswered,
            .flowSilent:
            .illegal
        }
    case .relayingEarly:
        switch event {
        case .requestSent: .next(.relaying, .nothing)
        case .responseSent: .next(.closing, .close)
        case .responseBroken, .relayStalled, .requestRefused: .next(.closing, .abort)
        case .clientLeft: .next(.vacant, .abandon)
        case .accepted, .headAccepted, .bodyWanted, .renewalWanted, .bodyCollected, .bodyOutgrewBuffer, .connected,
            .dialFailed, .responseBegan, .tokenRefused, .tokenRenewed, .tokenNotRenewed, .upstreamFailed,
            .upstreamTimedOut, .clientTimedOut, .bothClosed, .flowWanted, .flowAnswered, .flowSilent:
            .illegal
        }
    case .relaying:
        switch event {
        case .responseSent: .next(.closing, .close)
        case .responseBroken, .relayStalled: .next(.closing, .abort)
        case .clientLeft: .next(.vacant, .abandon)
        case .accepted, .headAccepted, .bodyWanted, .renewalWanted, .bodyCollected, .bodyOutgrewBuffer,
            .requestRefused, .connected, .dialFailed, .requestSent, .responseBegan, .tokenRefused, .tokenRenewed,
            .tokenNotRenewed, .upstreamFailed, .upstreamTimedOut, .clientTimedOut, .bothClosed, .flowWanted,
            .flowAnswered, .flowSilent:
            .illegal
        }
    case .respondingLocally:
        switch event {
        case .responseSent: .next(.closing, .close)
        case .relayStalled: .next(.closing, .abort)
        case .clientLeft: .next(.vacant, .abandon)
        case .accepted, .headAccepted, .bodyWanted, .renewalWanted, .bodyCollected, .bodyOutgrewBuffer,
            .requestRefused, .connected, .dialFailed, .requestSent, .responseBegan, .tokenRefused, .tokenRenewed,
            .tokenNotRenewed, .upstreamFailed, .responseBroken, .upstreamTimedOut, .clientTimedOut, .bothClosed,
            .flowWanted, .flowAnswered, .flowSilent:
            .illegal
        }
    case .consulting:
        switch event {
        case .flowAnswered: .next(.respondingLocally, .respondLocally)
        case .flowSilent, .clientLeft: .next(.vacant, .abandon)
        case .accepted, .headAccepted, .bodyWanted, .renewalWanted, .bodyCollected, .bodyOutgrewBuffer,
            .requestRefused, .connected, .dialFailed, .requestSent, .responseBegan, .tokenRefused, .tokenRenewed,
            .tokenNotRenewed, .responseSent, .upstreamFailed, .responseBroken, .upstreamTimedOut, .clientTimedOut,
            .relayStalled, .bothClosed, .flowWanted:
            .illegal
        }
    case .closing:
        switch event {
        // A client that leaves now is read to its end, which is one of both.
        case .bothClosed: .next(.vacant, .release)
        case .accepted, .headAccepted, .bodyWanted, .renewalWanted, .bodyCollected, .bodyOutgrewBuffer,
            .requestRefused, .connected, .dialFailed, .requestSent, .responseBegan, .tokenRefused, .tokenRenewed,
            .tokenNotRenewed, .responseSent, .upstreamFailed, .responseBroken, .upstreamTimedOut, .clientTimedOut,
            .relayStalled, .clientLeft, .flowWanted, .flowAnswered, .flowSilent:
            .illegal
        }
    }
}
