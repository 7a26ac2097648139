internal import AccessPolicy
internal import HTTP1
internal import System

extension LogLine {
    /// One request's line.
    ///
    /// Changes neither record nor facts; `inout`, since they would be copied otherwise.
    mutating func write(_ record: inout AccessRecord, _ facts: inout RequestFacts, at wall: WallTime) {
        time(wall)
        field("level", word: record.status == 0 || record.status >= 500 ? "warning" : "info")
        field("msg", word: "request")
        let id = facts.idText
        field("id", text: id.span)
        field("client", address: facts.client)
        if record.isRouted { field("route", word: record.route.isElevated ? "elevated" : "bypass") }
        if let line = facts.line {
            let bytes = line.bytes.bytes(facts.noted)
            let aliasEnd = facts.noted - facts.operationCount
            if facts.aliasCount > 0 {
                field("alias", text: bytes.span.extracting(aliasEnd - facts.aliasCount..<aliasEnd))
            }
            field("method", text: bytes.span.extracting(0..<facts.methodCount))
            field("path", text: bytes.span.extracting(facts.methodCount..<facts.lineCount))
            let requestID = facts.clientRequestIDRange
            if !requestID.isEmpty { field("client_request_id", text: bytes.span.extracting(requestID)) }
            let traceparent = requestID.upperBound..<requestID.upperBound + facts.traceparentCount
            if !traceparent.isEmpty { field("traceparent", text: bytes.span.extracting(traceparent)) }
        }
        if let rights = record.rights { write(rights, &facts) }
        // 0 is a client that left before its answer.
        field("status", number: UInt64(record.status))
        field("bytes_up", number: record.bytesUp)
        field("bytes_down", number: record.bytesDown)
        field("total_ms", record.endedAt - record.acceptedAt)
        if record.connectedAt != .never {
            field("connect_ms", record.connectedAt - record.dialedAt)
        }
        if record.firstByteAt != .never, record.connectedAt != .never {
            field("upstream_ms", record.firstByteAt - record.connectedAt)
        }
        switch record.retry {
        case .none: break
        case .renewed: field("retry", word: "renewed")
        case .unchanged: field("retry", word: "unchanged")
        case .unavailable: field("retry", word: "unavailable")
        case .bodyTooLarge: field("retry", word: "body_too_large")
        }
        if !record.cause.isNone {
            field("cause", word: record.cause.name)
            if let detail = record.cause.detail { field("detail", text: "\(detail)") }
            if let code = record.cause.code { field("code", number: UInt64(max(0, code))) }
        }
    }
}

extension LogLine {
    /// What the rights of the alias said, and about what.
    private mutating func write(_ rights: RightsRecord, _ facts: inout RequestFacts) {
        field("policy", word: rights.name)
        if let reason = rights.reason { field("reason", word: reason.name) }
        guard let line = facts.line else { return }
        let bytes = line.bytes.bytes(facts.noted)
        if facts.operationCount > 0 {
            field("op", text: bytes.span.extracting(facts.noted - facts.operationCount..<facts.noted))
        }
        // Of a path that the line holds in part, what is cut off is left out.
        func part(_ slice: ByteSlice) -> Range<Int>? {
            let range = facts.methodCount + slice.range.lowerBound..<facts.methodCount + slice.range.upperBound
            return slice.isEmpty || range.upperBound > facts.lineCount ? nil : range
        }
        if let range = part(rights.organization) { field("org", text: bytes.span.extracting(range)) }
        if let range = part(rights.project) { field("project", text: bytes.span.extracting(range)) }
        if let range = part(rights.object) {
            let shown = range.lowerBound..<min(range.upperBound, range.lowerBound + 64)
            field("object", text: bytes.span.extracting(shown))
        }
    }
}
