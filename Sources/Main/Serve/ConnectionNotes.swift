internal import Logging
internal import TokenStore

extension ServePlan {
    /// What is worth saying at start about the way to the database, if there is to be one.
    func logConnection(_ log: Logger) {
        guard token.choice == .system || loginStore is PostgresLoginStore, let connection else { return }
        for note in connection.notes {
            log.notice(
                "\(connection.source ?? "PostgreSQL"): \(note), as in the Go program; libpq would read it otherwise")
        }
        if let problem = connection.passfileProblem { log.warning("PostgreSQL: \(problem)") }
    }
}
