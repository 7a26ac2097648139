/// What the words of aliases are read by.
package struct AliasRules: Sendable {
    /// Nil is what is compiled in.
    package var policy: Policy?
    /// An alias without words is refused (`--alias-rights required`).
    package var areRequired: Bool
    /// Seconds since 1970.
    package var now: Int64

    package init(policy: Policy? = nil, areRequired: Bool = false, now: Int64 = 0) {
        self.policy = policy
        self.areRequired = areRequired
        self.now = now
    }

    /// The rights of all entries, by their index; nil when none of them has any words.
    func rights(of entries: [AliasEntry]) throws(AliasError) -> RightsTable? {
        let inFile = policy?.aliases ?? [:]
        if !inFile.isEmpty { try refuseStrangers(inFile, entries) }
        guard areRequired || !inFile.isEmpty || entries.contains(where: { !$0.words.isEmpty }) else { return nil }
        let policy = self.policy ?? .builtIn
        var rights = RightsTable(policy.table)
        var known: [[String]: AliasRecord] = [:]
        for entry in entries {
            let line = inFile[entry.name]
            if let line, !entry.words.isEmpty {
                throw AliasError(
                    origin: entry.origin,
                    problem: .rights("the rights of \(entry.name) are in the policy file too, at line \(line.line)"))
            }
            let words = line?.words ?? entry.words
            guard !words.isEmpty else {
                guard !areRequired else {
                    throw AliasError(
                        origin: entry.origin,
                        problem: .rights("expected the rights of \(entry.name) behind it (--alias-rights required)"))
                }
                rights.addUnnarrowed()
                continue
            }
            do throws(AliasWords.Problem) {
                if let record = known[words] {
                    rights.add(record)
                } else {
                    let read = try AliasWords(words, sets: policy.sets, now: now)
                    known[words] = try rights.add(read, policy.sets)
                }
            } catch {
                throw AliasError(
                    origin: line.map { .policyLine($0.line) } ?? entry.origin, problem: .rights(error.message))
            }
        }
        rights.finish()
        return rights
    }

    /// A name that no alias has is a slip that would leave some alias without its bounds.
    private func refuseStrangers(
        _ lines: [String: Policy.AliasLine], _ entries: [AliasEntry]
    ) throws(AliasError) {
        let names = Set(entries.map(\.name))
        for (name, line) in lines.sorted(by: { $0.value.line < $1.value.line }) where !names.contains(name) {
            throw AliasError(origin: .policyLine(line.line), problem: .rights("there is no alias of this name"))
        }
    }
}
