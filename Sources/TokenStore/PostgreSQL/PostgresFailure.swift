internal import CPostgres

/// What went wrong with a connection or a query.
package struct PostgresFailure: Error {
    let error: DatabaseError
    /// Whether another address would say the same: the server has judged user, password or database.
    let isFinal: Bool

    init(_ kind: DatabaseError.Kind, _ words: String = "", isFinal: Bool = false) {
        error = DatabaseError(kind, words: words)
        self.isFinal = isFinal
    }
}

/// What libpq's and the server's messages mean.
enum PostgresMessage {
    /// Of a connection that did not come about.
    /// - Parameter text: in libpq's verbose form, in which the SQLSTATE stands in the text; it is nowhere else.
    static func failure(
        connecting text: String, to place: String, needsPassword: Bool, passfileProblem: String?
    ) -> PostgresFailure {
        if let sqlState = sqlState(in: text) {
            let kind = meaning(ofSQLState: sqlState)
            let said = words(of: text, sqlState)
            // PgBouncer knows few of the parameters that a client may send when it connects.
            let hint = said.contains("startup parameter") ? "; see PgBouncer's ignore_startup_parameters" : ""
            return PostgresFailure(
                kind, "\(place): the server refused: \(said) (SQLSTATE \(sqlState))\(hint)",
                isFinal: [.authentication, .databaseMissing, .permission].contains(kind))
        }
        if needsPassword {
            return PostgresFailure(
                .authentication,
                "\(place): the server asks for a password, and "
                    + (passfileProblem ?? "none was given: by password=, PGPASSWORD or a passfile"),
                isFinal: true)
        }
        let said = withoutPrefix(text)
        let kind: DatabaseError.Kind =
            if text.contains("SSL") || text.contains("certificate") || text.contains("private key file") {
                .tls
            } else if text.contains("authentication") || text.contains("SCRAM") || text.contains("channel binding") {
                .authentication
            } else if text.contains("user name") || text.contains("local user") || text.contains("service") {
                .badConnectionString
            } else {
                .unreachable
            }
        return PostgresFailure(kind, "\(place): \(said.isEmpty ? "no answer" : said)")
    }

    /// Of a query that the server refused.
    static func failure(ofQuery text: String, sqlState: String?, at place: String) -> PostgresFailure {
        guard let sqlState else { return PostgresFailure(.unreachable, "\(place): \(withoutPrefix(text))") }
        return PostgresFailure(
            meaning(ofSQLState: sqlState),
            "\(place): the server says: \(words(of: text, sqlState)) (SQLSTATE \(sqlState))")
    }

    /// The line with the SQLSTATE, from behind it.
    private static func words(of text: String, _ sqlState: String) -> String {
        for line in text.split(separator: "\n") {
            guard let range = line.firstRange(of: ":  \(sqlState): ") else { continue }
            return String(line[range.upperBound...])
        }
        return withoutPrefix(text)
    }

    /// The first line without libpq's own naming of the place.
    private static func withoutPrefix(_ text: String) -> String {
        let line = text.prefix { $0 != "\n" }
        guard line.hasPrefix("connection to server"), let range = line.firstRange(of: " failed: ") else {
            return String(line)
        }
        return String(line[range.upperBound...])
    }
}

/// The five characters that stand after the severity in a verbose message: `FATAL:  28P01: …`.
func sqlState(in text: String) -> String? {
    var found: String?
    for line in text.split(separator: "\n") {
        let bytes = Array(line.utf8)
        for start in bytes.indices where start + 8 < bytes.count {
            guard bytes[start] == UInt8(ascii: ":"), bytes[start + 1] == 0x20, bytes[start + 2] == 0x20,
                bytes[start + 8] == UInt8(ascii: ":")
            else { continue }
            let code = bytes[(start + 3)..<(start + 8)]
            let isCode = code.allSatisfy { isDigit($0) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }
            if isCode { found = String(decoding: code, as: UTF8.self) }
        }
    }
    return found
}

/// PostgreSQL, Appendix A. Class 08 is also PgBouncer's way to say that it cannot reach the server.
func meaning(ofSQLState code: String) -> DatabaseError.Kind {
    switch code {
    case "42P01": .tableMissing
    case "42501": .permission
    case "3D000": .databaseMissing
    case "57014": .timeout
    case "57P01", "57P02", "57P03", "53300": .unreachable
    case _ where code.hasPrefix("28"): .authentication
    case _ where code.hasPrefix("08"): .unreachable
    default: .other(sqlState: code)
    }
}
