internal import AccessPolicy

/// Counts under a few names that are known in advance, for what happens too seldom to need an index.
package struct CauseCounts: Sendable {
    package private(set) var names: [StaticString]
    package private(set) var counts: [UInt64]

    /// - Parameter names: shown from the start, so that a first increment is seen as one.
    package init(_ names: [StaticString]) {
        self.names = names
        counts = Array(repeating: 0, count: names.count)
    }

    mutating func count(_ name: StaticString, by number: UInt64 = 1) {
        // Names are literals of one switch, so there are never more than a few.
        if let index = names.firstIndex(where: { $0.isSame(as: name) }) {
            counts[index] += number
        } else {
            names.append(name)
            counts.append(number)
        }
    }

    mutating func add(_ other: CauseCounts) {
        for (name, count) in zip(other.names, other.counts) { self.count(name, by: count) }
    }

    /// Stops sharing memory with the original, so that this one's owner does not have to.
    mutating func detach() {
        (names, counts) = (names.map { $0 }, counts.map { $0 })
    }
}

extension StaticString {
    fileprivate func isSame(as other: StaticString) -> Bool {
        withUTF8Buffer { mine in other.withUTF8Buffer { mine.elementsEqual($0) } }
    }
}

/// Verdicts over requests of bounded aliases, by alias, verdict and reason.
package struct DecisionCounts: Sendable {
    private static let reasons = RefusalReason.allCases.count
    /// Allowed; refused and would be refused by reason.
    private static let columns = 1 + 2 * reasons
    /// By the slot of the alias in `AliasCounts`; as long as the last slot that was needed.
    private var counts: [UInt64] = []

    /// Makes room, so that counting does not.
    mutating func reserve(slots: Int) {
        let missing = slots * Self.columns - counts.count
        if missing > 0 { counts.append(contentsOf: repeatElement(0, count: missing)) }
    }

    mutating func record(slot: Int, _ rights: RightsRecord) {
        var column = 0
        if let reason = rights.reason {
            column = 1 + Int(reason.rawValue) + (rights.isShadowed ? Self.reasons : 0)
        }
        let index = slot * Self.columns + column
        guard index < counts.count else { return }
        counts[index] &+= 1
    }

    /// - Parameters:
    ///   - mine: by the other's slots, those of this one.
    mutating func add(_ other: DecisionCounts, slots mine: [Int]) {
        for (index, count) in other.counts.enumerated() where count > 0 {
            let slot = mine[index / Self.columns]
            reserve(slots: slot + 1)
            counts[slot * Self.columns + index % Self.columns] += count
        }
    }

    mutating func detach() { counts = counts.map { $0 } }

    /// Refused of one alias, not counting what only would be.
    func refused(slot: Int) -> UInt64 {
        let first = slot * Self.columns + 1
        guard first + Self.reasons <= counts.count else { return 0 }
        return counts[first..<first + Self.reasons].reduce(0, +)
    }

    /// All that occurred.
    var all: [(slot: Int, verdict: String, reason: String, count: UInt64)] {
        var found: [(slot: Int, verdict: String, reason: String, count: UInt64)] = []
        for (index, count) in counts.enumerated() where count > 0 {
            let column = index % Self.columns
            let reason = column == 0 ? "" : RefusalReason.allCases[(column - 1) % Self.reasons].name.description
            let verdict = column == 0 ? "allowed" : column <= Self.reasons ? "refused" : "would_refuse"
            found.append((index / Self.columns, verdict, reason, count))
        }
        return found
    }
}

/// Requests by alias and status class. The number of names is bounded: later ones share the first slot.
package struct AliasCounts: Sendable {
    /// What the aliases are counted under that came when all slots were taken.
    package static let otherName = "other aliases"
    static let mostSlots = 1_024

    /// By slot; a slot keeps its name for the worker's life, whatever a reload does to the table's order.
    package private(set) var names = [otherName]
    /// By slot and status class.
    private var counts = [UInt64](repeating: 0, count: Counters.statusClasses)
    /// By slot: requests in flight.
    private var flying = [0]

    package init() {}

    package func inFlight(slot: Int) -> Int { flying[slot] }

    mutating func began(slot: Int) { flying[slot] &+= 1 }
    mutating func ended(slot: Int) { flying[slot] &-= 1 }

    package func count(slot: Int, statusClass: Int) -> UInt64 { counts[slot * Counters.statusClasses + statusClass] }

    mutating func record(slot: Int, statusClass: Int) {
        counts[slot * Counters.statusClasses + statusClass] &+= 1
    }

    /// Slots for the aliases of a table, by their index; names that are known keep theirs. For start and reload.
    mutating func slots(for aliases: some Collection<String>) -> [Int] {
        var known: [String: Int] = [:]
        for (slot, name) in names.enumerated() { known[name] = slot }
        return aliases.map { name in
            if let slot = known[name] { return slot }
            guard names.count < Self.mostSlots else { return 0 }
            names.append(name)
            counts.append(contentsOf: repeatElement(0, count: Counters.statusClasses))
            flying.append(0)
            known[name] = names.count - 1
            return names.count - 1
        }
    }

    /// The slots here of another's names.
    mutating func slots(of other: AliasCounts) -> [Int] { slots(for: other.names) }

    mutating func add(_ other: AliasCounts) {
        let mine = slots(for: other.names)
        for slot in other.names.indices {
            flying[mine[slot]] += other.flying[slot]
            for statusClass in 0..<Counters.statusClasses {
                counts[mine[slot] * Counters.statusClasses + statusClass] += other.count(
                    slot: slot, statusClass: statusClass)
            }
        }
    }

    mutating func detach() {
        (names, counts, flying) = (names.map { $0 }, counts.map { $0 }, flying.map { $0 })
    }
}
