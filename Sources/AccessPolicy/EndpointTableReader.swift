/// A line of the table that cannot be read.
package struct EndpointTableError: Error, Sendable, Equatable, CustomStringConvertible {
    /// From 1.
    package let line: Int
    package let message: String

    package var description: String { "line \(line): \(message)" }
}

extension EndpointTable {
    /// Bytes of a file that replaces the table; the one that is compiled in has 156 KB.
    package static let mostFileBytes = 1_048_576

    /// The version of the table that is compiled in; the table itself is not made for it.
    package static var builtInVersion: String {
        let text = endpointText.withUTF8Buffer {
            String(decoding: $0.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        }
        return String(text.dropFirst(10))
    }

    /// The table that is compiled in.
    package static let builtIn: EndpointTable = {
        let text = endpointText.withUTF8Buffer { Array($0) }
        let (table, mistakes) = read(text.span)
        guard let table, mistakes.isEmpty else {
            // A test reads the same bytes.
            fatalError("Policy/endpoints.tsv: \(mistakes)")
        }
        return table
    }()

    /// Reads a table in the format of Policy/endpoints.tsv.
    /// - Returns: the table of the rows that can be read, or nil when it is no such file; and what is wrong, line by line.
    ///   A table with mistakes is for finding more of them, and nothing else.
    package static func read(_ text: Span<UInt8>) -> (table: EndpointTable?, mistakes: [EndpointTableError]) {
        var reader = EndpointTableReader()
        return reader.read(text)
    }
}

/// Reads the text of a table of operations.
struct EndpointTableReader {
    static let columns = [
        "method", "path", "effect", "class", "selects", "object", "verb", "scopes", "source", "seen", "note",
    ]
    /// Each row is counted for each alias in shadow mode, in memory that is there from the start.
    static let mostRows = 8_192
    private static let mostMistakes = 100

    private var builder = EndpointTableBuilder()
    private var version: String?
    /// By row.
    private var lines: [Int] = []
    private var mistakes: [EndpointTableError] = []

    fileprivate mutating func read(_ text: Span<UInt8>) -> (table: EndpointTable?, mistakes: [EndpointTableError]) {
        var number = 0
        var start = 0
        var isPastColumns = false
        do throws(EndpointTableError) {
            while start < text.count, mistakes.count < Self.mostMistakes {
                var end = start
                while end < text.count, text[end] != UInt8(ascii: "\n") { end += 1 }
                number += 1
                let isCRLF = end > start && text[end - 1] == UInt8(ascii: "\r")
                let line = text.extracting(start..<(isCRLF ? end - 1 : end))
                start = end + 1
                if line.isEmpty { continue }
                if line[0] == UInt8(ascii: "#") {
                    try readComment(line, number)
                } else if isPastColumns {
                    do throws(EndpointTableError) { try readRow(line, number) } catch { mistakes.append(error) }
                } else {
                    try readColumns(line, number)
                    isPastColumns = true
                }
            }
            guard isPastColumns else { throw Self.missingColumns(max(1, number)) }
            guard !lines.isEmpty || !mistakes.isEmpty else {
                throw EndpointTableError(line: number, message: "no operation follows")
            }
            guard let table = builder.finish() else {
                throw EndpointTableError(
                    line: number, message: "paths with a literal and with a parameter at the same place are too many")
            }
            return (table, mistakes)
        } catch {
            mistakes.append(error)
            return (nil, mistakes)
        }
    }

    // MARK: Lines in front of the rows

    private mutating func readComment(_ line: Span<UInt8>, _ number: Int) throws(EndpointTableError) {
        let mark = "# version "
        let text = Self.string(line)
        guard text.hasPrefix(mark) else { return }
        let version = text.dropFirst(mark.utf8.count)
        guard self.version == nil else {
            throw EndpointTableError(line: number, message: "the version was given before")
        }
        guard 1...200 ~= version.utf8.count, version.utf8.allSatisfy({ 0x20...0x7e ~= $0 }) else {
            throw EndpointTableError(
                line: number, message: "expected '# version' and a text of at most 200 ASCII characters")
        }
        self.version = String(version)
        builder.table = EndpointTable(version: String(version))
    }

    /// A file that is none of ours may hold anything, so nothing of it is repeated.
    private func readColumns(_ line: Span<UInt8>, _ number: Int) throws(EndpointTableError) {
        guard Self.string(line) == Self.columns.joined(separator: "\t") else { throw Self.missingColumns(number) }
        guard version != nil else {
            throw EndpointTableError(line: number, message: "expected a line '# version TEXT' above the columns")
        }
    }

    private static func missingColumns(_ number: Int) -> EndpointTableError {
        EndpointTableError(
            line: number,
            message:
                "expected the columns \(columns.joined(separator: " ")), with tabs between them, as in Policy/endpoints.tsv"
        )
    }

    // MARK: Rows

    private mutating func readRow(_ line: Span<UInt8>, _ number: Int) throws(EndpointTableError) {
        func refused(_ message: String) -> EndpointTableError { EndpointTableError(line: number, message: message) }
        let cells = Self.cells(line)
        guard cells.count == Self.columns.count else {
            throw refused("expected \(Self.columns.count) columns with tabs between them, not \(cells.count)")
        }
        if let empty = cells.firstIndex(where: \.isEmpty) {
            throw refused("column \(Self.columns[empty]) is empty: expected -")
        }
        guard lines.count < Self.mostRows else { throw refused("a table has at most \(Self.mostRows) operations") }
        func cell(_ index: Int) -> String { Self.string(line.extracting(cells[index])) }
        func bytes(_ index: Int) -> [UInt8] { Self.bytes(line.extracting(cells[index])) }
        func quoted(_ index: Int) -> String { EndpointTableBuilder.quoted(cell(index)) }
        guard let method = OperationMethod(named: cell(0)) else {
            throw refused("\(quoted(0)) is not GET, POST, PUT, PATCH or DELETE")
        }
        guard let effect = OperationEffect(rawValue: cell(2)), effect.isPossible(of: method) else {
            let known = OperationEffect.allCases.filter { $0.isPossible(of: method) }.map(\.rawValue)
            throw refused("\(quoted(2)) is not an effect of \(method.name): expected \(known.joined(separator: ", "))")
        }
        guard let operationClass = OperationClass(rawValue: cell(3)) else {
            let known = OperationClass.allCases.map(\.rawValue).joined(separator: ", ")
            throw refused("\(quoted(3)) is not a class: expected \(known)")
        }
        guard let selects = EndpointTableBuilder.selection(cell(4)) else {
            throw refused("\(quoted(4)) is no way to choose projects: see the column selects of Policy/endpoints.tsv")
        }
        for index in [5, 6, 8] {
            let isWord = cells[index].allSatisfy { EndpointTableBuilder.isWordByte(line[$0]) }
            guard isWord, cells[index].count <= 40 else {
                throw refused("column \(Self.columns[index]): expected a word of letters, digits, '-', '_' and '.'")
            }
        }
        guard cells[10].allSatisfy({ line[$0] >= 0x20 && line[$0] != 0x7f }) else {
            throw refused("column note: a control character")
        }
        let scopes = try Self.scopes(cell(7), number)
        let template = try builder.addTemplate(bytes(1), number)
        if let mistake = builder.mistake(in: selects, template) { throw refused(mistake) }
        if operationClass == .identity, !OperationTreatment.isIdentity(method, cell(1)) {
            throw refused("class identity is of what the proxy answers by itself")
        }
        let known = builder.add(
            Operation(
                method: method, effect: effect, operationClass: operationClass, selects: selects, template: template,
                scopes: scopes, scopesAreByRule: cell(8) == "rule", judgedAs: -1, object: builder.word(bytes(5)),
                verb: builder.word(bytes(6)), note: builder.word(bytes(10))))
        if let known { throw refused("\(method.name) \(cell(1)) was given before, at line \(lines[known])") }
        lines.append(number)
    }

    private static func cells(_ line: Span<UInt8>) -> [Range<Int>] {
        var cells: [Range<Int>] = []
        var start = 0
        for i in 0...line.count where i == line.count || line[i] == UInt8(ascii: "\t") {
            cells.append(start..<i)
            start = i + 1
        }
        return cells
    }

    private static func scopes(_ cell: String, _ number: Int) throws(EndpointTableError) -> ScopeSet {
        var scopes: ScopeSet = []
        guard cell != "-", cell != "?" else { return scopes }
        for name in cell.split(separator: " ", omittingEmptySubsequences: false) {
            guard let scope = ScopeSet(named: String(name)) else {
                throw EndpointTableError(
                    line: number,
                    message: "\(EndpointTableBuilder.quoted(name)) is no scope of Sentry, such as event:read")
            }
            scopes.insert(scope)
        }
        return scopes
    }

    private static func bytes(_ span: Span<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(span.count)
        for i in span.indices { out.append(span[i]) }
        return out
    }

    private static func string(_ span: Span<UInt8>) -> String { String(decoding: bytes(span), as: UTF8.self) }
}

extension OperationEffect {
    /// A DELETE that reads would be a slip.
    fileprivate func isPossible(of method: OperationMethod) -> Bool {
        switch self {
        case .secret: true
        case .read, .writeOnGET: method == .get
        case .readByPOST: method == .post
        case .write: method != .get
        }
    }
}
