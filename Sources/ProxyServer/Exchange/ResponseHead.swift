internal import AccessPolicy
internal import EventLoop
internal import HTTP1
internal import System

/// The answer's head: read and judged.
extension Exchange {
    /// Reads what the upstream says, before its answer's head is whole and after.
    func readResponse(_ worker: Worker) -> Event? {
        switch phase {
        case .sendingRequest, .awaitingResponse:
            response.isCollected ? collectResponse(worker) : readResponseHead(worker)
        case .relayingEarly, .relaying: relayBody(worker)
        case .vacant, .readingHead, .collectingBody, .renewingFirst, .dialing, .renewing, .respondingLocally, .closing,
            .consulting:
            nil
        }
    }

    private func readResponseHead(_ worker: Worker) -> Event? {
        for _ in 0..<Bounds.readsPerIteration {
            // What comes with the head has to fit behind it into the staging buffer, however large the held block is.
            let window =
                response.held.buffer.map { $0.bytes.part(response.held.count..<min($0.capacity, Bounds.relayBytes)) }
                ?? worker.scratch.inbound(worker.window(Bounds.relayBytes))
            switch upstream.side.transport.receive(into: window) {
            case .wouldBlock:
                watchUpstream(.incoming, worker.reactor)
                return nil
            case .endOfStream:
                record.cause = .upstreamClosed
                return failUpstream()
            case .failed(let error):
                record.cause = upstreamFailure(error, &worker.counters)
                return failUpstream()
            case .bytes(let count):
                record.gotByte(at: worker.now)
                if case .ends(let event) = parseResponse(count, worker) { return event }
            }
        }
        postpone(Side.upstream, .readable, worker.reactor)
        return nil
    }

    func upstreamFailure(_ error: SystemError, _ counters: inout Counters) -> Cause {
        guard let failure = upstream.side.transport.tlsFailure else { return .upstream(error) }
        counters.upstreamTLSFailed(failure)
        return .tls(failure)
    }

    /// The upstream gave no answer that can be relayed.
    func failUpstream() -> Event {
        refuse(.badGateway)
        return .upstreamFailed
    }

    /// There is no memory to hold the answer, and it cannot go on as it comes.
    func failForMemory() -> Event {
        refuse(.memoryShort)
        return .upstreamFailed
    }

    private func parseResponse(_ count: Int, _ worker: Worker) -> Flow {
        let parser = response.parser.take() ?? worker.spares.takeResponseParser()
        let region: UnsafeMutableRawBufferPointer
        if let heldResponse = response.held.buffer {
            response.held.count += count
            region = heldResponse.bytes.part(0..<response.held.count)
        } else {
            region = worker.scratch.inbound.part(0..<count)
        }
        var start = 0
        do throws(ParseError) {
            while true {
                let bytes = region.bytes(start..<region.count)
                guard try parser.parse(bytes.span) else {
                    guard worker.pool.mayTake(atLeast: max(2_048, bytes.count * 2), for: .request) else {
                        response.parser = parser
                        return .ends(failForMemory())
                    }
                    holdResponse(region.part(start..<region.count), parser, &worker.pool)
                    return .goesOn
                }
                guard parser.head.status < 200 else { break }
                // Interim answers are dropped: the proxy has given its own 100 (RFC 9110 §15.2).
                response.interimCount += 1
                start += parser.head.length
                parser.reset()
                guard response.interimCount <= Bounds.interimResponses else { throw .invalidStatusCode }
            }
        } catch {
            record.cause =
                upstream.side.transport.isPlain && isTLSAlert(region.bytes(region.count).span)
                ? .speaksTLS : .badResponse(error)
            response.parser = parser
            return .ends(failUpstream())
        }
        return .ends(finishResponseHead(region.part(start..<region.count), parser, worker))
    }

    /// Keeps an incomplete head, or one that waits for a renewal.
    private func holdResponse(
        _ bytes: UnsafeMutableRawBufferPointer, _ parser: ResponseHeadParser, _ pool: inout BufferPool
    ) {
        let capacity = max(2_048, bytes.count * 2)
        if let old = response.held.buffer, old.capacity > bytes.count, old.bytes.baseAddress == bytes.baseAddress {
            response.parser = parser
            return
        }
        let buffer = pool.take(atLeast: capacity)
        buffer.bytes.copyMemory(from: UnsafeRawBufferPointer(bytes))
        if let old = response.held.buffer { pool.give(old, used: response.held.count) }
        (response.held.buffer, response.held.count) = (buffer, bytes.count)
        response.parser = parser
    }

    /// The final answer's head is whole.
    /// - Parameter bytes: the head and what came with it.
    private func finishResponseHead(
        _ bytes: UnsafeMutableRawBufferPointer, _ parser: ResponseHeadParser, _ worker: Worker
    ) -> Event? {
        let head = parser.head
        record.status = head.status
        if head.status == 401, mayRetry(worker),
            worker.pool.mayTake(atLeast: max(2_048, bytes.count * 2), for: .request)
        {
            holdResponse(bytes, parser, &worker.pool)
            return .tokenRefused
        }
        // The forward proxy's own answer, which is none of a client's business (RFC 9110 §15.5.8).
        if head.status == 407, worker.configuration.upstreamProxy != nil {
            worker.shared.warnOfProxy(.refused(407))
            record.cause = .proxyRefused
            worker.spares.giveBack(parser)
            return failUpstream()
        }
        if head.status == 400, upstream.side.transport.isPlain,
            asksForTLS(bytes.bytes(bytes.count).span, from: head.length)
        {
            record.cause = .speaksTLS
            worker.spares.giveBack(parser)
            return failUpstream()
        }
        if comesBack(head, bytes.bytes(head.length).span, worker.shared) {
            worker.spares.giveBack(parser)
            return failUpstream()
        }
        if head.status == 401, isNarrowed {
            worker.spares.giveBack(parser)
            refuse(.tokenNotAccepted)
            return .upstreamFailed
        }
        guard let framing = readFraming(head, bytes, worker.configuration.responseLimits) else {
            worker.spares.giveBack(parser)
            return failUpstream()
        }
        let isFiltered = mustFilter(head, framing)
        if isFiltered, !canFilter(head, bytes.bytes(head.length).span, framing) {
            worker.spares.giveBack(parser)
            return failUpstream()
        }
        if isFiltered || mustRewrite(head, bytes.bytes(head.length).span, framing) {
            // The body's first bytes are taken from where they are held: holding may give the old place back.
            guard worker.pool.mayTake(atLeast: max(8_192, 2 * bytes.count), for: .request) else {
                worker.spares.giveBack(parser)
                return failForMemory()
            }
            let body = head.length..<bytes.count
            let isGzip = ContentCoding(head, bytes.bytes(head.length).span) == .gzip
            holdResponse(bytes, parser, &worker.pool)
            return response.held.buffer.flatMap { beginCollecting($0.bytes.part(body), isGzip: isGzip, worker) }
        }
        let isStaged = stageResponse(head, bytes, worker)
        worker.spares.giveBack(parser)
        return isStaged ? .responseBegan : failUpstream()
    }

    /// Whether the answer is a redirect that would bring the client back to the same request; the cause is noted.
    private func comesBack(_ head: ResponseHead, _ bytes: Span<UInt8>, _ shared: ServerState) -> Bool {
        switch head.status {
        // After 303 something else is asked for, even at the same place (RFC 9110 §15.4.4).
        case 301, 302, 307, 308: break
        default: return false
        }
        guard request.forward.route.isElevated else { return false }
        for i in head.fields.indices(around: .location) where head.fields[i].known == .location {
            let value = bytes.extracting(head.fields[i].value.range)
            guard
                let base = shared.configuration.rewriter.betterBase(
                    value, path: request.facts.path.span, isCut: request.facts.lineCount == Bounds.loggedLineBytes)
            else { continue }
            shared.warnOfBase(value.extracting(base))
            record.cause = .wrongBase
            local.message = "Sentry redirects to another address of its own: the proxy's SENTRY_URI must name that one."
            return true
        }
        return false
    }

    /// A 401 was held back for nothing: it goes on to the client.
    func relayHeldResponse(_ worker: Worker) -> Event? {
        guard let buffer = response.held.buffer, let parser = response.parser.take() else {
            record.cause = .internalError
            return .responseBroken
        }
        let held = buffer.bytes.part(0..<response.held.count)
        let isStaged =
            readFraming(parser.head, held, worker.configuration.responseLimits) != nil
            && stageResponse(parser.head, held, worker)
        worker.spares.giveBack(parser)
        releaseHeldResponse(&worker.pool, &worker.spares)
        guard isStaged else { return .responseBroken }
        // The client's events of the meantime are used up: what it sent since must be looked for, and a request that is out
        // is known to be.
        return relayResponse(worker) ?? sendRequest(worker)
    }

    /// Decides how the answer's body ends here and how it will end for the client.
    /// - Returns: nil when the answer breaks a rule of framing; the cause is noted.
    private func readFraming(
        _ head: ResponseHead, _ bytes: UnsafeMutableRawBufferPointer, _ limits: HeadLimits
    ) -> BodyFraming? {
        let framing: BodyFraming
        do throws(ParseError) {
            framing = try responseFraming(head, bytes.bytes(head.length).span, requestMethod: request.method)
        } catch {
            record.cause = .badResponse(error)
            return nil
        }
        response.body = BodyReader(framing, limits: limits)
        switch framing {
        case .none: response.framing = .none
        case .length(let count): response.framing = .length(count)
        // An HTTP/1.0 client knows no chunks; the end of its connection is the end of the body.
        case .chunked, .untilClose: response.framing = request.version == .http11 ? .chunked : .untilClose
        }
        return framing
    }
}
