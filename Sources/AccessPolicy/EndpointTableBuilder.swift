internal import HTTP1

/// Takes rows in, and makes the trie of them.
struct EndpointTableBuilder {
    var table = EndpointTable(version: "unknown")
    private var templateByPath: [[UInt8]: Int32] = [:]
    private var wordTexts: [[UInt8]: TableText] = [:]

    init() {}

    /// A builder that goes on from a table.
    init(_ table: EndpointTable) {
        self.table = table
        for (i, template) in table.templates.enumerated() {
            templateByPath[Array(table.text[template.path.range])] = Int32(i)
        }
    }

    // MARK: Rows

    /// A row that a policy file brings; the caller has made sure that the table lacks it.
    mutating func add(
        _ method: OperationMethod, _ path: String, _ effect: OperationEffect, _ selects: ProjectSelection?
    ) throws(EndpointTableError) {
        let template = try addTemplate(Array(Self.named(path).utf8), 0)
        let shape = table.templates[Int(template)]
        if let mistake = mistake(in: selects, template) { throw EndpointTableError(line: 0, message: mistake) }
        let natural: ProjectSelection =
            shape.project >= 0 ? .path : shape.issue >= 0 ? .object : shape.organization >= 0 ? .organization : .nothing
        let isRead = method == .get
        let known = add(
            Operation(
                method: method, effect: effect, operationClass: .none, selects: selects ?? natural, template: template,
                scopes: [], scopesAreByRule: true, judgedAs: -1, object: word(Array("added".utf8)),
                verb: word(Array((isRead ? "read" : "write").utf8)), note: word(Array("from the policy file".utf8))))
        if known != nil { throw EndpointTableError(line: 0, message: "this operation was given before") }
    }

    /// Why a path does not say its projects as a row has it; nil when it may.
    func mistake(in selects: ProjectSelection?, _ template: Int32) -> String? {
        let shape = table.templates[Int(template)]
        switch selects {
        case .path where shape.project < 0 && !shape.hasProjectAndEvent:
            return "the path has no {project}, so its projects are not chosen by 'path'"
        case .object where shape.issue < 0:
            return "the path has no {issue_id}, so its projects are not chosen by 'object'"
        default: return nil
        }
    }

    /// - Returns: the row that is there already under whatever names its parameters have; then nothing is added.
    mutating func add(_ operation: Operation) -> Int? {
        let path = table.string(table.templates[Int(operation.template)].path)
        let name = "\(operation.method.name) \(EndpointTable.blank(path))"
        if let known = table.rowByName[name] { return known }
        table.rowByName[name] = table.operations.count
        table.operations.append(operation)
        table.operations[table.operations.count - 1].treatment = OperationTreatment.byName[name] ?? .none
        return nil
    }

    /// Gives a row another effect or class.
    mutating func correct(_ row: Int, _ effect: OperationEffect, _ operationClass: OperationClass) {
        table.operations[row].effect = effect
        table.operations[row].operationClass = operationClass
    }

    static func selection(_ text: String) -> ProjectSelection? {
        switch text {
        case "path": .path
        case "object": .object
        case "query": .query
        case "query-id": .numbers
        case "query-code", "query~", "body~": .unread
        case "organization": .organization
        case "-": .nothing
        case "body:project": .body(BodyMember(name: .project, isOptional: false))
        case "body:project?": .body(BodyMember(name: .project, isOptional: true))
        case "body:projects": .body(BodyMember(name: .projects, isOptional: false))
        case "body:projects?": .body(BodyMember(name: .projects, isOptional: true))
        default: nil
        }
    }

    // MARK: Templates

    /// `/organizations/*/…` with names for the stars, by where they stand.
    private static func named(_ path: String) -> String {
        var segments = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        for i in segments.indices where segments[i] == "*" {
            let before = i > 0 ? segments[i - 1] : ""
            let isUnderProjects = i > 1 && segments[i - 2] == "projects" && segments[1] == "projects"
            segments[i] =
                switch before {
                case "organizations" where i == 2, "projects" where i == 2, "teams" where i == 2: "{org}"
                case "{org}" where isUnderProjects: "{project}"
                case "{org}" where segments[1] == "teams": "{team}"
                case "issues" where i == 2 || i == 4, "groups" where i == 2 || i == 4: "{issue_id}"
                default: "{id}"
                }
        }
        return segments.joined(separator: "/")
    }

    mutating func addTemplate(_ path: [UInt8], _ line: Int) throws(EndpointTableError) -> Int32 {
        if let known = templateByPath[path] { return known }
        func refused(_ message: String) -> EndpointTableError { EndpointTableError(line: line, message: message) }
        guard path.first == UInt8(ascii: "/") else {
            throw refused("expected a path that begins with /, without /api/0")
        }
        var segments = path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if segments.last?.isEmpty == true { segments.removeLast() }
        guard segments.count <= PlainPath.mostSegments - 2 else {
            throw refused("a path has at most \(PlainPath.mostSegments - 2) segments")
        }
        var template = Template(path: TableText(start: 0, count: 0), segmentCount: Int8(segments.count))
        var kinds: [SegmentKind] = []
        var names: Set<Substring> = []
        let bound: Set<Substring> = ["org", "project", "team", "issue_id"]
        for (i, segment) in segments.enumerated() {
            let text = String(decoding: segment, as: UTF8.self)
            let kind = try Self.kind(text, line)
            if kind.isTyped, !kinds.contains(.rest) { template.typedSegments |= 1 << UInt16(i + 2) }
            kinds.append(kind)
            guard kind != .literal else { continue }
            guard kind != .rest || i == segments.count - 1 else { throw refused("nothing may follow '\(text)'") }
            template.object = Int8(i)
            let name = text.dropFirst().prefix { $0 != ":" && $0 != "}" }
            guard names.insert(name).inserted || !bound.contains(name) else {
                throw refused("the path has {\(name)} twice")
            }
            guard !template.hasProjectAndEvent else { throw refused("no parameter may follow one that holds two") }
            if let short = Self.shortNames[name] { throw refused("{\(name)} is written {\(short)}") }
            switch name {
            case _ where kind == .projectAndEvent: template.hasProjectAndEvent = true
            case "org": template.organization = Int8(i)
            case "project": template.project = Int8(i)
            case "team": template.team = Int8(i)
            case "issue_id": template.issue = Int8(i)
            default: break
            }
            if text.hasSuffix(":free}") { template.freeSegments |= 1 << UInt16(i + 2) }
            if kind == .rest { for place in i + 2..<16 { template.freeSegments |= 1 << UInt16(place) } }
        }
        template.path = add(path)
        template.isIssueWithoutOrganization =
            template.issue == 1 && template.organization < 0 && segments.count >= 2
            && (segments[0].elementsEqual("issues".utf8) || segments[0].elementsEqual("groups".utf8))
        if template.typedSegments != 0 {
            template.kinds = Int32(table.kinds.count)
            table.kinds += kinds
        }
        let index = Int32(table.templates.count)
        table.templates.append(template)
        templateByPath[path] = index
        return index
    }

    /// As OpenAPI has them, and as the table has them.
    private static let shortNames: [Substring: String] = [
        "organization_id_or_slug": "org", "project_id_or_slug": "project", "team_id_or_slug": "team",
    ]

    private static func kind(_ text: String, _ line: Int) throws(EndpointTableError) -> SegmentKind {
        if text == "{project}:{event_id:e}" { return .projectAndEvent }
        func isName(_ name: some StringProtocol, and others: String = "") -> Bool {
            !name.isEmpty
                && name.utf8.allSatisfy { isWordByte($0) && (others.utf8.contains($0) || !"-_.".utf8.contains($0)) }
        }
        guard text.hasPrefix("{") else {
            // Other bytes would be escaped, or have more than one reading; and they stand in answers.
            guard isName(text, and: "_-.") && !text.utf8.allSatisfy({ $0 == ASCII.dot }) else {
                throw EndpointTableError(
                    line: line, message: "\(quoted(text)) is no segment of letters, digits, '-', '_' and '.'")
            }
            return .literal
        }
        let inside = text.dropFirst().dropLast()
        let parts = inside.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        if text.hasSuffix("}"), let name = parts.first, isName(name, and: "_") {
            switch parts.count == 2 ? parts[1] : "free" {
            case "d": return .digits
            case "e": return .eventID
            case "h": return .hexadecimal
            case "e|latest|oldest|recommended": return .eventIDOrName
            case "*": return .rest
            case "free": return .any
            default: break
            }
        }
        throw EndpointTableError(
            line: line, message: "\(quoted(text)) is no parameter such as {name}, {name:d}, :e, :h, :free or :*")
    }

    /// Letters, digits and what joins words: safe in logs, answers and URLs as it is.
    static func isWordByte(_ byte: UInt8) -> Bool {
        byte.isDigit || byte.lowercased &- UInt8(ascii: "a") < 26 || "-_.".utf8.contains(byte)
    }

    /// A value of the table in a message: one that would not be plain text there is left out.
    static func quoted(_ text: some StringProtocol) -> String {
        text.utf8.allSatisfy { 0x20...0x7e ~= $0 } ? "'\(text.prefix(60))'" : "a value that is not ASCII text"
    }

    // MARK: Texts

    private mutating func add(_ bytes: [UInt8]) -> TableText {
        let place = TableText(start: Int32(table.text.count), count: Int32(bytes.count))
        table.text += bytes
        return place
    }

    /// A text that many rows have.
    mutating func word(_ bytes: [UInt8]) -> TableText {
        if let known = wordTexts[bytes] { return known }
        let place = add(bytes)
        wordTexts[bytes] = place
        return place
    }
}
