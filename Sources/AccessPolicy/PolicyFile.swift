/// A line of a policy file that is refused.
package struct PolicyFileError: Error, Sendable, Equatable, CustomStringConvertible {
    /// From 1.
    package let line: Int
    package let message: String

    init(_ line: Int, _ message: String) {
        self.line = line
        self.message = message
    }

    package var description: String { "line \(line): \(message)" }
}

/// The table of operations, the named sets, and the rights that a policy file gives to aliases by name.
package struct Policy: Sendable {
    package let table: EndpointTable
    /// The table without the corrections.
    package let base: EndpointTable
    package let sets: PolicySets
    /// The words of aliases, by name.
    package internal(set) var aliases: [String: AliasLine] = [:]
    /// Corrections that make an operation weaker, for the log of each start.
    package internal(set) var weakened: [String] = []
    /// How many `effect` and `endpoint` lines there are.
    package internal(set) var corrections = 0
    /// What the table keeps from the built-in sets, a line for each of them.
    package internal(set) var shortfalls: [String] = []

    package struct AliasLine: Sendable {
        package let words: [String]
        /// From 1.
        package let line: Int
    }

    /// What holds without a policy file.
    package static let builtIn: Policy = {
        do {
            return try Policy(file: "")
        } catch {
            // A test reads the same bytes.
            fatalError("Policy/sets.policy: \(error)")
        }
    }()

    /// Reads a policy file.
    /// - Parameter base: the table that it corrects.
    /// - Throws: `PolicyFileError` at the first line that is refused.
    package init(file text: String, over base: EndpointTable = .builtIn) throws(PolicyFileError) {
        self.base = base
        let lines = PolicyLine.all(text)
        var builder = EndpointTableBuilder(base)
        var reader = CorrectionReader()
        for line in lines where !line.isIndented && (line.words[0] == "effect" || line.words[0] == "endpoint") {
            try reader.read(line, base, into: &builder)
        }
        if let last = reader.lastEndpoint {
            guard let corrected = builder.finish() else {
                throw PolicyFileError(
                    last, "paths with a literal and with a parameter at the same place are too many")
            }
            table = corrected
        } else {
            table = builder.table
        }
        weakened = reader.weakened
        corrections = reader.count
        var setReader = SetReader(PolicySets(table))
        var aliases: [String: AliasLine] = [:]
        let builtIn = builtInSetText.withUTF8Buffer { String(decoding: $0, as: UTF8.self) }
        for line in PolicyLine.all(builtIn) { try setReader.read(line) }
        try setReader.endSet()
        shortfalls = setReader.shortfalls
        setReader.isBuiltIn = false
        for line in lines {
            switch line.words[0] {
            case _ where line.isIndented: try setReader.read(line)
            case "set": try setReader.read(line)
            case "alias":
                try setReader.endSet()
                try Self.add(line, to: &aliases)
            case "effect", "endpoint": try setReader.endSet()
            default: throw PolicyFileError(line.number, "expected set, alias, effect or endpoint")
            }
        }
        try setReader.endSet()
        sets = setReader.sets
        self.aliases = aliases
    }

    private static func add(
        _ line: PolicyLine, to aliases: inout [String: AliasLine]
    ) throws(PolicyFileError) {
        guard line.words.count > 3, line.words[2] == ":" else {
            throw PolicyFileError(line.number, "expected alias NAME : WORDS")
        }
        guard aliases[line.words[1]] == nil else { throw PolicyFileError(line.number, "this alias was given before") }
        aliases[line.words[1]] = AliasLine(words: Array(line.words[3...]), line: line.number)
    }
}
