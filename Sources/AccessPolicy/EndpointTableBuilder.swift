/// A line of the table that cannot be read.
package struct EndpointTableError: Error, Sendable, Equatable, CustomStringConvertible {
    /// From 1.
    package let line: Int
    package let message: String

    package var description: String { "line \(line): \(message)" }
}

extension EndpointTable {
    /// The version of the table that is compiled in; the table itself is not made for it.
    package static var builtInVersion: String {
        let text = endpointText.withUTF8Buffer {
            String(decoding: $0.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        }
        return String(text.dropFirst(10))
    }

    /// The table that is compiled in.
    package static let builtIn: EndpointTable = {
        do {
            var builder = EndpointTableBuilder()
            let text = endpointText.withUTF8Buffer { Array($0) }
            try builder.read(text.span)
            return builder.finish()
        } catch {
            // A test reads the same bytes.
            fatalError("Policy/endpoints.tsv: \(error)")
        }
    }()
}

/// Reads rows and makes the trie of them.
struct EndpointTableBuilder {
    private var table = EndpointTable(version: "unknown")
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

    /// Reads the text of Policy/endpoints.tsv.
    mutating func read(_ text: Span<UInt8>) throws(EndpointTableError) {
        var number = 0
        var start = 0
        var isPastHeader = false
        while start < text.count {
            var end = start
            while end < text.count, text[end] != UInt8(ascii: "\n") { end += 1 }
            number += 1
            let line = text.extracting(start..<end)
            start = end + 1
            if line.isEmpty { continue }
            if line[0] == UInt8(ascii: "#") {
                readVersion(line)
            } else if isPastHeader {
                try readRow(line, number)
            } else {
                isPastHeader = true
            }
        }
    }

    private mutating func readVersion(_ line: Span<UInt8>) {
        let text = Self.string(line)
        guard text.hasPrefix("# version ") else { return }
        var table = EndpointTable(version: String(text.dropFirst(10)))
        swap(&table, &self.table)
    }

    private mutating func readRow(_ line: Span<UInt8>, _ number: Int) throws(EndpointTableError) {
        var cells: [Range<Int>] = []
        var start = 0
        for i in 0...line.count where i == line.count || line[i] == UInt8(ascii: "\t") {
            cells.append(start..<i)
            start = i + 1
        }
        guard cells.count == 11 else { throw EndpointTableError(line: number, message: "expected 11 columns") }
        func cell(_ index: Int) -> String { Self.string(line.extracting(cells[index])) }
        guard let method = OperationMethod(named: cell(0)) else {
            throw EndpointTableError(line: number, message: "method '\(cell(0))'")
        }
        guard let effect = OperationEffect(rawValue: cell(2)) else {
            throw EndpointTableError(line: number, message: "effect '\(cell(2))'")
        }
        guard let operationClass = OperationClass(rawValue: cell(3)) else {
            throw EndpointTableError(line: number, message: "class '\(cell(3))'")
        }
        guard let selects = Self.selection(cell(4)) else {
            throw EndpointTableError(line: number, message: "selects '\(cell(4))'")
        }
        var scopes: ScopeSet = []
        for name in cell(7).split(separator: " ") where name != "-" && name != "?" {
            guard let scope = ScopeSet(named: String(name)) else {
                throw EndpointTableError(line: number, message: "scope '\(name)'")
            }
            scopes.insert(scope)
        }
        let path = Self.bytes(line.extracting(cells[1]))
        guard path.first == UInt8(ascii: "/") else { throw EndpointTableError(line: number, message: "path") }
        let template = try addTemplate(path, number)
        add(
            Operation(
                method: method, effect: effect, operationClass: operationClass, selects: selects, template: template,
                scopes: scopes, scopesAreByRule: cell(8) == "rule", judgedAs: -1,
                object: word(Self.bytes(line.extracting(cells[5]))), verb: word(Self.bytes(line.extracting(cells[6]))),
                note: word(Self.bytes(line.extracting(cells[10])))))
    }

    /// A row that a policy file brings; the caller has made sure that the table lacks it.
    mutating func add(
        _ method: OperationMethod, _ path: String, _ effect: OperationEffect, _ selects: ProjectSelection?
    ) throws(EndpointTableError) {
        let template = try addTemplate(Array(Self.named(path).utf8), 0)
        let shape = table.templates[Int(template)]
        let natural: ProjectSelection =
            shape.project >= 0 ? .path : shape.issue >= 0 ? .object : shape.organization >= 0 ? .organization : .nothing
        let isRead = method == .get
        add(
            Operation(
                method: method, effect: effect, operationClass: .none, selects: selects ?? natural, template: template,
                scopes: [], scopesAreByRule: true, judgedAs: -1, object: word(Array("added".utf8)),
                verb: word(Array((isRead ? "read" : "write").utf8)), note: word(Array("from the policy file".utf8)),
                isCorrected: true))
    }

    private mutating func add(_ operation: Operation) {
        let path = table.string(table.templates[Int(operation.template)].path)
        let name = "\(operation.method.name) \(EndpointTable.blank(path))"
        table.rowByName[name] = table.operations.count
        table.operations.append(operation)
        table.operations[table.operations.count - 1].treatment = OperationTreatment.byName[name] ?? .none
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

    private mutating func addTemplate(_ path: [UInt8], _ line: Int) throws(EndpointTableError) -> Int32 {
        if let known = templateByPath[path] { return known }
        let segments = path.split(separator: UInt8(ascii: "/"))
        guard segments.count <= PlainPath.mostSegments - 2 || segments.last?.last == UInt8(ascii: "}") else {
            throw EndpointTableError(line: line, message: "too many segments")
        }
        var template = Template(path: add(path), segmentCount: Int8(segments.count))
        var kinds: [SegmentKind] = []
        for (i, segment) in segments.enumerated() {
            let text = String(decoding: segment, as: UTF8.self)
            let kind = try Self.kind(text, line)
            kinds.append(kind)
            guard kind != .literal else { continue }
            template.object = Int8(i)
            let name = text.dropFirst().prefix { $0 != ":" && $0 != "}" }
            switch name {
            case _ where kind == .projectAndEvent: break
            case "org": template.organization = Int8(i)
            case "project": template.project = Int8(i)
            case "team": template.team = Int8(i)
            case "issue_id": template.issue = Int8(i)
            default: break
            }
            if text.hasSuffix(":free}") { template.freeSegments |= 1 << UInt16(i + 2) }
            if kind == .rest { for place in i + 2..<16 { template.freeSegments |= 1 << UInt16(place) } }
        }
        template.isIssueWithoutOrganization =
            template.issue == 1 && template.organization < 0 && segments.count >= 2
            && (segments[0].elementsEqual("issues".utf8) || segments[0].elementsEqual("groups".utf8))
        if kinds.contains(where: { $0 != .literal && $0 != .any }) {
            template.kinds = Int32(table.kinds.count)
            table.kinds += kinds
        }
        let index = Int32(table.templates.count)
        table.templates.append(template)
        templateByPath[path] = index
        return index
    }

    private static func kind(_ text: String, _ line: Int) throws(EndpointTableError) -> SegmentKind {
        guard text.hasPrefix("{") else { return .literal }
        if text == "{project}:{event_id:e}" { return .projectAndEvent }
        guard text.hasSuffix("}") else { throw EndpointTableError(line: line, message: "segment '\(text)'") }
        guard let colon = text.firstIndex(of: ":") else { return .any }
        switch text[text.index(after: colon)...].dropLast() {
        case "d": return .digits
        case "e": return .eventID
        case "h": return .hexadecimal
        case "e|latest|oldest|recommended": return .eventIDOrName
        case "*": return .rest
        case "free": return .any
        default: throw EndpointTableError(line: line, message: "segment '\(text)'")
        }
    }

    // MARK: Texts

    private mutating func add(_ bytes: [UInt8]) -> TableText {
        let place = TableText(start: Int32(table.text.count), count: Int32(bytes.count))
        table.text += bytes
        return place
    }

    /// A text that many rows have.
    private mutating func word(_ bytes: [UInt8]) -> TableText {
        if let known = wordTexts[bytes] { return known }
        let place = add(bytes)
        wordTexts[bytes] = place
        return place
    }

    private static func bytes(_ span: Span<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(span.count)
        for i in span.indices { out.append(span[i]) }
        return out
    }

    private static func string(_ span: Span<UInt8>) -> String { String(decoding: bytes(span), as: UTF8.self) }

    // MARK: Trie

    /// Gives a row another effect or class.
    mutating func correct(_ row: Int, _ effect: OperationEffect, _ operationClass: OperationClass) {
        table.operations[row].effect = effect
        table.operations[row].operationClass = operationClass
        table.operations[row].isCorrected = true
    }

    private final class Branch {
        var literals: [[UInt8]: Branch] = [:]
        var parameter: Branch?
        var rest: Branch?
        var operations: [Int32] = []

        /// What the other one has and this one lacks: Sentry tries one route after the other, so a path whose first
        /// segments are a literal's may still take the route of a parameter.
        func complete(from other: Branch) {
            if operations.isEmpty { operations = other.operations }
            for (name, branch) in other.literals {
                let own = literals[name] ?? Branch()
                literals[name] = own
                own.complete(from: branch)
            }
            if let branch = other.parameter {
                let own = parameter ?? Branch()
                parameter = own
                own.complete(from: branch)
            }
            if let branch = other.rest {
                let own = rest ?? Branch()
                rest = own
                own.complete(from: branch)
            }
        }

        func completeAll() {
            if let parameter {
                for branch in literals.values { branch.complete(from: parameter) }
                parameter.completeAll()
            }
            for branch in literals.values { branch.completeAll() }
        }
    }

    mutating func finish() -> EndpointTable {
        let root = Branch()
        for row in table.operations.indices {
            let template = table.templates[Int(table.operations[row].template)]
            var branch = root
            for segment in table.text[template.path.range].split(separator: UInt8(ascii: "/")) {
                if segment.first != UInt8(ascii: "{") {
                    let next = branch.literals[Array(segment)] ?? Branch()
                    branch.literals[Array(segment)] = next
                    branch = next
                } else if segment.elementsEqual("{path:*}".utf8) {
                    let next = branch.rest ?? Branch()
                    branch.rest = next
                    branch = next
                } else {
                    let next = branch.parameter ?? Branch()
                    branch.parameter = next
                    branch = next
                }
            }
            branch.operations.append(Int32(row))
        }
        root.completeAll()
        flatten(root)
        judgeIssues()
        return table
    }

    private mutating func flatten(_ root: Branch) {
        table.nodes = [EndpointTable.Node()]
        table.nodeOperations = []
        var waiting = [(branch: root, node: 0)]
        var found: [(from: Int, name: [UInt8], to: Int)] = []
        while let (branch, node) = waiting.popLast() {
            func place(_ next: Branch?) -> Int32 {
                guard let next else { return 0 }
                table.nodes.append(EndpointTable.Node())
                waiting.append((next, table.nodes.count - 1))
                return Int32(table.nodes.count - 1)
            }
            let parameter = place(branch.parameter)
            let rest = place(branch.rest)
            for name in branch.literals.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
                found.append((node, name, Int(place(branch.literals[name]))))
            }
            table.nodes[node] = EndpointTable.Node(
                parameter: parameter, rest: rest, firstOperation: Int32(table.nodeOperations.count),
                operationCount: Int32(branch.operations.count), hasLiterals: !branch.literals.isEmpty)
            table.nodeOperations += branch.operations
        }
        var places = 64
        while places < found.count * 2 { places *= 2 }
        table.edges = Array(repeating: EndpointTable.Edge(), count: places)
        for (from, name, to) in found {
            var word: UInt64 = 0
            for i in 0..<min(8, name.count) { word |= UInt64(name[i]) << UInt64(8 * i) }
            var place = EndpointTable.place(from, name.count, word, places)
            while table.edges[place].from != 0 { place = (place + 1) & (places - 1) }
            table.edges[place] = EndpointTable.Edge(
                from: Int32(from + 1), to: Int32(to), text: self.word(name), word: word)
        }
    }

    /// An issue without an organization is judged as its form within one.
    private mutating func judgeIssues() {
        for row in table.operations.indices {
            let template = table.templates[Int(table.operations[row].template)]
            guard template.isIssueWithoutOrganization else {
                table.operations[row].judgedAs = Int32(row)
                continue
            }
            let rest = table.string(template.path).split(separator: "/").dropFirst().joined(separator: "/")
            let within = table.row(table.operations[row].method, "/organizations/{org}/issues/\(rest)")
            table.operations[row].judgedAs = Int32(within ?? -1)
        }
    }
}
