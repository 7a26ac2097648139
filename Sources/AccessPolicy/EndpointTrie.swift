/// What stands behind a segment, while the trie is made.
private final class Branch {
    var literals: [[UInt8]: Branch] = [:]
    var parameter: Branch?
    var rest: Branch?
    var operations: [Int32] = []

    /// What the other one has and this one lacks: Sentry tries one route after the other, so a path whose first
    /// segments are a literal's may still take the route of a parameter.
    /// - Parameter room: how many more branches there may be; nothing more is added at 0.
    func complete(from other: Branch, _ room: inout Int) {
        if operations.isEmpty { operations = other.operations }
        for (name, branch) in other.literals {
            guard let own = literals[name] ?? Self.another(&room) else { return }
            literals[name] = own
            own.complete(from: branch, &room)
        }
        if let branch = other.parameter {
            guard let own = parameter ?? Self.another(&room) else { return }
            parameter = own
            own.complete(from: branch, &room)
        }
        if let branch = other.rest {
            guard let own = rest ?? Self.another(&room) else { return }
            rest = own
            own.complete(from: branch, &room)
        }
    }

    func completeAll(_ room: inout Int) {
        if let parameter {
            for branch in literals.values { branch.complete(from: parameter, &room) }
            parameter.completeAll(&room)
        }
        for branch in literals.values { branch.completeAll(&room) }
    }

    /// - Returns: nil when there is no room for it.
    static func another(_ room: inout Int) -> Branch? {
        room -= 1
        return room >= 0 ? Branch() : nil
    }
}

extension EndpointTableBuilder {
    /// Templates in which a literal stands beside a parameter multiply; Sentry's own come to 1,700 nodes.
    static let mostNodes = 65_536

    /// Makes the trie, and says of each row which one decides.
    /// - Returns: nil when it would have more than `mostNodes` nodes.
    mutating func finish() -> EndpointTable? {
        let root = Branch()
        var room = Self.mostNodes - 1
        for row in table.operations.indices {
            let template = table.templates[Int(table.operations[row].template)]
            var branch = root
            for segment in table.text[template.path.range].split(separator: UInt8(ascii: "/")) {
                if segment.first != UInt8(ascii: "{") {
                    guard let next = branch.literals[Array(segment)] ?? Branch.another(&room) else { return nil }
                    branch.literals[Array(segment)] = next
                    branch = next
                } else if segment.suffix(3).elementsEqual(":*}".utf8) {
                    guard let next = branch.rest ?? Branch.another(&room) else { return nil }
                    branch.rest = next
                    branch = next
                } else {
                    guard let next = branch.parameter ?? Branch.another(&room) else { return nil }
                    branch.parameter = next
                    branch = next
                }
            }
            branch.operations.append(Int32(row))
        }
        root.completeAll(&room)
        guard room >= 0 else { return nil }
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
