internal import Synchronization
package import System

/// Logins in a table that replicas share.
///
/// A change is one transaction that holds an advisory lock, the form of it that PgBouncer in transaction mode keeps; it
/// ends with a `NOTIFY`. Behind such a pooler `LISTEN` hears nothing, so the row's revision is looked at now and then as well.
package final class PostgresLoginStore: LoginStore {
    package static let table = "sentry_api_proxy_login"
    static let channel = "sentry_api_proxy_login"
    static let readTime: Duration = .seconds(10)
    /// How often the revision is checked without a notification.
    package static let lookPeriod: Duration = .seconds(5)

    package let place = "table \(PostgresLoginStore.table)"
    private let client: PostgresClient
    private let listener: PostgresListener
    private let lookPeriod: Duration
    private let nextLook = Mutex(Instant.distantPast)

    package init(connectionString: ConnectionString, lookPeriod: Duration = PostgresLoginStore.lookPeriod) {
        client = PostgresClient(connectionString)
        self.lookPeriod = lookPeriod
        listener = PostgresListener(connectionString, channel: Self.channel)
    }

    /// Makes the table, unless it is there.
    package func createTable() throws(LoginStoreError) {
        try asking { query throws(PostgresFailure) in
            _ = try query.firstValue(
                """
                CREATE TABLE IF NOT EXISTS \(Self.table) (
                    origin text PRIMARY KEY,
                    document text NOT NULL,
                    revision bigint NOT NULL,
                    updated_at timestamptz NOT NULL DEFAULT now()
                )
                """)
        }
    }

    package func read() throws(LoginStoreError) -> StoredLogins {
        var document = LoginDocument()
        var stamp = LoginStamp.nothing
        let rows = try asking { query throws(PostgresFailure) in
            try query.rows("SELECT document, revision::text FROM \(Self.table) ORDER BY origin")
        }
        for row in rows {
            document.logins.merge(try Self.decode(row).logins) { $1 }
            stamp = LoginStamp(parts: stamp.parts + [try Self.revision(row)])
        }
        return StoredLogins(document: document, stamp: stamp)
    }

    package func change<R>(
        _ origin: String, deadline: Instant, _ body: (inout Login?) -> R
    ) throws(LoginStoreError) -> (R, LoginStamp) {
        try asking(until: deadline) {
            query throws(PostgresFailure) -> Result<(R, LoginStamp), LoginStoreError> in
            let name = Secret(Array(origin.utf8))
            _ = try query.firstValue("BEGIN")
            _ = try query.rows("SELECT pg_advisory_xact_lock(hashtextextended('\(Self.table) ' || $1, 0))", [name])
            let row = try query.rows("SELECT document, revision::text FROM \(Self.table) WHERE origin = $1", [name])
                .first
            let before: Login?
            do throws(LoginStoreError) {
                if let row { before = try Self.decode(row).logins[origin] } else { before = nil }
            } catch {
                return .failure(error)
            }
            var login = before
            let result = body(&login)
            // What `body` waited for is not the database's fault.
            query.extendDeadline(to: Clock.now + Self.readTime)
            if login != before {
                try Self.write(login, name, origin, query)
                _ = try query.rows("SELECT pg_notify('\(Self.channel)', $1)", [name])
            }
            let revisions = try query.rows("SELECT ''::text, revision::text FROM \(Self.table) ORDER BY origin")
            _ = try query.firstValue("COMMIT")
            let parts = revisions.map { (try? Self.revision($0)) ?? 0 }
            return .success((result, LoginStamp(parts: parts)))
        }.get()
    }

    /// Writes in a transaction that is taken back, so that a right that is missing shows.
    package func checkWritable(_ origin: String, deadline: Instant) throws(LoginStoreError) {
        try asking(until: deadline) { query throws(PostgresFailure) in
            _ = try query.firstValue("BEGIN")
            _ = try query.rows(
                """
                INSERT INTO \(Self.table) (origin, document, revision) VALUES ($1, '', 0)
                ON CONFLICT (origin) DO UPDATE SET revision = \(Self.table).revision
                """, [Secret(Array(origin.utf8))])
            _ = try query.firstValue("ROLLBACK")
        }
    }

    package func hasChanged(since stamp: LoginStamp, _ origin: String) async -> Bool {
        let now = Clock.now
        let isHeard = listener.takeHeard()
        let isTime = nextLook.withLock { next in
            guard isHeard || now >= next else { return false }
            next = now + lookPeriod
            return true
        }
        guard isTime else { return false }
        let found = await onOwnThread(within: Self.readTime) { [self] in try? read().stamp }
        guard let known = found ?? nil else { return false }
        return known != stamp
    }

    // MARK: - SQL

    /// The revision is a time in microseconds, so that a row that is removed and made again has another one.
    private static func write(
        _ login: Login?, _ name: Secret, _ origin: String, _ query: PostgresQuery
    ) throws(PostgresFailure) {
        guard let login else {
            _ = try query.rows("DELETE FROM \(table) WHERE origin = $1", [name])
            return
        }
        var bytes = LoginDocument(logins: [origin: login]).encode()
        _ = try query.rows(
            """
            INSERT INTO \(table) (origin, document, revision)
            VALUES ($1, $2, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) ON CONFLICT (origin)
            DO UPDATE SET document = excluded.document, updated_at = now(),
            revision = greatest(excluded.revision, \(table).revision + 1)
            """, [name, Secret(wiping: &bytes)])
    }

    private static func decode(_ row: [[UInt8]]) throws(LoginStoreError) -> LoginDocument {
        guard let text = row.first else { throw .corrupt }
        return try LoginDocument.decode(text)
    }

    private static func revision(_ row: [[UInt8]]) throws(LoginStoreError) -> Int64 {
        guard row.count == 2, let revision = Int64(String(decoding: row[1], as: UTF8.self)) else { throw .corrupt }
        return revision
    }

    private func asking<R>(
        until deadline: Instant? = nil, _ body: (PostgresQuery) throws(PostgresFailure) -> R
    ) throws(LoginStoreError) -> R {
        do throws(DatabaseError) {
            return try client.ask(until: deadline ?? Clock.now + Self.readTime, body)
        } catch {
            switch error.kind {
            case .tableMissing: throw .tableMissing
            case .permission: throw .tableDenied
            default: throw .database(error)
            }
        }
    }
}

/// Waits for notifications on a thread and a connection of its own, from the first question on.
final class PostgresListener: Sendable {
    static let retryPause: Duration = .seconds(5)
    /// A connection that died without a word is found out by a query after this.
    static let waitTime: Duration = .seconds(60)

    private let connectionString: ConnectionString
    private let channel: String
    private let isStarted = Atomic<Bool>(false)
    private let heard = Atomic<Bool>(false)

    init(_ connectionString: ConnectionString, channel: String) {
        self.connectionString = connectionString
        self.channel = channel
    }

    /// Whether there was a notification since the last time this was asked.
    func takeHeard() -> Bool {
        if !isStarted.exchange(true, ordering: .relaxed) { start() }
        return heard.exchange(false, ordering: .acquiringAndReleasing)
    }

    private func start() {
        let string = connectionString
        let channel = channel
        let isRunning = startThread { [weak self] in
            while self != nil {
                Self.listen(string, channel) { self?.heard.store(true, ordering: .releasing) }
                pauseThread(for: Self.retryPause)
            }
        }
        if !isRunning { isStarted.store(false, ordering: .relaxed) }
    }

    /// Returns when the connection fails.
    private static func listen(_ string: ConnectionString, _ channel: String, _ heard: () -> Void) {
        guard let query = try? PostgresQuery(string, deadline: Clock.now + .seconds(10)),
            (try? query.rows("LISTEN \(channel)")) != nil
        else { return }
        // What was missed while nobody listened.
        heard()
        while true {
            query.extendDeadline(to: Clock.now + .seconds(10))
            guard (try? query.firstValue("SELECT 1")) != nil else { return }
            if query.waitForNotification(for: waitTime) { heard() }
        }
    }
}
