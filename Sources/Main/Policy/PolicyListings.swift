internal import AccessPolicy
internal import ArgumentParser
internal import Glibc

struct PolicyShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Lists all operations that an alias may use.")

    @Argument(help: "The alias's name in the file.")
    var name: String
    @OptionGroup var inputs: PolicyInputs

    private struct Report: Encodable {
        let alias: String
        let rights: String
        /// Nil is everything.
        let operations: [String]?
    }

    func run() throws {
        ending { () throws(Failure) in
            let named = try inputs.aliases()
            let index = try named.index(name, flag: "NAME")
            let report = Report(
                alias: name, rights: named.words(index), operations: named.operations(index).map { $0.sorted() })
            if inputs.json { return PolicyOutput.print(json: report) }
            print("# \(name): \(report.rights)")
            for line in report.operations ?? [] { print(line) }
        }
    }
}

struct PolicyDiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Lists the operations that aliases gain and lose from one alias file to another.",
        discussion: "Status 0: no change; 1: some.")

    @Argument(help: "The current alias file.")
    var old: String
    @Argument(help: "The new alias file.")
    var new: String
    @Option(help: "The policy file of NEW; that of OLD is --policy-file.")
    var newPolicyFile: String?
    @Option(help: "The table of operations of NEW; that of OLD is --endpoint-table.")
    var newEndpointTable: String?
    @OptionGroup var files: PolicyFileOptions
    @Flag(help: "Print the result as JSON.")
    var json = false

    private struct Change: Encodable {
        let alias: String
        let old: String?
        let new: String?
        let won: [String]
        let lost: [String]
    }

    func run() throws {
        ending { () throws(Failure) in
            let oldFiles = PolicyFiles(files)
            var newFiles = oldFiles
            if let newPolicyFile {
                newFiles.policy = Given(value: newPolicyFile, name: "--new-policy-file", status: .usage)
            }
            if let newEndpointTable {
                newFiles.table = Given(value: newEndpointTable, name: "--new-endpoint-table", status: .usage)
            }
            let before = try NamedRights(Given(value: old, name: "OLD", status: .usage), oldFiles)
            let after = try NamedRights(Given(value: new, name: "NEW", status: .usage), newFiles)
            let changes = Self.changes(before, after)
            if json {
                PolicyOutput.print(json: changes)
            } else {
                for change in changes {
                    print("\(change.alias): \(change.old ?? "not there") -> \(change.new ?? "not there")")
                    for line in change.won { print("  + \(line)") }
                    for line in change.lost { print("  - \(line)") }
                }
            }
            Glibc.exit(changes.isEmpty ? 0 : 1)
        }
    }

    private static func changes(_ before: NamedRights, _ after: NamedRights) -> [Change] {
        let names = before.names + after.names.filter { before.index($0) == nil }
        return names.compactMap { name in
            let (old, new) = (before.index(name), after.index(name))
            let had = old.map { operations(before, $0) } ?? []
            let has = new.map { operations(after, $0) } ?? []
            let (oldWords, newWords) = (old.map(before.words), new.map(after.words))
            guard had != has || oldWords != newWords else { return nil }
            return Change(
                alias: name, old: oldWords, new: newWords, won: has.subtracting(had).sorted(),
                lost: had.subtracting(has).sorted())
        }
    }

    private static func operations(_ named: NamedRights, _ index: Int) -> Set<String> {
        named.operations(index) ?? ["everything"]
    }
}

struct PolicyTableCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "table", abstract: "Shows the table of operations: its version, its sets, its rows.")

    @Flag(help: "List the sets with their contents.")
    var sets = false
    @Flag(help: "List the rows: method, path, effect, class, with tabs between them.")
    var rows = false
    @OptionGroup var files: PolicyFileOptions
    @Flag(help: "Print the result as JSON.")
    var json = false

    private struct Report: Encodable {
        let version: String
        let rows: Int
        let corrections: Int
        let weakened: [String]
        let shortfalls: [String]
        let sets: [String: Int]
        let operations: [Row]?
    }

    private struct Row: Encodable {
        let operation: String
        let effect: String
        let `class`: String
        let scopes: [String]
    }

    func run() throws {
        ending { () throws(Failure) in
            let policy = try PolicyFiles(files).load() ?? .builtIn
            let table = policy.table
            let all = table.operations.indices.map { row in
                Row(
                    operation: table.name(of: row), effect: table.operations[row].effect.rawValue,
                    class: table.operations[row].operationClass.rawValue, scopes: table.operations[row].scopes.names)
            }
            let counts = policy.sets.names.map { ($0, policy.sets.operations(of: $0)?.count ?? 0) }
            if json {
                return PolicyOutput.print(
                    json: Report(
                        version: table.version, rows: all.count, corrections: policy.corrections,
                        weakened: policy.weakened, shortfalls: policy.shortfalls,
                        sets: Dictionary(uniqueKeysWithValues: counts),
                        operations: rows ? all : nil))
            }
            print("endpoints \(table.version)")
            print("\(all.count) operations, \(policy.corrections) corrections")
            for line in policy.weakened { print("weaker: \(line)") }
            for line in policy.shortfalls { print(line) }
            if sets { for (name, count) in counts { print("\(name)\t\(count)") } }
            if rows { for line in all { print("\(line.operation)\t\(line.effect)\t\(line.class)") } }
        }
    }
}
