/// Reads the lines of a policy file that correct the table: `effect` and `endpoint`.
struct CorrectionReader {
    var count = 0
    /// The line that brings the last new operation.
    var lastEndpoint: Int?
    var weakened: [String] = []

    mutating func read(
        _ line: PolicyLine, _ table: EndpointTable, into builder: inout EndpointTableBuilder
    ) throws(PolicyFileError) {
        let (words, number) = (line.words, line.number)
        guard words.count >= 4, let method = OperationMethod(named: words[1]) else {
            throw PolicyFileError(number, "expected \(words[0]) METHOD PATH EFFECT")
        }
        let path = try PolicyLine.path(words[2], number)
        guard let effect = OperationEffect(rawValue: words[3]) else {
            let known = OperationEffect.allCases.map(\.rawValue).joined(separator: ", ")
            throw PolicyFileError(number, "'\(words[3])' is not \(known)")
        }
        count += 1
        if words[0] == "effect" {
            guard words.count <= 5 else { throw PolicyFileError(number, "expected effect METHOD PATH EFFECT [CLASS]") }
            guard let row = table.row(method, path) else {
                throw PolicyFileError(number, "the table has no \(method.name) /api/0\(path)")
            }
            var operationClass = table.operations[row].operationClass
            if words.count == 5 {
                guard let given = OperationClass(rawValue: words[4]), given != .identity else {
                    throw PolicyFileError(number, "'\(words[4])' is not a class")
                }
                operationClass = given
            }
            let old = table.operations[row]
            if old.isStricter(than: effect, operationClass) {
                weakened.append("\(table.name(of: row)): \(old.effect.rawValue) is \(effect.rawValue) now")
            }
            builder.correct(row, effect, operationClass)
        } else {
            var selects: ProjectSelection?
            for word in words[4...] {
                guard word.hasPrefix("select="), let given = EndpointTableBuilder.selection(String(word.dropFirst(7)))
                else {
                    throw PolicyFileError(
                        number, "'\(word)': expected select= and a value of the table's column selects")
                }
                selects = given
            }
            guard table.row(method, path) == nil else {
                throw PolicyFileError(number, "the table has it: an effect line corrects it")
            }
            do throws(EndpointTableError) {
                try builder.add(method, path, effect, selects)
                lastEndpoint = number
            } catch {
                throw PolicyFileError(number, error.message)
            }
        }
    }
}
