/// Header rules in the form in which every field is looked up. Most fields have no rule, and most of those are told
/// by two loads: the initial letter, then the lengths that occur under it.
///
/// A class, so that a look-up does not copy the tables.
final class CompiledRules: Sendable {
    private struct Entry: Sendable {
        var start: Int
        var count: Int
        var isPrefix: Bool
        var isElevatedOnly: Bool
    }

    private static let initials = 26
    /// Bit n of an initial's mask: some rule with this initial can match a name of n bytes (63 stands for longer).
    private let lengths: InlineArray<26, UInt64>
    /// Entries of an initial: `entries[firstEntry[i]..<firstEntry[i + 1]]`.
    private let firstEntry: InlineArray<27, Int>
    private let entries: [Entry]
    /// All names one after the other, folded.
    private let names: [UInt8]

    init(_ rules: [HeaderRule]) {
        var lengths = InlineArray<26, UInt64>(repeating: 0)
        var firstEntry = InlineArray<27, Int>(repeating: 0)
        var entries: [Entry] = []
        var names: [UInt8] = []
        for initial in 0..<Self.initials {
            firstEntry[initial] = entries.count
            for rule in rules {
                var name = rule.name.withUTF8Buffer { $0.map(folded) }
                let isPrefix = name.last == UInt8(ascii: "*")
                if isPrefix { name.removeLast() }
                guard name.first == UInt8(ascii: "a") + UInt8(initial) else { continue }
                entries.append(
                    Entry(
                        start: names.count, count: name.count, isPrefix: isPrefix,
                        isElevatedOnly: rule.scope == .elevated
                    ))
                names += name
                let bit = UInt64(1) << UInt64(min(name.count, 63))
                // A prefix matches its own length and every longer one.
                lengths[initial] |= isPrefix ? ~(bit - 1) : bit
            }
        }
        firstEntry[Self.initials] = entries.count
        precondition(entries.count == rules.count, "a rule's name begins with a letter")
        self.lengths = lengths
        self.firstEntry = firstEntry
        self.entries = entries
        self.names = names
    }

    /// Whether a rule takes the field out on this route.
    func drops(_ name: Span<UInt8>, on route: Route) -> Bool {
        guard name.count > 0 else { return false }
        let initial = Int(folded(name[0])) - Int(UInt8(ascii: "a"))
        guard initial >= 0, initial < Self.initials, lengths[initial] >> UInt64(min(name.count, 63)) & 1 == 1 else {
            return false
        }
        for i in firstEntry[initial]..<firstEntry[initial + 1] where matches(entries[i], name) {
            if !entries[i].isElevatedOnly || route == .elevated { return true }
        }
        return false
    }

    private func matches(_ entry: Entry, _ name: Span<UInt8>) -> Bool {
        guard entry.isPrefix ? name.count >= entry.count : name.count == entry.count else { return false }
        for i in 0..<entry.count where folded(name[i]) != names[entry.start + i] { return false }
        return true
    }
}
