internal import AccessPolicy
internal import ArgumentParser
internal import Glibc

/// The flags of the rights of aliases.
struct RightsOptions: ParsableArguments {
    @OptionGroup var files: PolicyFileOptions
    @Option(
        help:
            "Whether every alias must have rights: optional (without, it may do everything) or required. [ALIAS_RIGHTS; optional]"
    )
    var aliasRights: String?
}

/// What the rights of aliases are read by; loaded at start, on SIGHUP and when a file has changed.
struct RightsSettings {
    /// The policy file and the table, and who named them.
    var files: PolicyFiles
    private let areRequired: Bool

    private enum Need: String { case optional, required }

    init(_ options: RightsOptions) throws(Failure) {
        files = PolicyFiles(options.files)
        areRequired =
            try Setting("--alias-rights", "ALIAS_RIGHTS")
            .parsed(options.aliasRights, expected: "optional or required", Need.init(rawValue:)) == .required
    }

    /// Reads and checks the files.
    func load() throws(Failure) -> AliasRules {
        AliasRules(policy: try files.load(), areRequired: areRequired, now: Int64(time(nil)))
    }

    /// A line of the log at each start and reload.
    struct Note {
        let text: String
        var isWarning = false

        init(_ text: String, isWarning: Bool = false) {
            self.text = text
            self.isWarning = isWarning
        }
    }

    /// What to say of the rights at each start and reload.
    func notes(_ loaded: LoadedAliases) -> [Note] {
        (loaded.aliases.map(Self.notes) ?? []) + tableNotes(loaded.rules.policy)
    }

    private static func notes(_ aliases: AliasTable) -> [Note] {
        var notes: [Note] = []
        let everything = (0..<aliases.count).filter { aliases.rights?.aliases[$0].isAll ?? true }
        if !everything.isEmpty {
            let names = everything.prefix(10).map(aliases.name(at:)).joined(separator: " ")
            let more = everything.count > 10 ? " and \(everything.count - 10) more" : ""
            notes.append(Note("aliases that may do all that the token may: \(names)\(more)"))
        }
        guard let rights = aliases.rights else { return notes }
        for index in 0..<aliases.count {
            let limits = rights.aliases[index].limits
            if limits.isShadow, limits.shadowUntil == nil {
                notes.append(
                    Note(
                        "\(aliases.name(at: index)): mode=shadow without shadow-until= refuses nothing, for good",
                        isWarning: true))
            }
        }
        if !rights.idleWords.isEmpty {
            let words = rights.idleWords.sorted().joined(separator: " ")
            notes.append(Note("the table has no operation for these words of aliases: \(words)", isWarning: true))
        }
        return notes
    }

    /// What a table of the operator's and corrections of a policy file change.
    private func tableNotes(_ policy: Policy?) -> [Note] {
        guard let policy else { return [] }
        var notes: [Note] = []
        if let file = files.table {
            let count = policy.base.operations.count
            notes.append(
                Note("the table of operations is from '\(file.value)': \(policy.base.version), \(count) operations"))
            let weakened = policy.base.weakened(against: .builtIn)
            for line in weakened.prefix(Self.mostLines) {
                notes.append(Note("the endpoint table makes an operation weaker than the built-in one: \(line)"))
            }
            if weakened.count > Self.mostLines {
                notes.append(Note("and \(weakened.count - Self.mostLines) more that the endpoint table makes weaker"))
            }
            let unjudged = policy.base.unjudgedCount
            if unjudged > 0 {
                notes.append(Note("\(unjudged) operations of the endpoint table are not judged yet", isWarning: true))
            }
        }
        notes += policy.shortfalls.map { Note($0, isWarning: true) }
        notes += policy.weakened.map { Note("the policy file makes an operation weaker: \($0)") }
        return notes
    }

    private static let mostLines = 20
}
