internal import AccessPolicy
internal import DeviceFlow
internal import HTTP1
internal import Synchronization

/// A question of an operator to the device flow: a POST, which no page in a browser can send but the listener's own. A form
/// has another type than JSON, and a script that sends JSON has an `Origin`, and is asked about it first (CORS).
struct AdminQuestion {
    /// The answer of the device flow, from another thread.
    private final class Box: Sendable {
        let reply = Mutex<OperatorAnswer?>(nil)
    }

    private static let mostBytes = 8_192
    var isHeadWhole = false
    private var box: Box?

    var isAsked: Bool { box != nil }
    var reply: OperatorAnswer? { box?.reply.withLock { $0 } }

    /// - Returns: an answer that is known at once; nil while the body is not whole, and once the question is asked.
    mutating func ask(
        _ device: DeviceAuthorizer, _ head: RequestHead, _ received: [UInt8], isLocal: Bool
    ) -> AdminPages.Answer? {
        guard head.method == .post else {
            var answer = AdminPages.Answer(405, "this method is not allowed here")
            answer.methods = "POST"
            return answer
        }
        let token = device.adminToken
        guard isLocal || token != nil else {
            return AdminPages.Answer(403, "this listener is not on loopback: nothing is decided here")
        }
        func value(_ field: KnownField) -> Substring? {
            head.fields.first(field).map { String(decoding: received[$0.range], as: UTF8.self)[...] }
        }
        // The name of the listener was judged before: another's page cannot have it as its origin.
        if let origin = value(.origin) {
            guard let host = value(.host), origin == "http://\(host)", value(.secFetchSite) == "same-origin" else {
                return AdminPages.Answer(403, "a request of a web page is refused")
            }
        }
        if let token {
            let shown = value(.authorization) ?? ""
            guard shown.lowercased().hasPrefix("bearer "),
                TokenDigest(of: String(shown.dropFirst(7)).utf8.span) == token
            else {
                var answer = AdminPages.Answer(401, "the secret of --admin-token-file is not shown")
                answer.fields = "WWW-Authenticate: Bearer\r\n"
                return answer
            }
        }
        let type = value(.contentType) ?? ""
        guard type.lowercased() == "application/json" else {
            return AdminPages.Answer(403, "expected Content-Type: application/json")
        }
        guard case .length(let count) = head.framing, 1...Self.mostBytes ~= Int(clamping: count) else {
            return AdminPages.Answer(400, "expected a body of 1 to \(Self.mostBytes) bytes with its length")
        }
        let end = head.length + Int(count)
        guard received.count >= end else { return nil }
        let box = Box()
        self.box = box
        device.handle(Array(received[head.length..<end])) { answer in box.reply.withLock { $0 = answer } }
        return nil
    }
}
