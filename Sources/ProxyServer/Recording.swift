internal import AccessPolicy
internal import EventLoop
internal import HTTP1

/// What a worker keeps of its requests: for the counters, for the access log and for the rewriting of URLs.
extension Worker {
    /// Keeps what the access log and the rewriting of URLs will need of the head.
    func noteRequestLine(_ head: RequestHead, _ bytes: UnsafeBufferPointer<UInt8>, _ record: inout AccessRecord) {
        let isLogged = configuration.accessLog != .off
        guard !head.methodName.isEmpty else { return }
        // The query is left out: it may hold what nobody wants in a log.
        let path = UnsafeBufferPointer(rebasing: bytes[head.path.range].prefix { $0 != UInt8(ascii: "?") })
        let method = UnsafeBufferPointer(rebasing: bytes[head.methodName.range].prefix(32))
        let host = configuration.hasPublicURL ? ByteSlice.empty : hostField(head, bytes.span)
        let lineCount = min(method.count + path.count, Bounds.loggedLineBytes)
        let aliasBytes = isLogged && policy.aliases != nil ? Bounds.loggedAliasBytes : 0
        let buffer = pool.take(atLeast: lineCount + Int(host.count) + aliasBytes)
        var writer = HeadWriter(buffer.bytes)
        writer.append(method.span)
        record.methodCount = writer.count
        writer.append(path.span.extracting(first: lineCount - writer.count))
        record.lineCount = writer.count
        writer.append(bytes.span.extracting(host.range))
        record.hostCount = Int(host.count)
        record.line = buffer
    }

    private func hostField(_ head: RequestHead, _ bytes: Span<UInt8>) -> ByteSlice {
        for i in head.fields.indices where head.fields[i].isNamed("host", in: bytes) {
            let value = head.fields[i].value
            return Int(value.count) <= Bounds.notedHostBytes ? value : .empty
        }
        return .empty
    }

    /// Keeps what the log and the counters say of the alias: its index means another one after a reload.
    func noteAlias(_ record: inout AccessRecord) {
        guard let index = record.aliasIndex, let aliases = policy.aliases, index < aliases.count else { return }
        record.aliasSlot = index < aliasSlots.count ? aliasSlots[index] : 0
        guard configuration.accessLog != .off, let buffer = record.line else { return }
        var writer = HeadWriter(buffer.bytes.part(record.noted..<record.noted + Bounds.loggedAliasBytes))
        let name = aliases.name(at: index).utf8.span
        writer.append(name.extracting(first: min(name.count, Bounds.loggedAliasBytes)))
        record.aliasCount = writer.count
    }

    /// The answer is out, or broke off: what is still to come does not count as the request's time.
    func answered(_ exchange: Exchange) {
        guard !exchange.record.isAnswered else { return }
        exchange.record.isAnswered = true
        exchange.record.endedAt = now
        if exchange.record.cause.isNone, exchange.record.isOwnAnswer {
            exchange.record.cause = .answered(exchange.ownAnswer)
        }
        if exchange.record.isRequest {
            exchange.record.isRequest = false
            counters.inFlight -= 1
            shared.requestEnded()
        }
        counters.count(exchange.record)
    }

    /// The exchange is over.
    func finished(_ exchange: Exchange) {
        if exchange.record.isRequest, exchange.record.cause.isNone { exchange.record.cause = .clientLeft }
        answered(exchange)
        writeAccessLine(exchange.record)
        if let line = exchange.record.line {
            pool.give(line, used: exchange.record.noted)
        }
        exchange.record.line = nil
    }

    private func writeAccessLine(_ record: AccessRecord) {
        guard record.lineCount > 0 || record.status != 0 else { return }
        let isOrdinary = record.status != 0 && record.status < 500 && record.cause.isNone
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
        var line = LogLine(scratch.staging, shared.log.format)
        line.write(record, realtime: Clock.realtime)
        let count = line.end()
        guard count > 0 else { return }
        shared.log.write(UnsafeRawBufferPointer(scratch.staging.part(0..<count)), to: log)
    }
}
