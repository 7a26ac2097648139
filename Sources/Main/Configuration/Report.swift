/// Plain text in columns.
enum Report {
    static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// Rows under each other; the last cell of a row is as long as it is.
    static func table(_ rows: [[String]]) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { column < $0.count - 1 ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            row.enumerated().map { $0 == row.count - 1 ? $1 : padded($1, widths[$0]) }.joined(separator: "  ") + "\n"
        }.joined()
    }
}
