/// A line of a policy file that is refused.
package struct PolicyFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// From 1.
    package let line: Int
    package let message: String

    init(_ line: Int, _ message: String) {
        self.line = line
        self.message = message
    }

    package var description: String { "line \(line): \(message)" }
}

/// The table of operations, the named sets, and the rights that a policy file gives to aliases by name.
package struct Policy: Sendable {
    package let table: EndpointTable
    package let sets: PolicySets
    /// The words of aliases, by name.
    package internal(set) var aliases: [String: AliasLine] = [:]
    /// Corrections that make an operation weaker, for the log of each start.
    package internal(set) var weakened: [String] = []
    /// How many `effect` and `endpoint` lines there are.
    package internal(set) var corrections = 0

    package struct AliasLine: Sendable {
        package let words: [String]
        /// From 1.
        package let line: Int
    }

    /// What holds without a policy file.
    package static let builtIn: Policy = {
        do {
            return try Policy(file: "")
        } catch {
            // A test reads the same bytes.
            fatalError("Policy/sets.policy: \(error)")
        }
    }()

    /// Reads a policy file over what is compiled in.
    /// - Throws: `PolicyFileError` at the first line that is refused.
    package init(file text: String) throws(PolicyFileError) {
        let lines = PolicyLine.all(text)
        var builder = EndpointTableBuilder(EndpointTable.builtIn)
        var reader = CorrectionReader()
        for line in lines where !line.isIndented && (line.words[0] == "effect" || line.words[0] == "endpoint") {
            try reader.read(line, EndpointTable.builtIn, into: &builder)
        }
        table = reader.count == 0 ? EndpointTable.builtIn : builder.finish()
        weakened = reader.weakened
        corrections = reader.count
        var setReader = SetReader(PolicySets(table))
        var aliases: [String: AliasLine] = [:]
        let builtIn = builtInSetText.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
        for line in PolicyLine.all(builtIn) { try setReader.read(line) }
        try setReader.endSet()
        setReader.isBuiltIn = false
        for line in lines {
            switch line.words[0] {
            case _ where line.isIndented: try setReader.read(line)
            case "set": try setReader.read(line)
            case "alias":
                try setReader.endSet()
                try Self.add(line, to: &aliases)
            case "effect", "endpoint": try setReader.endSet()
            default: throw PolicyFileError(line.number, "expected set, alias, effect or endpoint")
            }
        }
        try setReader.endSet()
        sets = setReader.sets
        self.aliases = aliases
    }

    private static func add(
        _ line: PolicyLine, to aliases: inout [String: AliasLine]
    ) throws(PolicyFileError) {
        guard line.words.count > 3, line.words[2] == ":" else {
            throw PolicyFileError(line.number, "expected alias NAME : WORDS")
        }
        guard aliases[line.words[1]] == nil else { throw PolicyFileError(line.number, "this alias was given before") }
        aliases[line.words[1]] = AliasLine(words: Array(line.words[3...]), line: line.number)
    }
}

/// A line with words in it.
struct PolicyLine {
    var number: Int
    var isIndented: Bool
    var words: [String]

    static func all(_ text: String) -> [PolicyLine] {
        var lines: [PolicyLine] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            var words: [String] = []
            for word in line.split(whereSeparator: { $0 == " " || $0 == "\t" }) {
                if word.hasPrefix("#") { break }
                words.append(String(word))
            }
            guard !words.isEmpty else { continue }
            lines.append(
                PolicyLine(
                    number: index + 1, isIndented: line.first == " " || line.first == "\t", words: words))
        }
        return lines
    }

    /// The operations that `METHODS PATH…` name; `from` is the place of the methods.
    func rows(_ table: EndpointTable, from place: Int) throws(PolicyFileError) -> [Int] {
        guard words.count > place + 1 else { throw PolicyFileError(number, "expected METHODS and PATHS") }
        var methods: [OperationMethod] = []
        for name in words[place].split(separator: ",", omittingEmptySubsequences: false) {
            guard let method = OperationMethod(named: name) else {
                throw PolicyFileError(number, "'\(name)' is not GET, POST, PUT, PATCH or DELETE")
            }
            methods.append(method)
        }
        var rows: [Int] = []
        for path in try paths(from: place + 1) {
            for method in methods {
                guard let row = table.row(method, path) else {
                    throw PolicyFileError(number, "the table has no \(method.name) /api/0\(path)")
                }
                rows.append(row)
            }
        }
        return rows
    }

    private static let roots = [
        "O": "/organizations/*/", "P": "/projects/*/*/", "T": "/teams/*/*/", "I": "/organizations/*/issues/*/",
    ]

    /// The paths from a place on, without `/api/0`.
    private func paths(from place: Int) throws(PolicyFileError) -> [String] {
        var paths: [String] = []
        var at = place
        while at < words.count {
            let word = words[at]
            at += 1
            if let root = Self.roots[word] {
                let isTail = at < words.count && Self.roots[words[at]] == nil && !words[at].hasPrefix("/")
                paths.append(root + (isTail ? words[at] : ""))
                if isTail { at += 1 }
            } else {
                paths.append(try Self.path(word, number))
            }
        }
        return paths
    }

    /// A path as it is typed, without `/api/0`.
    static func path(_ word: String, _ line: Int) throws(PolicyFileError) -> String {
        guard word.hasPrefix("/api/0/") else {
            throw PolicyFileError(line, "'\(word)': expected a path under /api/0/, or O, P, T or I")
        }
        return String(word.dropFirst(6))
    }
}

/// Reads `effect` and `endpoint` lines.
private struct CorrectionReader {
    var count = 0
    var weakened: [String] = []

    mutating func read(
        _ line: PolicyLine, _ table: EndpointTable, into builder: inout EndpointTableBuilder
    ) throws(PolicyFileError) {
        let (words, number) = (line.words, line.number)
        guard words.count >= 4, let method = OperationMethod(named: words[1]) else {
            throw PolicyFileError(number, "expected \(words[0]) METHOD PATH EFFECT")
        }
        let path = try PolicyLine.path(words[2], number)
        guard let effect = OperationEffect(rawValue: words[3]) else {
            let known = OperationEffect.allCases.map(\.rawValue).joined(separator: ", ")
            throw PolicyFileError(number, "'\(words[3])' is not \(known)")
        }
        count += 1
        if words[0] == "effect" {
            guard words.count <= 5 else { throw PolicyFileError(number, "expected effect METHOD PATH EFFECT [CLASS]") }
            guard let row = table.row(method, path) else {
                throw PolicyFileError(number, "the table has no \(method.name) /api/0\(path)")
            }
            var operationClass = table.operations[row].operationClass
            if words.count == 5 {
                guard let given = OperationClass(rawValue: words[4]), given != .identity else {
                    throw PolicyFileError(number, "'\(words[4])' is not a class")
                }
                operationClass = given
            }
            let old = table.operations[row]
            if effect.isRead && !old.effect.isRead || old.operationClass.isNever && !operationClass.isNever {
                weakened.append("\(table.name(of: row)): \(old.effect.rawValue) is \(effect.rawValue) now")
            }
            builder.correct(row, effect, operationClass)
        } else {
            var selects: ProjectSelection?
            for word in words[4...] {
                guard word.hasPrefix("select="), let given = EndpointTableBuilder.selection(String(word.dropFirst(7)))
                else {
                    throw PolicyFileError(
                        number, "'\(word)': expected select= and a value of the table's column selects")
                }
                selects = given
            }
            guard table.row(method, path) == nil else {
                throw PolicyFileError(number, "the table has it: an effect line corrects it")
            }
            do throws(EndpointTableError) {
                try builder.add(method, path, effect, selects)
            } catch {
                throw PolicyFileError(number, error.message)
            }
        }
    }
}

/// Reads sets.
private struct SetReader {
    var sets: PolicySets
    var isBuiltIn = true
    private var name: String?
    private var number = 0
    private var granted: ExpandedSet
    private var denied: OperationSet
    /// Rows of a class that never is granted by accident, with the line that names each.
    private var never: [Int: Int] = [:]
    private var dangers: Set<Int> = []
    private var needs: [(row: Int, parameter: String, line: Int)] = []

    init(_ sets: PolicySets) {
        self.sets = sets
        denied = OperationSet(count: sets.table.operations.count)
        granted = ExpandedSet(operations: denied)
    }

    mutating func read(_ line: PolicyLine) throws(PolicyFileError) {
        if !line.isIndented {
            try endSet()
            try beginSet(line)
        } else {
            guard name != nil else { throw PolicyFileError(line.number, "this line is indented, but in no set") }
            try readBody(line)
        }
    }

    private mutating func beginSet(_ line: PolicyLine) throws(PolicyFileError) {
        guard line.words.count == 2 else { throw PolicyFileError(line.number, "expected set NAME") }
        let word = line.words[1]
        let isName =
            word.utf8.allSatisfy {
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
                    || $0 == UInt8(ascii: "-")
            } && word.first.map { "a"..."z" ~= $0 } ?? false
        guard isName else { throw PolicyFileError(line.number, "a set's name has small letters, digits and hyphens") }
        guard word != "full", sets.named[word] == nil else {
            throw PolicyFileError(line.number, "there is a set \(word) already")
        }
        name = word
        number = line.number
        denied = OperationSet(count: sets.table.operations.count)
        granted = ExpandedSet(operations: denied)
        never = [:]
        dangers = []
        needs = []
    }

    private mutating func readBody(_ line: PolicyLine) throws(PolicyFileError) {
        let words = line.words
        switch words[0] {
        case "use":
            guard words.count > 1 else { throw PolicyFileError(line.number, "expected use NAME…") }
            for word in words[1...] {
                guard let set = sets.expanded(word) else {
                    throw PolicyFileError(line.number, "there is no set '\(word)' above this line")
                }
                granted.formUnion(set)
            }
        case "allow":
            for row in try line.rows(sets.table, from: 1) {
                let operation = sets.table.operations[row]
                if operation.operationClass.isNever { never[row] = line.number }
                granted.operations.insert(row)
                granted.needs[row] = nil
            }
        case "deny":
            for row in try line.rows(sets.table, from: 1) { denied.insert(row) }
        case "danger":
            for row in try line.rows(sets.table, from: 1) {
                guard sets.table.operations[row].operationClass.isNever else {
                    throw PolicyFileError(line.number, "\(sets.table.name(of: row)) needs no danger line")
                }
                dangers.insert(row)
            }
        case "needs":
            guard words.count > 4, words[2] == "on" else {
                throw PolicyFileError(line.number, "expected needs PARAMETER on METHODS PATHS")
            }
            for row in try line.rows(sets.table, from: 3) { needs.append((row, words[1], line.number)) }
        case "effect" where words.count == 2:
            guard let effect = OperationEffect(rawValue: words[1]), effect.isRead else {
                throw PolicyFileError(line.number, "expected effect read or effect read-by-POST")
            }
            for (row, operation) in sets.table.operations.enumerated()
            where operation.effect == effect && Self.isInEffect(operation.operationClass) {
                granted.operations.insert(row)
                granted.needs[row] = nil
            }
        case "class":
            try readClass(line)
        default:
            throw PolicyFileError(line.number, "expected use, allow, deny, needs, danger, effect or class")
        }
    }

    private static func isInEffect(_ operationClass: OperationClass) -> Bool {
        switch operationClass {
        case .personal, .cost, .identity: false
        default: !operationClass.isNever
        }
    }

    /// `class NAME` is what of it reads or hands out secrets; `class NAME effect EFFECT` is that part.
    private mutating func readClass(_ line: PolicyLine) throws(PolicyFileError) {
        let words = line.words
        guard words.count == 2 || words.count == 4 && words[2] == "effect",
            let operationClass = OperationClass(rawValue: words[1]), !operationClass.isNever,
            operationClass != .identity
        else {
            throw PolicyFileError(
                line.number, "expected class NAME [effect EFFECT], and no class that never is granted")
        }
        var effects: [OperationEffect] = [.read, .secret]
        if words.count == 4 {
            guard let effect = OperationEffect(rawValue: words[3]) else {
                throw PolicyFileError(line.number, "'\(words[3])' is not an effect")
            }
            effects = [effect]
        }
        for (row, operation) in sets.table.operations.enumerated()
        where operation.operationClass == operationClass && effects.contains(operation.effect) {
            granted.operations.insert(row)
            granted.needs[row] = nil
        }
    }

    /// Checks the set that is being read, and defines it.
    mutating func endSet() throws(PolicyFileError) {
        guard let name else { return }
        for (row, line) in never.sorted(by: { $0.value < $1.value }) where !dangers.contains(row) {
            throw PolicyFileError(
                line, "\(sets.table.name(of: row)) ends narrowing: it needs a line 'danger' in this set")
        }
        for row in dangers where never[row] == nil {
            throw PolicyFileError(number, "danger \(sets.table.name(of: row)): no line of this set allows it")
        }
        granted.operations.subtract(denied)
        for row in denied.operations { granted.needs[row] = nil }
        for (row, parameter, line) in needs {
            guard granted.operations.contains(row) else {
                throw PolicyFileError(line, "needs: this set does not allow \(sets.table.name(of: row))")
            }
            granted.needs[row] = [(granted.needs[row]?.first ?? []) + [parameter]]
        }
        guard !granted.operations.isEmpty else { throw PolicyFileError(number, "set \(name) allows nothing") }
        sets.define(name, granted)
        self.name = nil
    }
}
