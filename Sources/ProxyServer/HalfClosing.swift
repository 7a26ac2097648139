internal import EventLoop

/// A client whose FIN is in, or that sends more than its request.
extension Exchange {
    /// The client sent something while nothing of it is wanted: more requests, or its FIN.
    func clientSpoke(_ worker: Worker) {
        if client.hasEnded {
            clientEnded(worker)
        } else if requestBody.isWhole {
            clientSentMore = true
        }
    }

    /// The client's FIN is in. After its whole request it may have left, or only have shut its sending side.
    ///
    /// TCP tells the two apart only when something is sent: a client that has left answers with a RST. Before the answer
    /// an interim one is sent, which every HTTP/1.1 client must be able to pass over (RFC 9110 §15.2); an HTTP/1.0
    /// client must not get one and has the benefit of the doubt. Nobody shuts its sending side in the middle of an
    /// answer, so a FIN that comes only then is a departure.
    private func clientEnded(_ worker: Worker) {
        switch phase {
        case .dialing, .awaitingAnswer, .renewing, .renewingFirst:
            // The rest of the body may lie before the FIN: whoever reads it finds out.
            if requestBody.isWhole { noteHalfClose(worker) }
        case .relaying:
            if !isHalfClosed { advance(.clientLeft, worker) }
        case .vacant, .readingHead, .collectingBody, .sendingRequest, .relayingEarly, .answering, .closing:
            break
        }
    }

    /// The request's last byte is out. A FIN that came before it is no departure in the middle of the answer.
    func noteEarlyFIN(_ worker: Worker) {
        guard client.hasEnded else { return }
        if phase == .awaitingAnswer { noteHalfClose(worker) } else { isHalfClosed = true }
    }

    private func noteHalfClose(_ worker: Worker) {
        guard !isHalfClosed else { return }
        isHalfClosed = true
        if request.version == .http11 { sendContinue(worker) }
    }

    /// An answer that takes longer than one send is about to begin: whether the client's FIN came before it must be known
    /// now.
    func lookForHalfClose(_ worker: Worker) {
        guard requestBody.isWhole, !isHalfClosed, client.interest.isEmpty else { return }
        switch client.transport.receive(into: worker.scratch.inbound) {
        case .endOfStream: noteHalfClose(worker)
        case .bytes: clientSentMore = true
        case .wouldBlock, .failed: break
        }
    }

    /// Sends `100 Continue` (RFC 9110 §15.2.1), which fits into any socket buffer that is otherwise empty.
    func sendContinue(_ worker: Worker) {
        let text: StaticString = "HTTP/1.1 100 Continue\r\n\r\n"
        let bytes = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        _ = client.send(bytes, more: false, pool: &worker.pool)
    }
}
