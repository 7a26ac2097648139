// What is true of the request's upload, of its replay and of the response, besides the exchange's phase: machines of the
// same kind as that one, each whole and on its own.

/// How far the request's way to the upstream has come.
enum Upload: UInt8, CaseIterable {
    /// Bytes of it are still to be sent, or its connection is not there yet.
    case streaming
    /// Its last byte was handed to the upstream's socket.
    case done
    /// The upstream's socket takes no more of it: it may have answered already.
    case givenUp
}

enum UploadInput: UInt8, CaseIterable {
    case lastByteSent
    /// The upstream takes no more, or the answer is out before the request is.
    case gaveUp
    /// A second sending begins.
    case restarted
}

/// - Returns: nil when the pair cannot happen.
@inline(__always)
func step(_ state: Upload, _ input: UploadInput) -> Upload? {
    switch (state, input) {
    case (_, .restarted): .streaming
    // Said again when an answer that was held for a renewal goes on.
    case (.streaming, .lastByteSent), (.done, .lastByteSent): .done
    case (.streaming, .gaveUp), (.givenUp, .gaveUp): .givenUp
    case (.done, .gaveUp), (.givenUp, .lastByteSent): nil
    }
}

/// Whether the request's body is kept, from its start.
enum Recording: UInt8, CaseIterable {
    case none
    /// As far as it came.
    case recording
    /// To its end.
    case complete
    /// It was too long or took too long: only a request that was not sent yet still has its beginning here.
    case overflowed
}

enum RecordingInput: UInt8, CaseIterable {
    case began
    /// The request was sent to its end, for the first or the second time.
    case requestSent
    /// It does not fit, took too long, or nobody will send it again.
    case overflowed
    /// What was kept is given back.
    case released
}

/// - Returns: nil when the pair cannot happen.
@inline(__always)
func step(_ state: Recording, _ input: RecordingInput) -> Recording? {
    switch (state, input) {
    case (.none, .began): .recording
    case (.recording, .began), (.complete, .began), (.overflowed, .began): nil
    case (.recording, .requestSent): .complete
    case (_, .requestSent): state
    case (.none, .overflowed), (.recording, .overflowed), (.overflowed, .overflowed): .overflowed
    case (.complete, .overflowed): nil
    case (_, .released): Recording.none
    }
}

/// How the response at hand goes on to the client.
enum ResponseStage: UInt8, CaseIterable {
    /// Its head is being read, or held while the token is renewed.
    case head
    /// As it comes.
    case passedThrough
    /// With gzip taken off.
    case inflating
    /// Not yet: it is read whole, and Sentry's own address in it is changed.
    case rewriting
    /// Not yet: it is read whole, and what the alias may not see is taken out.
    case filtering
    /// Its last byte is sent or queued.
    case complete
}

enum ResponseInput: UInt8, CaseIterable {
    case passes
    case inflates
    case rewrites
    case filters
    /// The last byte is at hand: the upstream's, or that of the proxy's own response.
    case completed
}

/// - Returns: nil when the pair cannot happen.
@inline(__always)
func step(_ stage: ResponseStage, _ input: ResponseInput) -> ResponseStage? {
    switch (stage, input) {
    // A body that is too long to be rewritten goes on as it is.
    case (.head, .passes), (.rewriting, .passes): .passedThrough
    case (.head, .inflates), (.rewriting, .inflates): .inflating
    case (.head, .rewrites): .rewriting
    case (.head, .filters): .filtering
    case (_, .completed): .complete
    // What the rights take something out of goes on whole or not at all.
    case (.filtering, .passes), (.filtering, .inflates): nil
    case (.passedThrough, _), (.inflating, _), (.rewriting, _), (.filtering, _), (.complete, _): nil
    }
}

extension Exchange {
    @inline(__always)
    func note(_ input: UploadInput, _ counters: inout Counters) {
        guard let next = step(request.upload, input) else { return impossible(&counters) }
        request.upload = next
    }

    @inline(__always)
    func note(_ input: RecordingInput, _ counters: inout Counters) {
        guard let next = step(replay.recording, input) else { return impossible(&counters) }
        replay.recording = next
    }

    @inline(__always)
    func note(_ input: ResponseInput, _ counters: inout Counters) {
        guard let next = step(response.stage, input) else { return impossible(&counters) }
        response.stage = next
    }

    /// A part's state stays as it is; that it was asked for is counted.
    private func impossible(_ counters: inout Counters) {
        counters.impossibleSteps += 1
    }
}
