internal import AccessPolicy

extension LogLine {
    /// One request's line.
    mutating func write(_ record: AccessRecord, realtime: UInt64) {
        time(realtime)
        field("level", word: record.status == 0 || record.status >= 500 ? "warning" : "info")
        field("msg", word: "request")
        let id = record.idText
        field("id", text: id.span)
        field("client", address: record.client)
        if record.isRouted { field("route", word: record.route == .elevated ? "elevated" : "bypass") }
        if let line = record.line {
            let bytes = line.bytes.bytes(record.noted)
            if record.aliasCount > 0 {
                field("alias", text: bytes.span.extracting(record.noted - record.aliasCount..<record.noted))
            }
            field("method", text: bytes.span.extracting(0..<record.methodCount))
            field("path", text: bytes.span.extracting(record.methodCount..<record.lineCount))
            let requestID = record.clientRequestIDRange
            if !requestID.isEmpty { field("client_request_id", text: bytes.span.extracting(requestID)) }
            let traceparent = requestID.upperBound..<requestID.upperBound + record.traceparentCount
            if !traceparent.isEmpty { field("traceparent", text: bytes.span.extracting(traceparent)) }
        }
        // 0 is a client that left before its answer.
        field("status", number: UInt64(record.status))
        field("bytes_up", number: record.bytesUp)
        field("bytes_down", number: record.bytesDown)
        field("total_ms", nanoseconds: record.endedAt &- record.acceptedAt)
        if record.connectedAt != 0 {
            field("connect_ms", nanoseconds: record.connectedAt &- record.dialedAt)
        }
        if record.firstByteAt != 0, record.connectedAt != 0 {
            field("upstream_ms", nanoseconds: record.firstByteAt &- record.connectedAt)
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
