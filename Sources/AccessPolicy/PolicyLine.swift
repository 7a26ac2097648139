/// A line of a policy file with words in it.
struct PolicyLine {
    var number: Int
    var isIndented: Bool
    var words: [String]

    static func all(_ text: String) -> [PolicyLine] {
        var lines: [PolicyLine] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            var words: [String] = []
            for word in line.split(whereSeparator: { $0 == " " || $0 == "\t" }) {
                if word.hasPrefix("#") { break }
                words.append(String(word))
            }
            guard !words.isEmpty else { continue }
            lines.append(
                PolicyLine(
                    number: index + 1, isIndented: line.first == " " || line.first == "\t", words: words))
        }
        return lines
    }

    /// The operations that `METHODS PATH…` name; `from` is the place of the methods.
    /// - Returns: also the names of those that the table lacks.
    func rows(
        _ table: EndpointTable, from place: Int
    ) throws(PolicyFileError) -> (found: [Int], absent: [String]) {
        guard words.count > place + 1 else { throw PolicyFileError(number, "expected METHODS and PATHS") }
        var methods: [OperationMethod] = []
        for name in words[place].split(separator: ",", omittingEmptySubsequences: false) {
            guard let method = OperationMethod(named: name) else {
                throw PolicyFileError(number, "'\(name)' is not GET, POST, PUT, PATCH or DELETE")
            }
            methods.append(method)
        }
        var (found, absent): ([Int], [String]) = ([], [])
        for path in try paths(from: place + 1) {
            for method in methods {
                if let row = table.row(method, path) {
                    found.append(row)
                } else {
                    absent.append("\(method.name) /api/0\(path)")
                }
            }
        }
        return (found, absent)
    }

    private static let roots = [
        "O": "/organizations/*/", "P": "/projects/*/*/", "T": "/teams/*/*/", "I": "/organizations/*/issues/*/",
    ]

    /// The paths from a place on, without `/api/0`.
    private func paths(from place: Int) throws(PolicyFileError) -> [String] {
        var paths: [String] = []
        var at = place
        while at < words.count {
            let word = words[at]
            at += 1
            if let root = Self.roots[word] {
                let isTail = at < words.count && Self.roots[words[at]] == nil && !words[at].hasPrefix("/")
                paths.append(root + (isTail ? words[at] : ""))
                if isTail { at += 1 }
            } else {
                paths.append(try Self.path(word, number))
            }
        }
        return paths
    }

    /// A path as it is typed, without `/api/0`.
    static func path(_ word: String, _ line: Int) throws(PolicyFileError) -> String {
        guard word.hasPrefix("/api/0/") else {
            throw PolicyFileError(line, "'\(word)': expected a path under /api/0/, or O, P, T or I")
        }
        return String(word.dropFirst(6))
    }
}
