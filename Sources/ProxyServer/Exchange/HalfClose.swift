internal import EventLoop
internal import System

/// A client whose FIN is in, or that sends more than its request.
extension Exchange {
    /// The client sent something while nothing of it is wanted: more requests, or its FIN.
    func clientSpoke(_ reactor: Reactor) {
        if client.hasEnded {
            clientEnded(reactor)
        } else if request.body.isWhole {
            client.noteMore()
        }
    }

    /// The client's FIN is in. After its whole request it may have left, or only have shut its sending side.
    ///
    /// TCP tells the two apart only when something is sent: a client that has left answers with a RST. In the middle of
    /// an answer its own bytes do that, and `--body-timeout` ends one that stalls. Before the answer an interim one is
    /// sent, which every HTTP/1.1 client must be able to pass over (RFC 9110 §15.2). Not all can, so it is sent late:
    /// most answers are there before. An HTTP/1.0 client must not get one and has the benefit of the doubt.
    private func clientEnded(_ reactor: Reactor) {
        switch phase {
        case .dialing, .awaitingResponse, .renewing, .renewingFirst, .consulting:
            // The rest of the body may lie before the FIN: whoever reads it finds out.
            if request.body.isWhole { noteHalfClose(reactor) }
        case .vacant, .readingHead, .collectingBody, .sendingRequest, .relayingEarly, .relaying, .respondingLocally,
            .closing:
            break
        }
    }

    /// The request's last byte is out; the FIN may have come before it.
    func noteEarlyFIN(_ reactor: Reactor) {
        if client.hasEnded { noteHalfClose(reactor) }
    }

    private func noteHalfClose(_ reactor: Reactor) {
        guard timer.probe == .none, request.version == .http11 else { return }
        setProbe(at: reactor.now + Bounds.probe, reactor)
    }

    /// The answer did not come in time: whether anybody waits for it must be known now.
    func probeClient(_ pool: inout BufferPool) {
        switch phase {
        case .dialing, .awaitingResponse, .renewing, .renewingFirst, .consulting: sendContinue(&pool)
        case .vacant, .readingHead, .collectingBody, .sendingRequest, .relayingEarly, .relaying, .respondingLocally,
            .closing:
            break
        }
    }

    /// Sends `100 Continue` (RFC 9110 §15.2.1), which fits into any socket buffer that is otherwise empty.
    func sendContinue(_ pool: inout BufferPool) {
        let text: StaticString = "HTTP/1.1 100 Continue\r\n\r\n"
        let bytes = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        _ = client.send(bytes, more: false, pool: &pool)
    }
}
