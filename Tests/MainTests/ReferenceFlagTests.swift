import Foundation
import Testing

@testable import Main

/// docs/reference/flags.md names every flag of the command line, with its variable and its default.
@Suite struct ReferenceFlagTests {
    private let page: String

    init() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        page = try String(contentsOf: root.appendingPathComponent("docs/reference/flags.md"), encoding: .utf8)
    }

    /// One flag as the help shows it.
    private struct Flag {
        let name: String
        /// What stands in brackets at the help's end: the variable, then the default.
        let brackets: String

        var variable: String { String(brackets.prefix { $0 != ";" && $0 != "=" && $0 != "," }) }
        var defaultText: String {
            brackets.firstIndex(of: ";").map {
                brackets[brackets.index(after: $0)...].trimmingCharacters(in: .whitespaces)
            } ?? ""
        }
    }

    /// The flags in a help text; a flag begins a line, its help may go on in the lines after it.
    private func flags(_ help: String) -> [Flag] {
        var entries: [String] = []
        for line in help.split(separator: "\n").map({ $0.trimmingCharacters(in: .whitespaces) }) {
            if line.hasPrefix("-") {
                entries.append(line)
            } else if !entries.isEmpty {
                entries[entries.count - 1] += " " + line
            }
        }
        return entries.compactMap { entry in
            guard let name = entry.split(whereSeparator: { " ,".contains($0) }).first, name.hasPrefix("--"),
                name != "--version"
            else { return nil }
            let open = entry.lastIndex(of: "[").map { entry.index(after: $0) }
            let close = entry.lastIndex(of: "]")
            guard let open, let close, open < close else { return Flag(name: String(name), brackets: "") }
            return Flag(name: String(name), brackets: String(entry[open..<close]))
        }
    }

    /// The rows under the header that begins with these cells, without blanks and backquotes around the cells.
    private func rows(_ firstCells: [String]) throws -> [[String]] {
        let rows = page.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("|")
                ? line.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false)
                    .map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " `")) } : []
        }
        let header = try #require(rows.firstIndex { $0.starts(with: firstCells) }, "no table \(firstCells)")
        return Array(rows[(header + 2)...].prefix { !$0.isEmpty })
    }

    @Test func theFlagsOfServe() throws {
        let expected = flags(ServeCommand.helpMessage(columns: 1_000)).map { [$0.name, $0.variable, $0.defaultText] }
        try #require(expected.count > 30)
        #expect(try rows(["flag", "variable", "default"]).map { Array($0.prefix(3)) } == expected)
    }

    @Test func theFlagsOfTheOtherCommands() {
        let helps = [
            AuthLogin.helpMessage(columns: 1_000), AuthLogout.helpMessage(columns: 1_000),
            AuthRefresh.helpMessage(columns: 1_000), AuthStatus.helpMessage(columns: 1_000),
            AuthToken.helpMessage(columns: 1_000), AuthInitDB.helpMessage(columns: 1_000),
            HealthcheckCommand.helpMessage(columns: 1_000),
        ]
        for flag in helps.flatMap(flags) {
            let isNamed = page.contains("`\(flag.name)")
            #expect(isNamed, "flags.md does not name \(flag.name)")
        }
    }
}
