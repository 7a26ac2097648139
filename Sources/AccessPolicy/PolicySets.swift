/// What a set comes to over a table.
struct ExpandedSet: Sendable {
    var operations: OperationSet
    /// Query parameters without which an operation is not granted: any one of the lists must be there whole.
    var needs: [Int: [[String]]] = [:]

    /// Joined sets: what one grants without a condition has none.
    mutating func formUnion(_ other: ExpandedSet) {
        for (row, lists) in other.needs where !operations.contains(row) || needs[row] != nil {
            needs[row, default: []] += lists
        }
        for row in needs.keys where other.operations.contains(row) && other.needs[row] == nil { needs[row] = nil }
        operations.formUnion(other.operations)
    }

    /// Keeps what the other set has too, under the conditions of both.
    mutating func formIntersection(_ other: ExpandedSet) {
        operations.formIntersection(other.operations)
        var both: [Int: [[String]]] = [:]
        for row in Set(needs.keys).union(other.needs.keys) where operations.contains(row) {
            guard let mine = needs[row], let others = other.needs[row] else {
                both[row] = needs[row] ?? other.needs[row]
                continue
            }
            both[row] = mine.flatMap { one in others.map { one + $0.filter { !one.contains($0) } } }
        }
        needs = both
    }
}

/// Named sets of operations, expanded over a table; Sentry's scope words are sets too.
package struct PolicySets: Sendable {
    let table: EndpointTable
    private(set) var named: [String: ExpandedSet] = [:]
    /// In the order in which they were defined.
    package private(set) var names: [String] = []

    init(_ table: EndpointTable) { self.table = table }

    mutating func define(_ name: String, _ set: ExpandedSet) {
        named[name] = set
        names.append(name)
    }

    /// The set that a word stands for; nil when there is none.
    func expanded(_ word: String) -> ExpandedSet? {
        if let set = named[word] { return set }
        guard word.contains(":"), let held = ScopeSet(closedUnder: word) else { return nil }
        var set = ExpandedSet(operations: OperationSet(count: table.operations.count))
        for (row, operation) in table.operations.enumerated() where Self.allows(held, operation) {
            set.operations.insert(row)
        }
        return set
    }

    /// The operations of a named set or a scope word.
    package func operations(of word: String) -> OperationSet? { expanded(word)?.operations }

    /// What somebody who asks for scopes may be meant to want: a wish is read broadly, for it only narrows what is granted.
    func wished(_ held: ScopeSet) -> ExpandedSet {
        var set = ExpandedSet(operations: OperationSet(count: table.operations.count))
        for (row, operation) in table.operations.enumerated() {
            let met = held.intersection(operation.scopes)
            let writes = operation.effect == .write || operation.effect == .writeOnGET
            if !(writes ? met.subtracting(.reading) : met).isEmpty { set.operations.insert(row) }
        }
        return set
    }

    /// The scopes of a wish of which something is left: an operation that Sentry takes none weaker of them for. What writes
    /// is left of no `:read` scope, and what reads of no other.
    func left(of wish: ScopeSet, in held: OperationSet) -> ScopeSet {
        var left: ScopeSet = []
        for (row, operation) in table.operations.enumerated() where held.contains(row) {
            let writes = operation.effect == .write || operation.effect == .writeOnGET
            let met = operation.scopes.weakest.intersection(wish)
            left.formUnion(writes ? met.subtracting(.reading) : met.intersection(.reading))
        }
        return left
    }

    /// Everything but what never is an alias's: for `full` within an organization.
    var all: ExpandedSet {
        var set = ExpandedSet(operations: OperationSet(count: table.operations.count))
        for (row, operation) in table.operations.enumerated() where !operation.operationClass.isNever {
            set.operations.insert(row)
        }
        return set
    }

    /// Whether holding a scope is enough. Scopes that were inferred do not count, a `:read` scope never writes, and what
    /// hands out secrets or addresses of people, or costs, needs a set by name.
    private static func allows(_ held: ScopeSet, _ operation: Operation) -> Bool {
        let met = held.intersection(operation.scopes)
        guard !met.isEmpty, !operation.scopesAreByRule, !operation.operationClass.isNever,
            operation.operationClass != .identity
        else { return false }
        switch operation.effect {
        case .read, .readByPOST: return operation.operationClass != .personal && operation.operationClass != .cost
        case .write: return !met.subtracting(.reading).isEmpty
        case .secret, .writeOnGET: return false
        }
    }
}
