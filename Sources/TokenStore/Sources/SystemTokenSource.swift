internal import Glibc
internal import Synchronization
package import System

/// Sentry's own token, read from its PostgreSQL.
///
/// Sentry writes the row at the first bearer request that reaches its API. While the row is absent, `provoke` sends it
/// one, and the row is read again after a moment.
package final class SystemTokenSource: TokenSource {
    /// Sentry keeps the token for 30 minutes; half of that.
    package static let refreshPeriod: Duration = .minutes(15)
    /// For connecting and reading together.
    package static let longestFetch: Duration = .seconds(10)
    /// When to look for the row after Sentry was provoked: three looks, 1.75 s in all.
    static let reread: [Duration] = [.milliseconds(250), .milliseconds(500), .seconds(1)]
    /// The minimum time between two provocations; doubles while they have no effect.
    static let firstProvocationGap: Duration = .seconds(3)
    static let longestProvocationGap: Duration = .seconds(60)

    package let kind = TokenKind.system
    package let origin = TokenOrigin.postgreSQL
    package let isRenewable = true

    private struct Provocations {
        var next = Instant.distantPast
        var gap = SystemTokenSource.firstProvocationGap
    }

    private let client: PostgresClient
    private let longestFetch: Duration
    private let clock: any TokenClock
    private let provoke: @Sendable () async -> Void
    private let log: @Sendable (TokenEvent) -> Void
    private let provocations = Mutex(Provocations())

    /// - Parameters:
    ///   - provoke: sends the upstream one bearer request, with a deadline of its own; errors are its own business.
    ///   - log: gets `.provoked`.
    package init(
        connectionString: ConnectionString,
        longestFetch: Duration = SystemTokenSource.longestFetch,
        clock: any TokenClock = SystemClock(),
        provoke: @escaping @Sendable () async -> Void,
        log: @escaping @Sendable (TokenEvent) -> Void
    ) {
        client = PostgresClient(connectionString)
        self.longestFetch = longestFetch
        self.clock = clock
        self.provoke = provoke
        self.log = log
    }

    package func fetch(_ request: FetchRequest) async throws(TokenSourceError) -> FetchedToken {
        if let token = try await read() { return found(token) }
        guard mayProvoke() else { throw .rowAbsent }
        log(.provoked)
        await provoke()
        for wait in Self.reread {
            await clock.sleep(for: wait)
            if let token = try await read() { return found(token) }
        }
        throw .rowAbsent
    }

    private func found(_ token: Secret) -> FetchedToken {
        provocations.withLock { $0 = Provocations() }
        return FetchedToken(token: token, refreshAfter: Self.refreshPeriod)
    }

    private func mayProvoke() -> Bool {
        let now = clock.now().monotonic
        return provocations.withLock {
            guard now >= $0.next else { return false }
            $0.next = now + $0.gap
            $0.gap = min($0.gap * 2, Self.longestProvocationGap)
            return true
        }
    }

    /// - Returns: the token, or `nil` when there is none.
    private func read() async throws(TokenSourceError) -> Secret? {
        let length = longestFetch
        let answer = await onOwnThread(within: length) { [client] in
            Self.read(client, Clock.now + length)
        }
        switch answer {
        case nil:
            throw .database(.timeout)
        case .failure(.database(let error))?:
            throw .database(error)
        case .failure(.value(let error))?:
            throw .undecodable(error)
        case .success(let token)?:
            return token
        }
    }

    private enum ReadFailure: Error {
        case database(DatabaseError)
        case value(StoredValueError)
    }

    /// The monolith's table; in a split deployment the control silo's.
    private static let tables = ["sentry_option", "sentry_controloption"]

    private static func read(_ client: PostgresClient, _ deadline: Instant) -> Result<Secret?, ReadFailure> {
        do throws(DatabaseError) {
            guard var value = try client.ask(until: deadline, storedValue) else { return .success(nil) }
            // Held by nobody else, so that it is this one and no copy that is wiped.
            defer { wipe(&value) }
            do throws(StoredValueError) {
                return .success(try StoredValue.decode(value.span))
            } catch {
                return .failure(.value(error))
            }
        } catch {
            return .failure(.database(error))
        }
    }

    private static func storedValue(_ query: PostgresQuery) throws(PostgresFailure) -> [UInt8]? {
        var missing: PostgresFailure?
        for table in tables {
            do throws(PostgresFailure) {
                return try query.firstValue("SELECT value::text FROM \(table) WHERE key = 'sentry:system-token'")
            } catch {
                guard error.error.kind == .tableMissing else { throw error }
                missing = missing ?? error
            }
        }
        throw missing ?? PostgresFailure(.tableMissing)
    }
}
