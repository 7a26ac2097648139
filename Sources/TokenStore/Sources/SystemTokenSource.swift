internal import Glibc
internal import Synchronization
internal import System

/// Sentry's own token, read from its PostgreSQL.
///
/// Sentry writes the row at the first bearer request that reaches its API. While the row is absent, `provoke` sends it
/// one, and the row is read again after a moment.
package final class SystemTokenSource: TokenSource {
    /// Sentry keeps the token for 30 minutes; half of that.
    package static let refreshNanoseconds: UInt64 = 15 * 60 * 1_000_000_000
    /// For connecting and reading together.
    package static let defaultDeadlineNanoseconds: UInt64 = 10 * 1_000_000_000
    /// When to look for the row after Sentry was provoked: three looks, 1.75 s in all.
    static let rereadNanoseconds: [UInt64] = [250_000_000, 500_000_000, 1_000_000_000]
    /// The minimum time between two provocations; doubles while they have no effect.
    static let firstProvocationGapNanoseconds: UInt64 = 3_000_000_000
    static let longestProvocationGapNanoseconds: UInt64 = 60_000_000_000

    package let kind = TokenKind.system
    package let origin = TokenOrigin.postgreSQL
    package let isRenewable = true

    private struct Provocations {
        var next: UInt64 = 0
        var gap = SystemTokenSource.firstProvocationGapNanoseconds
    }

    private let client: PostgresClient
    private let deadlineNanoseconds: UInt64
    private let clock: any TokenClock
    private let provoke: @Sendable () async -> Void
    private let log: @Sendable (TokenEvent) -> Void
    private let provocations = Mutex(Provocations())

    /// - Parameters:
    ///   - provoke: sends the upstream one bearer request, with a deadline of its own; errors are its own business.
    ///   - log: gets `.provoked`.
    package init(
        connectionString: ConnectionString,
        deadlineNanoseconds: UInt64 = SystemTokenSource.defaultDeadlineNanoseconds,
        clock: any TokenClock = SystemClock(),
        provoke: @escaping @Sendable () async -> Void,
        log: @escaping @Sendable (TokenEvent) -> Void
    ) {
        client = PostgresClient(connectionString)
        self.deadlineNanoseconds = deadlineNanoseconds
        self.clock = clock
        self.provoke = provoke
        self.log = log
    }

    package func fetch(_ request: FetchRequest) async throws(TokenSourceError) -> FetchedToken {
        if let token = try await read() { return found(token) }
        guard mayProvoke() else { throw .rowAbsent }
        log(.provoked)
        await provoke()
        for wait in Self.rereadNanoseconds {
            await clock.sleep(nanoseconds: wait)
            if let token = try await read() { return found(token) }
        }
        throw .rowAbsent
    }

    private func found(_ token: Secret) -> FetchedToken {
        provocations.withLock { $0 = Provocations() }
        return FetchedToken(token: token, refreshAfterNanoseconds: Self.refreshNanoseconds)
    }

    private func mayProvoke() -> Bool {
        let now = clock.now().monotonicNanoseconds
        return provocations.withLock {
            guard now >= $0.next else { return false }
            $0.next = now &+ $0.gap
            $0.gap = min($0.gap * 2, Self.longestProvocationGapNanoseconds)
            return true
        }
    }

    /// - Returns: the token, or `nil` when there is none.
    private func read() async throws(TokenSourceError) -> Secret? {
        let length = deadlineNanoseconds
        let answer = await onOwnThread(deadlineNanoseconds: length) { [client] in
            Self.read(client, Clock.monotonic &+ length)
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

    private static func read(_ client: PostgresClient, _ deadline: UInt64) -> Result<Secret?, ReadFailure> {
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
