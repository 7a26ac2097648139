/// Why PostgreSQL gave no answer: its kind by libpq's state and the SQLSTATE, and the words of whoever said so.
///
/// Two of one kind are equal, whatever the words.
package struct DatabaseError: Error, Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// No server there, name not found, or the server is starting, stopping or full.
        case unreachable
        /// Connect and query together took longer than their deadline.
        case timeout
        /// Wrong user or password, or pg_hba.conf refuses.
        case authentication
        /// `sslmode` asks for what the server does not offer, or its certificate is not trusted.
        case tls
        case databaseMissing
        /// Neither of Sentry's option tables is there.
        case tableMissing
        /// The user may not read Sentry's option table.
        case permission
        /// libpq refuses what the connection string and the variables come to.
        case badConnectionString
        /// Nothing says where PostgreSQL is, and it is not at libpq's default place.
        case notConfigured
        /// Any other answer, by its SQLSTATE (`?????` when there was none).
        case other(sqlState: String)
    }

    package let kind: Kind
    /// Host, port and what libpq, the resolver or the server said, in one line and without a password.
    package let words: String
    /// The flag or variable that names the server.
    package let source: String?

    package init(_ kind: Kind, words: String = "", source: String? = nil) {
        self.kind = kind
        self.words = words
        self.source = source
    }

    package static let unreachable = DatabaseError(.unreachable)
    package static let timeout = DatabaseError(.timeout)
    package static let authentication = DatabaseError(.authentication)
    package static let tls = DatabaseError(.tls)
    package static let databaseMissing = DatabaseError(.databaseMissing)
    package static let tableMissing = DatabaseError(.tableMissing)
    package static let permission = DatabaseError(.permission)
    package static let badConnectionString = DatabaseError(.badConnectionString)
    package static let notConfigured = DatabaseError(.notConfigured)

    package static func == (left: DatabaseError, right: DatabaseError) -> Bool { left.kind == right.kind }

    /// One line: what is wrong and what to do.
    package var message: String {
        switch (words.isEmpty, advice) {
        case (true, let advice): advice ?? summary
        case (false, let advice?): "\(words); \(advice)"
        case (false, nil): words
        }
    }

    /// `message` with the name of what to fix.
    package var logMessage: String {
        switch (kind, source) {
        case (.notConfigured, _): message
        case (_, let source?): "PostgreSQL (\(source)): \(message)"
        case (_, nil): "PostgreSQL: \(message)"
        }
    }

    private var summary: String {
        switch kind {
        case .unreachable: "the server cannot be reached"
        case .timeout: "no answer before the deadline"
        case .authentication: "the server refused the user or the password"
        case .tls: "no TLS connection as sslmode asks for"
        case .databaseMissing: "the database does not exist"
        case .badConnectionString: "the connection string is refused"
        case .tableMissing, .permission, .notConfigured: ""
        case .other(let sqlState): "the server answered with SQLSTATE \(sqlState)"
        }
    }

    private var advice: String? {
        switch kind {
        case .tableMissing:
            "no table sentry_option or sentry_controloption: is this Sentry's database, and has it been migrated?"
        case .permission: "the user may not read the table sentry_option: GRANT SELECT ON sentry_option"
        case .notConfigured:
            "no token is configured: give one by --token-file or SENTRY_AUTH_TOKEN, sign in with `sentry-api-proxy auth login`, or name Sentry's database by --pgx-conn or PGX_CONN"
        default: nil
        }
    }
}
