internal import AccessPolicy
internal import DeviceFlow
internal import EventLoop
internal import HTTP1
internal import System
internal import TokenStore

/// A request to the device flow: what is asked, and then what is answered.
final class Consultation {
    var call: DeviceCall
    var answer: DeviceAnswer?

    init(_ call: DeviceCall) { self.call = call }
}

/// The requests that the device flow answers. The exchange knows its places, takes their bodies in and writes its answers.
extension Exchange {
    /// Looks whether the request is one for the device flow, when that is on.
    /// - Returns: what follows; nil when it is not.
    func recognizeConsultation(_ head: RequestHead, _ bytes: UnsafeBufferPointer<UInt8>, _ worker: Worker) -> Event? {
        guard worker.shared.deviceFlow != nil else { return nil }
        let target = UnsafeBufferPointer(rebasing: bytes[head.path.range]).span
        let path = target.extracting(first: endOfPath(target))
        guard let place = DevicePlace(path, head.method) else {
            guard mayLeadToOAuth(path) else { return nil }
            // Sentry's own pages there would hand out a real token.
            refuse(.notFound)
            return .requestRefused
        }
        var call = DeviceCall(
            place: place, form: Secret([]), client: request.facts.client.ip, isSecure: worker.clientScheme == .https)
        if path.count < target.count { call.query = copied(target, path.count + 1..<target.count, most: 256) }
        var isForm = false
        for i in head.fields.indices {
            let field = head.fields[i]
            let value = field.value.range
            if field.known == .contentType {
                isForm = isFormType(bytes.span.extracting(value))
            } else if field.known == .userAgent {
                call.userAgent = copied(bytes.span, value, most: Bounds.consultedFieldBytes)
            } else if field.known == .host {
                call.host = copied(bytes.span, value, most: Bounds.notedHostBytes)
            } else if field.known == .origin {
                call.origin = copied(bytes.span, value, most: Bounds.notedHostBytes)
            } else if field.known == .secFetchSite {
                call.fetchSite = copied(bytes.span, value, most: Bounds.consultedFieldBytes)
            }
        }
        let consultation = Consultation(call)
        local.consultation = consultation
        let isRead = head.method == .get || head.method == .head
        guard place.isRead ? isRead : head.method == .post else {
            let allow = place == .page ? "GET, HEAD, POST" : place.isRead ? "GET, HEAD" : "POST"
            consultation.answer = .error("invalid_request", status: 405, fields: "Allow: \(allow)\r\n")
            return .requestRefused
        }
        guard worker.admitRequest(self) else {
            local.consultation = nil
            refuse(.overloaded)
            return .requestRefused
        }
        guard !place.isRead else { return .flowWanted }
        if case .length(let count) = head.framing, count > UInt64(Bounds.formBytes) { isForm = false }
        guard isForm else {
            consultation.answer = .error("invalid_request")
            return .requestRefused
        }
        if request.body.isWhole { return .flowWanted }
        if head.expectsContinue, head.length == bytes.count { sendContinue(&worker.pool) }
        note(RecordingInput.began, &worker.counters)
        return .bodyWanted
    }

    /// A piece of the form was collected.
    /// - Returns: what follows; nil when this is no request to the device flow or more of it is to come.
    func collectedForm() -> Event? {
        guard let consultation = local.consultation else { return nil }
        guard replay.body.count <= Bounds.formBytes else {
            if !request.body.isWhole { client.noteMore() }
            consultation.answer = .error("invalid_request")
            return .requestRefused
        }
        return request.body.isWhole ? .flowWanted : nil
    }

    /// Hands the request in, and waits.
    func consult(_ worker: Worker) -> Event? {
        guard let consultation = local.consultation, let flow = worker.shared.deviceFlow else { return .flowSilent }
        if let body = replay.body.buffer {
            consultation.call.form = Secret(Array(body.bytes.bytes(replay.body.count)))
        }
        releaseHeld(worker)
        watchClient(.incoming, worker.reactor)
        setDeadline(worker.now + Bounds.consult, worker.reactor)
        let token = EventToken(generation: generation, slot: slot, side: 0)
        flow.handle(consultation.call) { [mailbox = worker.mailbox] answer in
            mailbox.post(.consulted(token, answer))
        }
        return nil
    }

    /// The device flow has answered; nil is to end the connection without an answer.
    func consulted(_ answer: DeviceAnswer?, _ worker: Worker) {
        guard phase == .consulting, let consultation = local.consultation else { return }
        consultation.answer = answer
        report(answer == nil ? .flowSilent : .flowAnswered, worker)
    }

    /// Writes its answer.
    func write(_ answer: DeviceAnswer, requestID: Span<UInt8>, into writer: inout HeadWriter) {
        writer.append("HTTP/1.1 ")
        writer.append(decimal: UInt64(answer.status))
        writer.append(" ")
        writer.append(reason(answer.status))
        writer.append("\r\nContent-Type: ")
        writer.append(answer.type)
        writer.append("\r\nContent-Length: ")
        writer.append(decimal: UInt64(answer.body.count))
        writer.append("\r\nCache-Control: no-store\r\nPragma: no-cache\r\nConnection: close\r\n")
        writer.append(answer.fields.utf8.span)
        writer.append("X-Request-Id: ")
        writer.append(requestID)
        writer.append("\r\n\r\n")
        if request.method != .head { answer.body.withBytes { writer.append($0) } }
    }

    private func reason(_ status: Int) -> StaticString {
        switch status {
        case 200: "OK"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 409: "Conflict"
        case 429: "Too Many Requests"
        case 503: "Service Unavailable"
        default: "Bad Request"
        }
    }

    private func copied(_ bytes: Span<UInt8>, _ range: Range<Int>, most: Int) -> [UInt8] {
        var copy: [UInt8] = []
        for i in range.prefix(most) { copy.append(bytes[i]) }
        return copy
    }

    /// `application/x-www-form-urlencoded`, with or without parameters.
    private func isFormType(_ value: Span<UInt8>) -> Bool {
        let type: StaticString = "application/x-www-form-urlencoded"
        let count = type.utf8CodeUnitCount
        guard value.count >= count, isFieldName(value.extracting(first: count), type) else { return false }
        return value.count == count || value[count] == UInt8(ascii: ";") || value[count] == UInt8(ascii: " ")
    }
}

extension DevicePlace {
    /// What is read, not sent to.
    var isRead: Bool { self == .page || self == .metadata }

    fileprivate init?(_ path: Span<UInt8>, _ method: Method) {
        if isExactly(path, "/oauth/device/code/") {
            self = .code
        } else if isExactly(path, "/oauth/token/") {
            self = .token
        } else if isExactly(path, "/oauth/revoke/") {
            self = .revoke
        } else if isExactly(path, "/oauth/device/") {
            self = method == .post ? .decision : .page
        } else if isExactly(path, "/.well-known/oauth-authorization-server") {
            self = .metadata
        } else {
            return nil
        }
    }
}

private func isExactly(_ path: Span<UInt8>, _ expected: StaticString) -> Bool {
    guard path.count == expected.utf8CodeUnitCount else { return false }
    return expected.withUTF8Buffer { expected in
        for i in path.indices where path[i] != expected[i] { return false }
        return true
    }
}

/// Where the query's `?` or the end is.
func endOfPath(_ target: Span<UInt8>) -> Int {
    var end = 0
    while end < target.count, target[end] != UInt8(ascii: "?") { end += 1 }
    return end
}
