internal import HTTP1

/// Header rules in the form in which every field is looked up. Most fields have no rule, and most of those are told by
/// their name's key: it leads to a free slot.
///
/// A class, so that a look-up does not copy the tables.
final class CompiledRules: Sendable {
    private struct Entry: Sendable {
        /// The name, folded, with zeros behind it.
        var words = InlineArray<3, UInt64>(repeating: 0)
        /// Bytes of the name; an entry without a name is a free slot.
        var count = 0
        var key = FieldNameKey("-")
        var isElevatedOnly = false
    }

    /// A power of two, and several times the rules.
    private static let slotCount = 128

    /// Rules for one name, by open addressing.
    private let slots: [Entry]
    /// The key of each slot's entry; 0 in a free one, since a name has at least one byte.
    private let keys: [UInt32]
    /// Rules for every name that begins so.
    private let prefixes: [Entry]
    /// The first eight bytes of each prefix, or all that it has, and a mask for them.
    private let beginnings: [(word: UInt64, mask: UInt64)]
    /// The first letter of every prefix.
    private let prefixInitials: InitialSet

    init(_ rules: [HeaderRule]) {
        var slots = [Entry](repeating: Entry(), count: Self.slotCount)
        var prefixes: [Entry] = []
        var prefixInitials = InitialSet()
        precondition(rules.count < Self.slotCount / 2, "a look-up ends at a free slot")
        for rule in rules {
            var name = rule.name.withUTF8Buffer { $0.map(\.foldedUnderWSGI) }
            let isPrefix = name.last == UInt8(ascii: "*")
            if isPrefix { name.removeLast() }
            precondition(1...24 ~= name.count, "a rule's name fits its entry")
            var entry = Entry(
                count: name.count, key: FieldNameKey(name.span, ByteSlice(start: 0, count: name.count)),
                isElevatedOnly: rule.scope == .elevated)
            for (at, byte) in name.enumerated() { entry.words[at / 8] |= UInt64(byte) << UInt64(at % 8 * 8) }
            if isPrefix {
                prefixes.append(entry)
                prefixInitials.insert(name[0])
            } else {
                var slot = Self.firstSlot(entry.key)
                while slots[slot].count > 0 { slot = (slot + 1) & (Self.slotCount - 1) }
                slots[slot] = entry
            }
        }
        self.slots = slots
        keys = slots.map { $0.count > 0 ? $0.key.word : 0 }
        self.prefixes = prefixes
        beginnings = prefixes.map { ($0.words[0], EightBytes(word: .max).first($0.count).word) }
        self.prefixInitials = prefixInitials
    }

    /// Whether a rule takes the field out on this route.
    func drops(_ field: FieldLine, _ bytes: Span<UInt8>, on route: Route) -> Bool {
        // The keys alone: an entry is six times as long, and is needed for one field in many.
        var slot = Self.firstSlot(field.key)
        while keys[slot] != 0 {
            if keys[slot] == field.key.word, begins(bytes, field.name, slots[slot]) {
                return !slots[slot].isElevatedOnly || route == .elevated
            }
            slot = (slot + 1) & (Self.slotCount - 1)
        }
        guard !field.name.isEmpty, prefixInitials.contains(bytes[Int(field.name.start)]) else { return false }
        let beginning = EightBytes(bytes, padded: Int(field.name.start)).foldedUnderWSGI.word
        for i in prefixes.indices where beginning & beginnings[i].mask == beginnings[i].word {
            guard begins(bytes, field.name, prefixes[i]) else { continue }
            if !prefixes[i].isElevatedOnly || route == .elevated { return true }
        }
        return false
    }

    private static func firstSlot(_ key: FieldNameKey) -> Int {
        // Multiplicative hashing: the constant is 2^32 divided by the golden ratio.
        Int(truncatingIfNeeded: (key.word &* 0x9e37_79b9) >> 16) & (slotCount - 1)
    }

    /// Whether `bytes[name]` begins with the entry's name. A name with the same key has the same length.
    private func begins(_ bytes: Span<UInt8>, _ name: ByteSlice, _ entry: Entry) -> Bool {
        guard Int(name.count) >= entry.count else { return false }
        var at = 0
        while at < entry.count {
            let bytes = EightBytes(bytes, padded: Int(name.start) + at).foldedUnderWSGI.first(entry.count - at)
            guard bytes.word == entry.words[at / 8] else { return false }
            at += 8
        }
        return true
    }
}

/// First letters of names, in either case.
private struct InitialSet: Sendable {
    private var mask: UInt32 = 0

    mutating func insert(_ letter: UInt8) { mask |= 1 << UInt32(letter & 0x1f) }

    /// Bytes that are not letters may count as the letter whose low five bits they share.
    func contains(_ byte: UInt8) -> Bool { mask >> UInt32(byte & 0x1f) & 1 == 1 }
}
