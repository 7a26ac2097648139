internal import AccessPolicy
internal import ArgumentParser
internal import Glibc

/// The flags of the rights of aliases.
struct RightsOptions: ParsableArguments {
    @Option(help: "A file of sets, corrections and rights by alias; reread when it changes. [POLICY_FILE]")
    var policyFile: String?
    @Option(
        help:
            "Whether every alias must have rights: optional (without, it may do everything) or required. [ALIAS_RIGHTS; optional]"
    )
    var aliasRights: String?
}

/// What the rights of aliases are read by; loaded at start, on SIGHUP and when the file has changed.
struct RightsSettings {
    /// The policy file, and who named it.
    let file: Given?
    private let areRequired: Bool
    /// Lines that count as blank: a check has told what is wrong with them.
    var blankLines: Set<Failure.FileLine> = []

    private enum Need: String { case optional, required }

    init(_ options: RightsOptions) throws(Failure) {
        file = Setting("--policy-file", "POLICY_FILE").given(options.policyFile)
        areRequired =
            try Setting("--alias-rights", "ALIAS_RIGHTS")
            .parsed(options.aliasRights, expected: "optional or required", Need.init(rawValue:)) == .required
    }

    /// Reads and checks the policy file.
    func load() throws(Failure) -> AliasRules {
        let policy = try file.map { file throws(Failure) in try Self.policy(file, without: blankLines) }
        return AliasRules(policy: policy, areRequired: areRequired, now: Int64(time(nil)))
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
    func notes(_ aliases: AliasTable) throws(Failure) -> [Note] {
        var notes: [Note] = []
        let everything = (0..<aliases.count).filter { aliases.rights?.aliases[$0].isAll ?? true }
        if !everything.isEmpty {
            let names = everything.prefix(10).map(aliases.name(at:)).joined(separator: " ")
            let more = everything.count > 10 ? " and \(everything.count - 10) more" : ""
            notes.append(Note("aliases that may do all that the token may: \(names)\(more)"))
        }
        if let rights = aliases.rights {
            for index in 0..<aliases.count {
                let limits = rights.aliases[index].limits
                if limits.isShadow, limits.shadowUntil == nil {
                    notes.append(
                        Note(
                            "\(aliases.name(at: index)): mode=shadow without shadow-until= refuses nothing, for good",
                            isWarning: true))
                }
            }
        }
        for line in try load().policy?.weakened ?? [] {
            notes.append(Note("the policy file makes an operation weaker: \(line)"))
        }
        return notes
    }

    /// The policy in a file.
    static func policy(_ given: Given) throws(Failure) -> Policy { try policy(given, without: []) }

    private static func policy(_ given: Given, without blank: Set<Failure.FileLine>) throws(Failure) -> Policy {
        let read = try TextFile.read(given.value, mostBytes: TextFile.mostBytes, named: given.name)
        let text = TextFile.text(read, of: given.value, without: blank)
        do throws(PolicyFileError) {
            return try Policy(file: text)
        } catch {
            throw Failure(
                .configuration, "\(given.name): '\(given.value)', \(error.description)",
                line: Failure.FileLine(path: given.value, number: error.line))
        }
    }
}
