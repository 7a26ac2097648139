internal import DeviceFlow
internal import HTTP1

/// What the admin listener answers.
struct AdminPages {
    struct Answer {
        var status: Int
        var type = "text/plain; charset=utf-8"
        /// More fields, each with its line's end.
        var fields = ""
        var body: [UInt8]
        var methods = "GET, HEAD"

        init(_ status: Int, _ line: String) {
            self.status = status
            body = Array("\(line)\n".utf8)
        }

        init(type: String, _ body: [UInt8], fields: String = "") {
            status = 200
            self.type = type
            self.fields = fields
            self.body = body
        }

        /// The whole message (RFC 9112 §6); an answer to HEAD has no body.
        func bytes(isHead: Bool) -> [UInt8] {
            let allow = status == 405 ? "Allow: \(methods)\r\n" : ""
            let head =
                "HTTP/1.1 \(status) \(Self.reasons[status] ?? "")\r\nContent-Type: \(type)\r\n"
                + "Content-Length: \(body.count)\r\nCache-Control: no-store\r\n\(allow)\(fields)Connection: close\r\n\r\n"
            return Array(head.utf8) + (isHead ? [] : body)
        }

        private static let reasons = [
            200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
            405: "Method Not Allowed",
            414: "URI Too Long",
            417: "Expectation Failed", 421: "Misdirected Request", 431: "Request Header Fields Too Large",
            501: "Not Implemented",
            503: "Service Unavailable", 505: "HTTP Version Not Supported",
        ]
    }

    /// A request to the admin listener is a line and a few fields.
    static let limits = HeadLimits(headBytes: 8_192, fields: 64, targetBytes: 1_024)

    let facts: AdminFacts
    private let hosts: AdminHosts
    private let live: LivePage

    init(facts: AdminFacts) {
        self.facts = facts
        live = LivePage(facts)
        hosts = AdminHosts(facts.fixed.adminHosts)
    }

    /// Answers the request that `received` begins with.
    /// - Returns: nil while its head is incomplete.
    func answer(
        _ received: [UInt8], _ parser: RequestHeadParser, _ question: inout AdminQuestion
    ) -> [UInt8]? {
        do throws(ParseError) {
            if !question.isHeadWhole { question.isHeadWhole = try parser.parse(received.span) }
            guard question.isHeadWhole else { return nil }
        } catch {
            return Answer(error.status, "\(error.summary)").bytes(isHead: false)
        }
        let head = parser.head
        let host = head.fields.first(.host)
        guard hosts.allow(host.map { String(decoding: received[$0.range], as: UTF8.self) }) else {
            return Answer(421, "this name is not one of this listener's: --admin-host adds it").bytes(
                isHead: head.method == .head)
        }
        let target = String(decoding: received[head.path.range], as: UTF8.self)
        if target == "/device", let device = facts.device {
            return question.ask(device, head, received, isLocal: facts.fixed.isAdminOnLoopback)?.bytes(isHead: false)
        }
        return answer(head.method, path: String(target.prefix { $0 != "?" })).bytes(isHead: head.method == .head)
    }

    /// The device flow has answered.
    func bytes(_ reply: OperatorAnswer) -> [UInt8] { Answer(reply.status, reply.text).bytes(isHead: false) }

    private func answer(_ method: Method, path: String) -> Answer {
        guard let page = page(path) else { return Answer(404, "there is nothing at this path") }
        guard method == .get || method == .head else { return Answer(405, "this method is not allowed here") }
        return page()
    }

    private func page(_ path: String) -> (() -> Answer)? {
        switch path {
        case "/": { Answer(type: "text/html; charset=utf-8", live.html, fields: LivePage.fields) }
        case "/live": { Answer(type: "application/json", live.json, fields: LivePage.fields) }
        case "/healthz": { facts.illness.map { Answer(503, $0) } ?? Answer(200, "alive") }
        case "/readyz": { facts.unreadiness.map { Answer(503, $0) } ?? Answer(200, "ready") }
        case "/metrics": { Answer(type: Exposition.contentType, Metrics.text(facts)) }
        case "/learned":
            {
                Answer(type: "application/json", Array("\(LearnedPage(facts: facts).json.text)\n".utf8))
            }
        case "/status": { Answer(type: "application/json", Array("\(StatusPage(facts: facts).json.text)\n".utf8)) }
        default: nil
        }
    }
}
