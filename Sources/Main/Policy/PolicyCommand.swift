internal import AccessPolicy
internal import ArgumentParser
internal import FoundationEssentials
internal import Glibc

/// `policy`: what aliases may do, from the files alone; `learn` and `unused` ask what they do.
struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Shows and checks what aliases may do, and learns what they use.",
        subcommands: [
            PolicyExplainCommand.self, PolicyTestCommand.self, PolicyShowCommand.self, PolicyDiffCommand.self,
            PolicyTableCommand.self, PolicyLearnCommand.self, PolicyUnusedCommand.self,
        ])
}

/// The files that rights are read from, and the form of the output.
struct PolicyInputs: ParsableArguments {
    @Option(help: "A file of aliases, as for serve. [ALIAS_FILE]")
    var aliasFile: String?
    @OptionGroup var files: PolicyFileOptions
    @Flag(help: "Print the result as JSON.")
    var json = false

    func aliases() throws(Failure) -> NamedRights {
        guard let file = Setting("--alias-file", "ALIAS_FILE").given(aliasFile) else {
            throw Failure(.usage, "--alias-file: expected the file of aliases")
        }
        return try NamedRights(file, PolicyFiles(files))
    }
}

/// The aliases of a file by name, with the table that their rights are of.
struct NamedRights {
    let rights: RightsTable
    /// Numbers that were pinned by hand.
    let identifiers: ResolvedIdentifiers
    /// In the order of the file.
    let names: [String]
    private let indices: [String: Int]

    init(_ file: Given, _ files: PolicyFiles) throws(Failure) {
        let policy = try files.load() ?? .builtIn
        let text = try TextFile.read(file.value, mostBytes: 16_777_216, named: file.name)
        let table: AliasTable
        do throws(AliasError) {
            table = try AliasTable(
                try parseAliasFile(text), rules: AliasRules(policy: policy, now: Int64(time(nil))))
        } catch {
            var blamed = file
            if case .policyLine = error.origin, let policyFile = files.policy { blamed = policyFile }
            throw Failure(.configuration, "\(blamed.name): '\(blamed.value)', \(error.description)")
        }
        names = (0..<table.count).map { table.name(at: $0) }
        indices = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        rights = table.rights ?? RightsTable(unnarrowed: table.count, policy.table)
        identifiers = ResolvedIdentifiers(rights)
    }

    func index(_ name: String, flag: String) throws(Failure) -> Int {
        guard let index = indices[name] else {
            throw Failure(.usage, "\(flag): there is no alias '\(name)' in the file")
        }
        return index
    }

    func index(_ name: String) -> Int? { indices[name] }

    /// The operations of an alias; nil for everything.
    func operations(_ index: Int) -> Set<String>? {
        let record = rights.aliases[index]
        guard record.isNarrowed else { return nil }
        let rows = rights.endpoints.operations.indices.filter { rights.allows(Int(record.rights), $0) }
        return Set(rows.map(rights.endpoints.name(of:)))
    }

    /// The words of an alias's rights.
    func words(_ index: Int) -> String {
        let record = rights.aliases[index]
        return record.isNarrowed ? rights.string(rights.rights[Int(record.rights)].words) : "everything"
    }
}

/// Prints results for people or as JSON.
enum PolicyOutput {
    static func print(json value: some Encodable) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Strings, numbers and arrays of them: nothing that JSON cannot hold.
        Swift.print(String(decoding: (try? encoder.encode(value)) ?? Data(), as: UTF8.self))
    }
}
