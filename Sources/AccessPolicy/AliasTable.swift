/// The aliases that clients may show, and what they may do. A class, so that handing it on copies nothing.
package final class AliasTable: Sendable, CustomStringConvertible, CustomReflectable {
    /// What aliases may do, by their index; nil when none of them is narrowed or limited.
    package let rights: RightsTable?
    private let digests: AliasDigests
    private let lengths: AliasLengths
    /// Aliases that can be guessed, and where they stand.
    package let short: [(name: String, origin: AliasOrigin)]
    private let names: [String]

    /// Bytes of an alias that `alias new` makes.
    static let generatedCount = 47

    /// Number of aliases.
    package var count: Int { names.count }
    package var isEmpty: Bool { names.isEmpty }

    package var description: String { "<\(count) aliases>" }
    /// Neither the key nor the digests are shown.
    package var customMirror: Mirror { Mirror(self, children: ["names": names]) }

    /// - Throws: `AliasError` at the first entry that is refused.
    package init(_ entries: [AliasEntry], rules: AliasRules = AliasRules()) throws(AliasError) {
        var digests = AliasDigests(capacity: entries.count)
        var lengths = AliasLengths()
        var short: [(name: String, origin: AliasOrigin)] = []
        var names: [String] = []
        var known: Set<String> = []
        for entry in entries {
            if !entry.isHashed, let problem = AliasEntry.problem(in: entry.token) {
                throw AliasError(origin: entry.origin, problem: problem)
            }
            guard !entry.name.isEmpty else { throw AliasError(origin: entry.origin, problem: .emptyName) }
            let digest = digests.digest(entry.token.span, isHashed: entry.isHashed)
            guard digests.find(digest) == nil else { throw AliasError(origin: entry.origin, problem: .duplicateToken) }
            guard known.insert(entry.name).inserted else {
                throw AliasError(origin: entry.origin, problem: .duplicateName)
            }
            digests.insert(digest, isHashed: entry.isHashed)
            names.append(entry.name)
            if entry.isShort { short.append((entry.name, entry.origin)) }
            // One that is known by its digest has the length of those that `alias new` makes, for all that is known.
            lengths.note(entry.isHashed ? Self.generatedCount : entry.token.count)
        }
        try Self.refuseTwins(entries, digests)
        rights = try rules.rights(of: entries)
        (self.digests, self.lengths, self.short, self.names) = (digests, lengths, short, names)
    }

    private init(
        _ other: AliasTable, _ rights: RightsTable, _ digests: AliasDigests, _ lengths: AliasLengths, _ names: [String]
    ) {
        short = other.short
        self.rights = rights
        (self.digests, self.lengths, self.names) = (digests, lengths, names)
    }

    /// One alias as itself and by its digest: two names, and perhaps two rights.
    private static func refuseTwins(_ entries: [AliasEntry], _ digests: AliasDigests) throws(AliasError) {
        guard digests.hasHashed else { return }
        for entry in entries where !entry.isHashed && digests.matchHashed(entry.token.span) != nil {
            throw AliasError(origin: entry.origin, problem: .duplicateToken)
        }
    }

    /// These aliases, and others that are known by their digests alone: those which the device flow has granted.
    /// - Returns: also the names of those that were left out: the name is taken, or the words come to nothing by now.
    package func adding(_ others: [AliasEntry], _ policy: Policy) -> (aliases: AliasTable, leftOut: [String]) {
        guard !others.isEmpty else { return (self, []) }
        var rights = self.rights ?? RightsTable(unnarrowed: count, policy.table)
        var (digests, lengths, names) = (digests, lengths, names)
        var known = Set(names)
        var leftOut: [String] = []
        digests.reserve(count + others.count)
        for entry in others {
            let digest = digests.digest(entry.token.span, isHashed: true)
            guard entry.isHashed, digests.find(digest) == nil, known.insert(entry.name).inserted,
                let words = try? AliasWords(entry.words, sets: policy.sets, now: .min),
                (try? rights.add(words, policy.sets)) != nil
            else {
                leftOut.append(entry.name)
                continue
            }
            digests.insert(digest, isHashed: true)
            names.append(entry.name)
            lengths.note(Self.generatedCount)
        }
        rights.finish()
        return (AliasTable(self, rights, digests, lengths, names), leftOut)
    }

    /// As `init(_: [AliasEntry])`; an error counts the entries from 1.
    package convenience init(_ entries: [(name: String, token: [UInt8])]) throws(AliasError) {
        var numbered: [AliasEntry] = []
        for (index, entry) in entries.enumerated() {
            numbered.append(AliasEntry(name: entry.name, token: entry.token, origin: .item(index + 1)))
        }
        try self.init(numbered)
    }

    /// The alias that `token` is, byte for byte.
    package func match(_ token: Span<UInt8>) -> Int? { token.isEmpty ? nil : digests.match(token) }

    /// Whether some alias has this many bytes.
    func mayBeAlias(count: Int) -> Bool { lengths.contains(count) }

    /// Bytes of the shortest alias or of one that `alias new` makes, whichever is less.
    var leastCount: Int { lengths.least }

    /// The name under which an alias is logged.
    package func name(at index: Int) -> String { names[index] }
}

/// How many bytes aliases have.
private struct AliasLengths: Sendable {
    /// Bit n for n bytes, and the last bit for all that have more.
    private var bits = InlineArray<4, UInt64>(repeating: 0)
    private(set) var least = AliasTable.generatedCount

    func contains(_ count: Int) -> Bool {
        let place = min(count, 255)
        return bits[place / 64] >> UInt64(place % 64) & 1 == 1
    }

    mutating func note(_ count: Int) {
        let place = min(count, 255)
        bits[place / 64] |= 1 << UInt64(place % 64)
        least = min(least, count)
    }
}
