internal import AccessPolicy
internal import HTTP1
internal import System

/// What a worker keeps of its requests: for the counters, for the access log and for the rewriting of URLs.
extension Worker {
    /// Keeps what the access log and the rewriting of URLs will need of the head.
    /// - Parameter pathBytes: bytes of the path without its query, when that is known.
    func noteRequestLine(
        _ head: RequestHead, _ bytes: UnsafeBufferPointer<UInt8>, pathBytes: Int?, _ facts: inout RequestFacts
    ) {
        let isLogged = configuration.accessLog != .off
        guard !head.methodName.isEmpty else { return }
        // The query is left out: it may hold what nobody wants in a log.
        let target = bytes.span.extracting(head.path.range)
        let path = target.extracting(first: pathBytes ?? endOfPath(target))
        let method = bytes.span.extracting(head.methodName.range).extracting(first: min(Int(head.methodName.count), 32))
        let kept = KeptFields(head, bytes.span, host: !configuration.hasPublicURL, identifiers: isLogged)
        let lineCount = min(method.count + path.count, Bounds.loggedLineBytes)
        let aliasBytes = isLogged && policy.aliases != nil ? Bounds.loggedAliasBytes : 0
        let operationBytes = isLogged && policy.rights != nil ? Bounds.loggedOperationBytes : 0
        let buffer = pool.take(atLeast: lineCount + kept.count + aliasBytes + operationBytes)
        var writer = HeadWriter(buffer.bytes)
        writer.append(method)
        facts.methodCount = writer.count
        writer.append(path.extracting(first: lineCount - writer.count))
        facts.lineCount = writer.count
        writer.append(bytes.span.extracting(kept.host.range))
        facts.hostCount = Int(kept.host.count)
        if isLogged {
            writer.append(bytes.span.extracting(kept.requestID.range))
            facts.clientRequestIDCount = Int(kept.requestID.count)
            writer.append(bytes.span.extracting(kept.traceparent.range))
            facts.traceparentCount = Int(kept.traceparent.count)
        }
        facts.line = buffer
    }

    /// Takes the word of a trusted proxy about whom the request comes from.
    func noteClient(_ head: RequestHead, _ bytes: UnsafeBufferPointer<UInt8>, _ facts: inout RequestFacts) {
        guard !configuration.trustedProxies.isEmpty else { return }
        facts.client = configuration.trustedProxies.client(behind: facts.client, head.fields, bytes.span)
    }

    /// Keeps what the log says of the rights of the alias.
    func noteVerdict(
        _ verdict: Verdict, _ rights: RightsInForce, alias: Int?, _ facts: inout RequestFacts,
        _ record: inout AccessRecord
    ) {
        record.rights = RightsRecord(verdict)
        noteAlias(alias, &facts, &record)
        guard configuration.accessLog != .off, verdict.operation >= 0, let buffer = facts.line else { return }
        var writer = HeadWriter(buffer.bytes.part(facts.noted..<facts.noted + Bounds.loggedOperationBytes))
        rights.writeOperation(verdict.operation, into: &writer)
        facts.operationCount = writer.overflowed ? 0 : writer.count
    }

    /// Keeps what the log and the counters say of the alias: its index means another one after a reload.
    func noteAlias(_ index: Int?, _ facts: inout RequestFacts, _ record: inout AccessRecord) {
        guard record.aliasSlot == nil, let index, let aliases = policy.aliases,
            index < aliases.count
        else { return }
        record.aliasSlot = index < aliasSlots.count ? aliasSlots[index] : 0
        guard configuration.accessLog != .off, let buffer = facts.line else { return }
        var writer = HeadWriter(buffer.bytes.part(facts.noted..<facts.noted + Bounds.loggedAliasBytes))
        let name = aliases.name(at: index).utf8.span
        writer.append(name.extracting(first: min(name.count, Bounds.loggedAliasBytes)))
        facts.aliasCount = writer.count
    }

    /// The answer is out, or broke off: what is still to come does not count as the request's time.
    func answered(_ exchange: Exchange) {
        guard !exchange.request.isAnswered else { return }
        exchange.request.isAnswered = true
        exchange.record.endedAt = now
        exchange.request.cell.take()?.leave()
        if exchange.record.cause.isNone, exchange.record.isLocalResponse, exchange.record.status != 200 {
            exchange.record.cause = .answered(exchange.local.answer)
        }
        if exchange.request.isInFlight {
            exchange.request.isInFlight = false
            counters.requestEnded(alias: exchange.record.aliasSlot)
            shared.requestEnded()
        }
        counters.count(&exchange.record)
    }

    /// The exchange is over.
    func finished(_ exchange: Exchange) {
        if exchange.request.isInFlight, exchange.record.cause.isNone {
            let failure = exchange.client.transport.tlsFailure
            exchange.record.cause = failure.flatMap { $0 == .reset ? nil : .tls($0) } ?? .clientLeft
        }
        answered(exchange)
        if configuration.accessLog != .off { writeAccessLine(&exchange.record, &exchange.request.facts) }
        if let line = exchange.request.facts.line {
            pool.give(line, used: exchange.request.facts.noted)
        }
        exchange.request.facts.line = nil
    }

    /// Changes neither; `inout`, since they would be copied otherwise.
    private func writeAccessLine(_ record: inout AccessRecord, _ facts: inout RequestFacts) {
        guard facts.lineCount > 0 || record.status != 0 || record.cause.isTLS else { return }
        let isOrdinary =
            record.status != 0 && record.status < 500 && record.cause.isNone && record.rights?.reason == nil
        switch configuration.accessLog {
        case .off: return
        case .errors: if isOrdinary { return }
        case .all:
            if isOrdinary {
                unlogged += 1
                guard unlogged >= configuration.accessLogSample else { return }
                unlogged = 0
            }
        }
        // The staging buffer is free between two exchanges.
        let staging = scratch.beginStaging()
        var line = LogLine(staging, shared.log.format)
        line.write(&record, &facts, at: Clock.wall)
        let count = line.end()
        guard count > 0 else { return }
        shared.log.write(UnsafeRawBufferPointer(staging.part(0..<count)), to: log)
    }
}

/// The values of a request's fields that are needed after its head is gone; empty where there is none.
private struct KeptFields {
    private(set) var host = ByteSlice.empty
    /// The client's own, as far as it can be told from garbage: visible ASCII, 128 bytes at most.
    private(set) var requestID = ByteSlice.empty
    private(set) var traceparent = ByteSlice.empty

    var count: Int { Int(host.count) + Int(requestID.count) + Int(traceparent.count) }

    init(_ head: RequestHead, _ bytes: Span<UInt8>, host needsHost: Bool, identifiers: Bool) {
        if needsHost {
            let authority = head.authority
            if Int(authority.count) <= Bounds.notedHostBytes { host = authority }
        }
        guard identifiers else { return }
        guard !(head.fields.present & (.xRequestID | .traceparent)).isEmpty else { return }
        for i in head.fields.indices {
            let field = head.fields[i]
            if requestID.isEmpty, field.known == .xRequestID {
                if Self.isIdentifier(bytes.extracting(field.value.range)) { requestID = field.value }
            } else if traceparent.isEmpty, field.known == .traceparent {
                if Self.isTraceparent(bytes.extracting(field.value.range)) { traceparent = field.value }
            }
        }
    }

    private static func isIdentifier(_ value: Span<UInt8>) -> Bool {
        guard value.count <= Bounds.loggedIdentifierBytes else { return false }
        for index in value.indices where !(0x21...0x7e ~= value[index]) { return false }
        return true
    }

    /// W3C Trace Context §3.2: version, trace id, parent id and flags; a later version may say more.
    private static func isTraceparent(_ value: Span<UInt8>) -> Bool {
        guard value.count >= 55, isIdentifier(value) else { return false }
        for index in 0..<55 {
            switch value[index] {
            case UInt8(ascii: "-"): guard index == 2 || index == 35 || index == 52 else { return false }
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"):
                guard index != 2, index != 35, index != 52 else { return false }
            default: return false
            }
        }
        return value.count == 55 || value[55] == UInt8(ascii: "-")
    }
}
