internal import AccessPolicy
internal import ArgumentParser
internal import Glibc

struct PolicyExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Says what happens to a request, and why.",
        discussion: """
            Status 0: forwarded or answered; 1: refused. With --batch, it reads lines 'NAME METHOD TARGET' from standard input and prints one line of tab-separated answers for each.
            """)

    @Argument(help: "The method, in capitals.")
    var method: String?
    @Argument(help: "Path and query, such as /api/0/organizations/acme/issues/.")
    var target: String?
    @Option(help: "The alias's name in the file.")
    var alias: String?
    @Flag(help: "Read requests from standard input.")
    var batch = false
    @OptionGroup var inputs: PolicyInputs

    func run() throws {
        ending { () throws(Failure) in
            if batch { return try judgeLines() }
            guard let method, let target, let alias else {
                throw Failure(.usage, "expected METHOD TARGET --alias NAME, or --batch")
            }
            let named = try inputs.aliases()
            let found = PolicyExplanation(
                named, try named.index(alias, flag: "--alias"), method, target, now: Int64(time(nil)))
            if inputs.json { PolicyOutput.print(json: found) } else { for line in found.lines { print(line) } }
            Glibc.exit(found.isAllowed ? 0 : 1)
        }
    }

    private func judgeLines() throws(Failure) {
        let named = try inputs.aliases()
        let now = Int64(time(nil))
        var number = 0
        while let line = readLine() {
            number += 1
            let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
            guard words.count == 3, let index = named.index(words[0]) else {
                throw Failure(.data, "standard input, line \(number): expected NAME METHOD TARGET")
            }
            print(PolicyExplanation(named, index, words[1], words[2], now: now).line)
        }
    }
}

struct PolicyTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Checks the rights against a file of expectations.",
        discussion: """
            Lines are 'allow NAME METHOD TARGET' and 'refuse NAME METHOD TARGET [REASON]', with # comments. Prints the differences. Status 0: none; 1: some.
            """)

    @Argument(help: "The file of expectations.")
    var file: String
    @OptionGroup var inputs: PolicyInputs

    private struct Difference: Encodable {
        let line: Int
        let expected: String
        let found: String
    }

    private struct Report: Encodable {
        let expectations: Int
        let differences: [Difference]
    }

    func run() throws {
        ending { () throws(Failure) in
            let report = try compare()
            if inputs.json {
                PolicyOutput.print(json: report)
            } else {
                for difference in report.differences {
                    print("\(file):\(difference.line): expected \(difference.expected), found \(difference.found)")
                }
                print("\(report.expectations) expectations, \(report.differences.count) differ")
            }
            Glibc.exit(report.differences.isEmpty ? 0 : 1)
        }
    }

    private func compare() throws(Failure) -> Report {
        let named = try inputs.aliases()
        let now = Int64(time(nil))
        var count = 0
        var differences: [Difference] = []
        let text = try TextFile.read(file, mostBytes: 16_777_216, named: "FILE")
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            var words = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
            // No target has a # in it.
            if let comment = words.firstIndex(where: { $0.hasPrefix("#") }) { words.removeSubrange(comment...) }
            guard !words.isEmpty else { continue }
            guard words.count == 4 || words.count == 5 && words[0] == "refuse", ["allow", "refuse"].contains(words[0])
            else {
                throw Failure(
                    .data,
                    "\(file), line \(index + 1): expected allow or refuse NAME METHOD TARGET, and a reason behind refuse"
                )
            }
            guard words.count == 4 || RefusalReason.allCases.contains(where: { "\($0.name)" == words[4] }) else {
                throw Failure(.data, "\(file), line \(index + 1): '\(words[4])' is not a reason for a refusal")
            }
            guard let alias = named.index(words[1]) else {
                throw Failure(.data, "\(file), line \(index + 1): there is no alias '\(words[1])' in the file")
            }
            count += 1
            let found = PolicyExplanation(named, alias, words[2], words[3], now: now)
            let reason = found.reason ?? found.wouldRefuse
            let isRefused = reason != nil
            guard isRefused != (words[0] == "refuse") || words.count == 5 && words[4] != reason else { continue }
            differences.append(
                Difference(
                    line: index + 1, expected: words.count == 5 ? "refuse \(words[4])" : words[0],
                    found: reason.map { "refuse \($0)" } ?? "allow"))
        }
        return Report(expectations: count, differences: differences)
    }
}
