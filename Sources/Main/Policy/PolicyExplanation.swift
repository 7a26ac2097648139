internal import AccessPolicy
internal import HTTP1

/// What a request of an alias comes to, for people and their scripts.
struct PolicyExplanation: Encodable {
    enum Outcome: String, Encodable {
        case allowed, refused
        /// The proxy answers by itself who the caller is.
        case identity
        /// Goes upstream without the token, as for everybody.
        case bypass
        /// 503 until the numbers of its projects are known.
        case waits
    }

    let alias: String
    let method: String
    let target: String
    let rights: String
    let verdict: Outcome
    var reason: String?
    var wouldRefuse: String?
    var operation: String?
    var effect: String?
    var operationClass: String?
    var note: String?
    var action: String?
    var organization: String?
    var project: String?
    var object: String?
    /// The target as it goes upstream.
    var upstream: String?
    /// The member of the body that is looked at before the request goes on.
    var body: String?
    /// How the answer is filtered.
    var filter: String?

    enum CodingKeys: String, CodingKey {
        case alias, method, target, rights, verdict, reason, operation, effect, note, action, organization, project
        case object, upstream, body, filter
        case wouldRefuse = "would_refuse"
        case operationClass = "class"
    }

    var isAllowed: Bool { verdict != .refused }

    /// - Parameter now: seconds since 1970.
    init(_ named: NamedRights, _ index: Int, _ method: String, _ target: String, now: Int64) {
        alias = named.names[index]
        self.method = method
        self.target = target
        rights = named.words(index)
        let bytes = Array(target.utf8)
        let table = named.rights
        let judged = table.judge(
            Self.method(method), bytes.span, alias: index, named.identifiers,
            isElevated: ElevatedPaths.all.contains(bytes.span), now: now)
        switch judged.outcome {
        case .forward: verdict = .allowed
        case .bypass: verdict = .bypass
        case .identity: verdict = .identity
        case .wait: verdict = .waits
        case .refuse(let why):
            verdict = .refused
            reason = "\(why.name)"
        }
        wouldRefuse = judged.wouldRefuse.map { "\($0.name)" }
        if judged.operation >= 0 {
            let row = Int(judged.operation)
            let found = table.endpoints.operations[row]
            operation = table.endpoints.name(of: row)
            effect = found.effect.rawValue
            operationClass = found.operationClass == .none ? nil : found.operationClass.rawValue
            let text = table.endpoints.string(found.note)
            note = text == "-" ? nil : text
            action = "\(table.endpoints.string(found.object)).\(table.endpoints.string(found.verb))"
        }
        func part(_ slice: ByteSlice) -> String? {
            slice.count > 0 ? String(decoding: bytes[slice.range], as: UTF8.self) : nil
        }
        organization = part(judged.names.organization)
        project = part(judged.names.project)
        object = part(judged.names.object)
        guard judged.outcome == .forward else { return }
        var sink = StringSink()
        table.write(
            bytes.span, judged.edit, rights: Int(table.aliases[index].rights), named.identifiers, into: &sink)
        upstream = String(decoding: sink.bytes, as: UTF8.self)
        body = judged.body.map { "\($0.name)\($0.isOptional ? "?" : "")" }
        filter = judged.filter == .none ? nil : "\(judged.filter)"
    }

    private static func method(_ name: String) -> Method {
        switch name {
        case "GET": .get
        case "HEAD": .head
        case "POST": .post
        case "PUT": .put
        case "PATCH": .patch
        case "DELETE": .delete
        case "OPTIONS": .options
        default: .other
        }
    }

    /// One line for scripts: verdict, reason, operation, upstream target, filter and body, with tabs between them.
    var line: String {
        [
            verdict.rawValue, reason ?? wouldRefuse.map { "would_refuse=\($0)" } ?? "-", operation ?? "-",
            upstream ?? "-",
            filter ?? "-", body ?? "-",
        ].joined(separator: "\t")
    }

    /// For people.
    var lines: [String] {
        var found: [(String, String?)] = [("alias", "\(alias) (\(rights))"), ("request", "\(method) \(target)")]
        found += [
            ("operation", operation), ("effect", effect.map { "\($0)\(operationClass.map { ", class \($0)" } ?? "")" }),
        ]
        found += [("note", note), ("organization", organization), ("project", project), ("object", object)]
        found += [("verdict", verdict.rawValue + (reason.map { ": \($0)" } ?? ""))]
        found += [
            ("would refuse", wouldRefuse), ("upstream", upstream),
            ("body", body.map { "must name allowed projects in '\($0)'" }),
        ]
        found += [("answer", filter.map { "filtered: \($0)" })]
        return found.compactMap { name, value in
            value.map { "\(name)\(String(repeating: " ", count: 14 - name.utf8.count))\($0)" }
        }
    }
}

/// Collects what is written.
struct StringSink: ByteSink {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ bytes: Span<UInt8>) {
        for i in bytes.indices { self.bytes.append(bytes[i]) }
    }
}
