internal import COpenSSL

/// The aliases that clients may show, by digest: the tokens themselves are not kept.
///
/// A token is found by its SHA-256 under a random key of this process, so neither the bucket that is looked at nor the
/// time that a look-up takes can be steered or read by who sends the token; ten thousand aliases cost what one costs.
package struct AliasTable: Sendable, CustomStringConvertible, CustomReflectable {
    private struct Digest: Sendable {
        var word0: UInt64
        var word1: UInt64
        var word2: UInt64
        var word3: UInt64
    }

    /// One block of SHA-256.
    private let key: [UInt8]
    /// The same for aliases of which the file has the SHA-256 alone. A key of its own, so that nobody who has read the
    /// file can show a digest in place of the alias.
    private let hashedKey: [UInt8]
    private var hasHashed = false
    /// What aliases may do, by their index; nil when none of them is narrowed or limited.
    package var rights: RightsTable? { held?.table }

    /// One reference for all arrays of the rights: a copy of the aliases, of which each request makes some, does not count
    /// every one of them.
    private final class HeldRights: Sendable {
        let table: RightsTable

        init(_ table: RightsTable) { self.table = table }
    }
    private var held: HeldRights?
    /// Bytes of the aliases: bit n for n of them, and the last bit for all that have more.
    private var counts = InlineArray<4, UInt64>(repeating: 0)
    /// Bytes of the shortest alias or of one that `alias new` makes, whichever is less.
    private(set) var leastCount = Self.generatedCount
    /// Bytes of an alias that `alias new` makes.
    static let generatedCount = 47
    /// Aliases that can be guessed, and where they stand.
    package private(set) var short: [(name: String, origin: AliasOrigin)] = []
    private var digests: [Digest] = []
    private var names: [String] = []
    /// Open addressing: index of an alias plus one, 0 for a free slot; at least twice as many slots as aliases.
    private var slots: [Int32]

    /// Number of aliases.
    package var count: Int { digests.count }
    package var isEmpty: Bool { digests.isEmpty }

    package var description: String { "<\(count) aliases>" }
    /// Neither the key nor the digests are shown.
    package var customMirror: Mirror { Mirror(self, children: ["names": names]) }

    /// - Throws: `AliasError` at the first entry that is refused.
    package init(_ entries: [AliasEntry], rules: AliasRules = AliasRules()) throws(AliasError) {
        var random = SystemRandomNumberGenerator()
        key = (0..<64).map { _ in random.next() }
        hashedKey = (0..<64).map { _ in random.next() }
        var slotCount = 8
        while slotCount < entries.count * 2 { slotCount *= 2 }
        slots = Array(repeating: 0, count: slotCount)
        var known: Set<String> = []
        for entry in entries {
            if !entry.isHashed, let problem = AliasEntry.problem(in: entry.token) {
                throw AliasError(origin: entry.origin, problem: problem)
            }
            guard !entry.name.isEmpty else { throw AliasError(origin: entry.origin, problem: .emptyName) }
            let digest = digest(of: entry.token.span, entry.isHashed ? hashedKey : key)
            hasHashed = hasHashed || entry.isHashed
            guard find(digest) == nil else { throw AliasError(origin: entry.origin, problem: .duplicateToken) }
            guard known.insert(entry.name).inserted else {
                throw AliasError(origin: entry.origin, problem: .duplicateName)
            }
            insert(digest, name: entry.name)
            if entry.isShort { short.append((entry.name, entry.origin)) }
            // One that is known by its digest has the length of those that `alias new` makes, for all that is known.
            note(count: entry.isHashed ? Self.generatedCount : entry.token.count)
        }
        try refuseTwins(entries)
        held = try rules.rights(of: entries).map(HeldRights.init)
    }

    /// One alias as itself and by its digest: two names, and perhaps two rights.
    private func refuseTwins(_ entries: [AliasEntry]) throws(AliasError) {
        guard hasHashed else { return }
        for entry in entries where !entry.isHashed && find(hashedDigest(of: entry.token.span)) != nil {
            throw AliasError(origin: entry.origin, problem: .duplicateToken)
        }
    }

    /// These aliases, and others that are known by their digests alone: those which the device flow has granted.
    /// - Returns: also the names of those that were left out: the name is taken, or the words come to nothing by now.
    package func adding(_ others: [AliasEntry], _ policy: Policy) -> (aliases: AliasTable, leftOut: [String]) {
        guard !others.isEmpty else { return (self, []) }
        var all = self
        var rights = held?.table ?? RightsTable(unnarrowed: count, policy.table)
        var known = Set(names)
        var leftOut: [String] = []
        all.hasHashed = true
        all.slots = Array(repeating: 0, count: slots.count)
        while all.slots.count < (count + others.count) * 2 {
            all.slots = Array(repeating: 0, count: all.slots.count * 2)
        }
        (all.digests, all.names) = ([], [])
        for index in digests.indices { all.insert(digests[index], name: names[index]) }
        for entry in others {
            let digest = digest(of: entry.token.span, hashedKey)
            guard entry.isHashed, all.find(digest) == nil, known.insert(entry.name).inserted,
                let words = try? AliasWords(entry.words, sets: policy.sets, now: .min),
                (try? rights.add(words, policy.sets)) != nil
            else {
                leftOut.append(entry.name)
                continue
            }
            all.insert(digest, name: entry.name)
            all.note(count: Self.generatedCount)
        }
        rights.finish()
        all.held = HeldRights(rights)
        return (all, leftOut)
    }

    /// As `init(_: [AliasEntry])`; an error counts the entries from 1.
    package init(_ entries: [(name: String, token: [UInt8])]) throws(AliasError) {
        var numbered: [AliasEntry] = []
        for (index, entry) in entries.enumerated() {
            numbered.append(AliasEntry(name: entry.name, token: entry.token, origin: .item(index + 1)))
        }
        try self.init(numbered)
    }

    /// The alias that `token` is, byte for byte.
    package func match(_ token: Span<UInt8>) -> Int? {
        guard !token.isEmpty else { return nil }
        if let found = find(digest(of: token, key)) { return found }
        return hasHashed ? find(hashedDigest(of: token)) : nil
    }

    /// Whether some alias has this many bytes.
    func mayBeAlias(count: Int) -> Bool {
        let place = min(count, 255)
        return counts[place / 64] >> UInt64(place % 64) & 1 == 1
    }

    private mutating func note(count: Int) {
        let place = min(count, 255)
        counts[place / 64] |= 1 << UInt64(place % 64)
        leastCount = min(leastCount, count)
    }

    /// The name under which an alias is logged.
    package func name(at index: Int) -> String { names[index] }

    private mutating func insert(_ digest: Digest, name: String) {
        digests.append(digest)
        names.append(name)
        var slot = firstSlot(digest)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(digests.count)
    }

    private func find(_ digest: Digest) -> Int? {
        var slot = firstSlot(digest)
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if Self.areEqual(digests[index], digest) { return index }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private func firstSlot(_ digest: Digest) -> Int {
        Int(truncatingIfNeeded: digest.word0 & UInt64(slots.count - 1))
    }

    // The pointers handed to C do not outlive the calls; counts come from the same spans.
    private func hashedDigest(of token: Span<UInt8>) -> Digest {
        let raw = token.withUnsafeBufferPointer { copenssl_sha256($0.baseAddress, $0.count, nil, 0) }
        // The words hold the digest's bytes in their order.
        var bytes = InlineArray<32, UInt8>(repeating: 0)
        for i in 0..<32 {
            let word = i < 8 ? raw.word.0 : i < 16 ? raw.word.1 : i < 24 ? raw.word.2 : raw.word.3
            bytes[i] = UInt8(truncatingIfNeeded: word.littleEndian >> UInt64(8 * (i & 7)))
        }
        return digest(of: bytes.span, hashedKey)
    }

    private func digest(of token: Span<UInt8>, _ key: [UInt8]) -> Digest {
        let raw = key.span.withUnsafeBufferPointer { key in
            token.withUnsafeBufferPointer { token in
                copenssl_sha256(key.baseAddress, key.count, token.baseAddress, token.count)
            }
        }
        return Digest(word0: raw.word.0, word1: raw.word.1, word2: raw.word.2, word3: raw.word.3)
    }

    private static func areEqual(_ a: Digest, _ b: Digest) -> Bool {
        copenssl_sha256_equal(
            copenssl_sha256_digest(word: (a.word0, a.word1, a.word2, a.word3)),
            copenssl_sha256_digest(word: (b.word0, b.word1, b.word2, b.word3))) != 0
    }
}
