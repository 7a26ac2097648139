import AccessPolicy
import Foundation
import HTTP1
import Testing

/// The tables of docs/reference are the tables of the code.
@Suite struct ReferenceTableTests {
    /// The rows of a page under the header that begins with `firstCells`, cells without the blanks around them.
    private func table(_ firstCells: [String], of page: String) throws -> [[String]] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("docs/reference/\(page)"), encoding: .utf8)
        let rows = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("|")
                ? line.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false)
                    .map { $0.trimmingCharacters(in: .whitespaces) } : []
        }
        let header = try #require(rows.firstIndex { $0.starts(with: firstCells) }, "no table \(firstCells) in \(page)")
        // The line after the header is the rule of dashes.
        return Array(rows[(header + 2)...].prefix { !$0.isEmpty })
    }

    private func rendered(_ rules: [HeaderRule]) -> [[String]] {
        var rows: [[String]] = []
        for rule in rules {
            let name = rule.name.description
            let dropped = "dropped" + (rule.replacement.map { "; \($0.words)" } ?? "")
            let cells =
                switch rule.scope {
                case .both: [dropped, "", rule.why.description]
                case .elevated: ["as sent", dropped, rule.why.description]
                }
            if let last = rows.last, Array(last.dropFirst()) == cells {
                rows[rows.count - 1][0] += ", \(name)"
            } else {
                rows.append([name] + cells)
            }
        }
        return rows
    }

    private func rendered(_ limit: Limit) -> [String] {
        let value =
            switch (limit.defaultValue, limit.unit) {
            case (nil, _): "no limit"
            case (let bytes?, .bytes): "\(bytes / 1024) KiB"
            case (let seconds?, .seconds): "\(seconds) s"
            case (let count?, .fields), (let count?, .requests): "\(count)"
            }
        return [
            limit.name.description, "`\(limit.flag)`", "`\(limit.variable)`", value, limit.consequence.description,
        ]
    }

    @Test func requestFields() throws {
        #expect(try table(["request field", "both routes"], of: "headers.md") == rendered(HeaderRules.request))
    }

    @Test func responseFields() throws {
        #expect(try table(["response field", "both routes"], of: "headers.md") == rendered(HeaderRules.response))
    }

    @Test func limits() throws {
        #expect(try table(["limit", "flag"], of: "limits.md") == Limits.all.map(rendered))
    }

    @Test func theParserHasTheSameDefaults() {
        let parser = HeadLimits()
        #expect(Limits.headBytes.defaultValue == UInt64(parser.headBytes))
        #expect(Limits.headFields.defaultValue == UInt64(parser.fields))
        #expect(Limits.targetBytes.defaultValue == UInt64(parser.targetBytes))
    }
}
