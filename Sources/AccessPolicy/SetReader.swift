/// Reads the sets of a policy file, each over those above it.
struct SetReader {
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
    /// Operations that a built-in set names and cannot have.
    private var missed: [String] = []
    private(set) var shortfalls: [String] = []

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
        missed = []
    }

    /// The operations that a line names. What a file names must be there; a built-in set is of no table in particular.
    private mutating func rows(_ line: PolicyLine, from place: Int) throws(PolicyFileError) -> [Int] {
        let (found, absent) = try line.rows(sets.table, from: place)
        guard let first = absent.first else { return found }
        guard isBuiltIn else { throw PolicyFileError(line.number, "the table has no \(first)") }
        missed += absent
        return found
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
            for row in try rows(line, from: 1) {
                let operation = sets.table.operations[row]
                if operation.operationClass.isNever { never[row] = line.number }
                granted.operations.insert(row)
                granted.needs[row] = nil
            }
        case "deny":
            for row in try rows(line, from: 1) { denied.insert(row) }
        case "danger":
            for row in try rows(line, from: 1) {
                guard sets.table.operations[row].operationClass.isNever || isBuiltIn else {
                    throw PolicyFileError(line.number, "\(sets.table.name(of: row)) needs no danger line")
                }
                dangers.insert(row)
            }
        case "needs":
            guard words.count > 4, words[2] == "on" else {
                throw PolicyFileError(line.number, "expected needs PARAMETER on METHODS PATHS")
            }
            for row in try rows(line, from: 3) { needs.append((row, words[1], line.number)) }
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
            guard isBuiltIn else {
                throw PolicyFileError(
                    line, "\(sets.table.name(of: row)) ends narrowing: it needs a line 'danger' in this set")
            }
            denied.insert(row)
            missed.append(sets.table.name(of: row))
        }
        for row in dangers where never[row] == nil && !isBuiltIn {
            throw PolicyFileError(number, "danger \(sets.table.name(of: row)): no line of this set allows it")
        }
        granted.operations.subtract(denied)
        for row in denied.operations { granted.needs[row] = nil }
        for (row, parameter, line) in needs {
            guard granted.operations.contains(row) else {
                if isBuiltIn { continue }
                throw PolicyFileError(line, "needs: this set does not allow \(sets.table.name(of: row))")
            }
            granted.needs[row] = [(granted.needs[row]?.first ?? []) + [parameter]]
        }
        guard !granted.operations.isEmpty || isBuiltIn else {
            throw PolicyFileError(number, "set \(name) allows nothing")
        }
        if !missed.isEmpty {
            let names =
                missed.prefix(5).joined(separator: ", ") + (missed.count > 5 ? " and \(missed.count - 5) more" : "")
            shortfalls.append(
                granted.operations.isEmpty
                    ? "set \(name) allows nothing: the table lacks or bars \(names)"
                    : "set \(name) goes without what the table lacks or bars: \(names)")
        } else if granted.operations.isEmpty {
            shortfalls.append("set \(name) allows nothing: the table has no operation of its kind")
        }
        sets.define(name, granted)
        self.name = nil
    }
}
