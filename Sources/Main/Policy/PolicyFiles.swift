internal import AccessPolicy
internal import ArgumentParser

/// The flags of the files that sets and operations are read from.
struct PolicyFileOptions: ParsableArguments {
    @Option(
        help: "A file of sets, corrections and rights by alias; serve rereads it when it changes. [POLICY_FILE]")
    var policyFile: String?
    @Option(
        help:
            "A file of operations that replaces the built-in table; serve rereads it when it changes. [ENDPOINT_TABLE; built in]"
    )
    var endpointTable: String?
}

/// Where sets, corrections and operations come from.
struct PolicyFiles {
    /// The policy file, and who named it.
    var policy: Given?
    /// The table in place of the built-in one, and who named it.
    var table: Given?
    /// Lines of the policy file that count as blank: a check has told what is wrong with them.
    var blankLines: Set<Failure.FileLine> = []
    /// What a check could read of a table with mistakes, to go on with.
    private var readable: EndpointTable?

    init(policy: Given?, table: Given?) {
        (self.policy, self.table) = (policy, table)
    }

    init(_ options: PolicyFileOptions) {
        self.init(
            policy: Setting("--policy-file", "POLICY_FILE").given(options.policyFile),
            table: Setting("--endpoint-table", "ENDPOINT_TABLE").given(options.endpointTable))
    }

    /// Who else may change what aliases may do, one line each.
    var weaknesses: [String] {
        [policy, table].flatMap { $0.map { FileAccess.weaknesses($0.value, named: $0.name, isSecret: false) } ?? [] }
    }

    /// What to watch.
    var paths: [String] { [policy, table].compactMap { $0?.value } }

    /// Reads and checks both.
    /// - Returns: nil when there is neither: what is compiled in.
    func load() throws(Failure) -> Policy? {
        guard policy != nil || table != nil else { return nil }
        var base = EndpointTable.builtIn
        if let readable {
            base = readable
        } else if let table {
            let (read, mistakes) = try Self.read(table)
            if let first = mistakes.first { throw first }
            base = read!
        }
        var text = ""
        if let policy {
            let read = try TextFile.read(policy.value, mostBytes: TextFile.mostBytes, named: policy.name)
            text = TextFile.text(read, of: policy.value, without: blankLines)
        }
        do throws(PolicyFileError) {
            return try Policy(file: text, over: base)
        } catch {
            // Without a policy file there is no line that could be refused.
            let policy = policy!
            throw Failure(
                .configuration, "\(policy.name): '\(policy.value)', \(error.description)",
                line: Failure.FileLine(path: policy.value, number: error.line))
        }
    }

    /// For a check: tells all that is wrong with the table, and goes on with what could be read of it.
    mutating func checkTable(noting mistakes: inout Mistakes) {
        guard let table else { return }
        let read = mistakes.trying { () throws(Failure) in try Self.read(table) }
        for mistake in read?.mistakes ?? [] { mistakes.note(mistake) }
        // Of one with hardly a row that is right, every set would seem to miss something.
        let found = read?.table.flatMap { $0.operations.count > (read?.mistakes.count ?? 0) ? $0 : nil }
        readable = found ?? .builtIn
    }

    /// - Returns: a table when there is no mistake, and perhaps one beside them.
    private static func read(_ given: Given) throws(Failure) -> (table: EndpointTable?, mistakes: [Failure]) {
        let text = try TextFile.read(given.value, mostBytes: EndpointTable.mostFileBytes, named: given.name)
        let (table, mistakes) = EndpointTable.read(Array(text.utf8).span)
        return (
            table,
            mistakes.map {
                Failure(
                    .configuration, "\(given.name): '\(given.value)', \($0.description)",
                    line: Failure.FileLine(path: given.value, number: $0.line))
            }
        )
    }
}
