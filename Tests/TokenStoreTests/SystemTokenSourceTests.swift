import Foundation
import Synchronization
import System
import Testing

@testable import TokenStore

@Suite(
    .serialized,
    .enabled(if: PostgresCluster.isInstalled, "needs PostgreSQL and PgBouncer"),
    PostgresTrait()
)
struct SystemTokenSourceTests {
    let recorder = Recorder()

    func cluster() throws -> PostgresCluster { try #require(PostgresCluster.current) }

    /// Sentry's table as of `column`'s age, with one row.
    func store(_ value: String?, column: String = "text", table: String = "sentry_option") throws {
        var sql = "DROP TABLE IF EXISTS sentry_option; DROP TABLE IF EXISTS sentry_controloption; "
        sql +=
            "CREATE TABLE \(table) (id bigserial PRIMARY KEY, key varchar(128) UNIQUE NOT NULL, value \(column) NOT NULL, "
        sql +=
            "last_updated timestamptz NOT NULL DEFAULT now(), last_updated_by varchar(16) NOT NULL DEFAULT 'unknown'); "
        if let value { sql += insert(value, table: table) }
        _ = try cluster().sql(sql)
    }

    func insert(_ value: String, table: String = "sentry_option") -> String {
        "INSERT INTO \(table) (key, value) VALUES ('sentry:system-token', $token$\(value)$token$)"
    }

    func source(
        _ string: ConnectionString, seconds: UInt64 = 10, provoke: @escaping @Sendable () async -> Void = {}
    ) -> SystemTokenSource {
        SystemTokenSource(
            connectionString: string, longestFetch: .seconds(seconds), provoke: provoke, log: recorder.log)
    }

    func fetch(_ string: ConnectionString, seconds: UInt64 = 10) async throws -> String? {
        text(try await source(string, seconds: seconds).fetch(FetchRequest(cause: .start, current: nil)).token)
    }

    func expect(_ error: TokenSourceError, _ string: ConnectionString, seconds: UInt64 = 10) async {
        do throws(TokenSourceError) {
            _ = try await source(string, seconds: seconds).fetch(FetchRequest(cause: .start, current: nil))
            Issue.record("expected \(error)")
        } catch let failure {
            #expect(failure == error)
            let said = failure.logMessage
            #expect(!said.contains(PostgresCluster.password) && !said.contains("wrong word"), "\(said)")
        }
    }

    /// What the log says of a fetch that fails.
    func said(_ string: ConnectionString, seconds: UInt64 = 10) async -> String? {
        do throws(TokenSourceError) {
            _ = try await source(string, seconds: seconds).fetch(FetchRequest(cause: .start, current: nil))
            return nil
        } catch {
            return error.logMessage
        }
    }

    @Test func everySampleInATextColumn() async throws {
        let string = try cluster().string()
        for sample in storedSamples {
            try store(sample.stored)
            #expect(try await fetch(string) == sample.token, "\(sample.name)")
        }
    }

    @Test func jsonbColumn() async throws {
        try store("\"\(token64)\"", column: "jsonb")
        #expect(try await fetch(try cluster().string()) == token64)
        try store("{\"a\": 1}", column: "jsonb")
        await expect(.undecodable(.json(.object)), try cluster().string())
    }

    @Test func splitDeployment() async throws {
        try store("\"\(token32)\"", table: "sentry_controloption")
        #expect(try await fetch(try cluster().string()) == token32)
    }

    @Test func urlForm() async throws {
        try store("\"\(token32)\"")
        let cluster = try cluster()
        let password = "pa%27ss%20w%5Cord"
        for authority in ["postgres:\(password)@127.0.0.1:\(cluster.port)", "postgres:\(password)@"] {
            let host = authority.hasSuffix("@") ? "&host=\(cluster.folder.path)&port=\(cluster.port)" : ""
            let string = try ConnectionString("postgres://\(authority)/postgres?pool_max_conns=4\(host)")
            #expect(try await fetch(string) == token32)
        }
    }

    /// A pool of one server connection in transaction mode, in every exec mode, many times over.
    @Test func pgBouncerInTransactionMode() async throws {
        try store("\"\(token32)\"")
        let cluster = try cluster()
        for mode in QueryExecMode.allCases {
            let string = try cluster.string(port: cluster.bouncerPort, "default_query_exec_mode=\(mode.rawValue)")
            for _ in 0..<5 { #expect(try await fetch(string) == token32) }
        }
        let tcp = try cluster.string(host: "127.0.0.1", port: cluster.bouncerPort)
        #expect(try await fetch(tcp) == token32)
        #expect(try cluster.sql("SELECT count(*) FROM pg_prepared_statements") == "0")
    }

    @Test func failuresHaveTheirNames() async throws {
        try store("\"\(token32)\"")
        let cluster = try cluster()
        await expect(.database(.authentication), try cluster.string(password: "wrong word"))
        await expect(.database(.authentication), try cluster.string(user: "nobody"))
        await expect(.database(.tls), try cluster.string(host: "127.0.0.1", "sslmode=require"))
        await expect(
            .database(.tls), try cluster.string(host: "127.0.0.1", port: cluster.bouncerPort, "sslmode=require"))
        await expect(.database(.unreachable), try cluster.string(port: 1))
        await expect(.database(.unreachable), try cluster.string(host: "127.0.0.1", port: try freePort()))
        await expect(.database(.unreachable), try cluster.string(host: "no-such-host.invalid"))
        await expect(.database(.databaseMissing), try cluster.string("dbname=absent"))
        try cluster.sql("DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN PASSWORD 'reader'")
        await expect(.database(.permission), try cluster.string(user: "reader", password: "reader"))
        try cluster.sql("DROP TABLE sentry_option")
        await expect(.database(.tableMissing), try cluster.string())
    }

    @Test func noIdleBackendIsKept() async throws {
        try store("\"\(token32)\"")
        let cluster = try cluster()
        for _ in 0..<10 { _ = try await fetch(try cluster.string("application_name=tokens")) }
        let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tokens'"
        #expect(await eventually { (try? cluster.sql(count)) == "0" })
    }

    @Test func tlsWithAndWithoutTrust() async throws {
        try store("\"\(token32)\"")
        let cluster = try cluster()
        let openssl = try cluster.launch(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=elsewhere", "-addext",
                "subjectAltName=IP:127.0.0.1", "-keyout", cluster.data + "/server.key", "-out",
                cluster.data + "/server.crt",
            ])
        openssl.waitUntilExit()
        try #require(openssl.terminationStatus == 0)
        try cluster.sql("ALTER SYSTEM SET ssl = on")
        try cluster.sql("SELECT pg_reload_conf()")
        let require = try cluster.string(host: "127.0.0.1", "sslmode=require")
        let isReady = await eventually { (try? await fetch(require)) == token32 }
        #expect(isReady)
        let trusted = "sslmode=verify-full sslrootcert=\(cluster.data)/server.crt"
        #expect(try await fetch(try cluster.string(host: "127.0.0.1", trusted)) == token32)
        await expect(.database(.tls), try cluster.string(host: "localhost", "hostaddr=127.0.0.1 " + trusted))
        cluster.folder.write("", to: "empty.crt")
        await expect(
            .database(.tls),
            try cluster.string(host: "127.0.0.1", "sslmode=verify-ca sslrootcert=\(cluster.folder.file("empty.crt"))"))
        try cluster.sql("ALTER SYSTEM RESET ssl")
        try cluster.sql("SELECT pg_reload_conf()")
    }

    /// A server that accepts and says nothing: the deadline ends it.
    @Test func aSilentServerMeetsTheDeadline() async throws {
        try store("\"\(token32)\"")
        let cluster = try cluster()
        let locker = try PostgresQuery(try cluster.string(), deadline: deadline(seconds: 20))
        _ = try locker.firstValue("BEGIN; LOCK TABLE sentry_option IN ACCESS EXCLUSIVE MODE; SELECT 1")
        let began = ContinuousClock.now
        await expect(.database(.timeout), try cluster.string(), seconds: 1)
        let took = ContinuousClock.now - began
        #expect(took > .milliseconds(900) && took < .seconds(5))
        _ = try locker.firstValue("COMMIT")
    }

    /// The table is locked, as by a migration: what waits for it is taken back.
    @Test func aQueryWhoseTimeIsUpIsCancelled() async throws {
        try store("\"\(token32)\"")
        let cluster = try cluster()
        let locker = try PostgresQuery(try cluster.string(), deadline: deadline(seconds: 30))
        _ = try locker.firstValue("BEGIN; LOCK TABLE sentry_option IN ACCESS EXCLUSIVE MODE; SELECT 1")
        let source = source(try cluster.string("application_name=waiting"), seconds: 1)
        let request = FetchRequest(cause: .start, current: nil)
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'waiting'"
        for _ in 0..<3 {
            await #expect(throws: TokenSourceError.database(.timeout)) { try await source.fetch(request) }
            #expect(await eventually { (try? cluster.sql(waiting)) == "0" })
        }
        _ = try locker.firstValue("COMMIT")
        #expect(text(try await source.fetch(request).token) == token32)
    }

    /// A backend that gets to nothing, not even to a request to cancel: no second one is sent after it.
    @Test func atMostOneQueryWaitsAtAServerThatIsStuck() async throws {
        try store("\"\(token32)\"")
        let cluster = try cluster()
        let locker = try PostgresQuery(try cluster.string(), deadline: deadline(seconds: 30))
        _ = try locker.firstValue("BEGIN; LOCK TABLE sentry_option IN ACCESS EXCLUSIVE MODE; SELECT 1")
        let source = source(try cluster.string("application_name=stuck"), seconds: 1)
        let request = FetchRequest(cause: .start, current: nil)
        let first = Task { try await source.fetch(request) }
        let process = "SELECT pid FROM pg_stat_activity WHERE application_name = 'stuck' AND wait_event_type = 'Lock'"
        #expect(await eventually { (try? cluster.sql(process)) != nil })
        let pid = try #require(try cluster.sql(process).flatMap { pid_t($0) })
        kill(pid, SIGSTOP)
        defer { kill(pid, SIGCONT) }
        await #expect(throws: TokenSourceError.database(.timeout)) { try await first.value }
        let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'stuck'"
        for _ in 0..<3 {
            await #expect(throws: TokenSourceError.database(.timeout)) { try await source.fetch(request) }
            #expect(try cluster.sql(count) == "1")
        }
        kill(pid, SIGCONT)
        _ = try locker.firstValue("COMMIT")
        #expect(await eventually { (try? await source.fetch(request).token) != nil })
    }

    /// A listener whose backlog takes the connection and who never answers the startup packet.
    @Test func connectTimeoutIsHonoured() async throws {
        let cluster = try cluster()
        let listener = try Listener()
        let began = ContinuousClock.now
        await expect(
            .database(.timeout),
            try cluster.string(host: "127.0.0.1", port: listener.port, "connect_timeout=1 sslmode=disable"))
        let took = ContinuousClock.now - began
        #expect(took > .milliseconds(900) && took < .seconds(6))
    }

    @Test func anAbsentRowIsProvoked() async throws {
        try store(nil)
        let cluster = try cluster()
        let provocations = Mutex(0)
        let insert = insert("\"\(token32)\"")
        let source = source(try cluster.string()) {
            provocations.withLock { $0 += 1 }
            _ = try? cluster.sql(insert)
        }
        let request = FetchRequest(cause: .start, current: nil)
        #expect(text(try await source.fetch(request).token) == token32)
        #expect(provocations.withLock { $0 } == 1)
        // Null and the empty string are no token either, and Sentry is not asked in vain all the time.
        for absent in ["null", "\"\""] {
            try store(absent)
            let silent = Mutex(0)
            let source = self.source(try cluster.string()) { silent.withLock { $0 += 1 } }
            await #expect(throws: TokenSourceError.rowAbsent) { try await source.fetch(request) }
            await #expect(throws: TokenSourceError.rowAbsent) { try await source.fetch(request) }
            #expect(silent.withLock { $0 } == 1)
        }
        #expect(recorder.all.contains(.provoked))
    }

    /// Down at the start, up, away, back: health follows, the last good token stays.
    @Test(arguments: ["direct", "PgBouncer"]) func theDatabaseComesAndGoes(_ way: String) async throws {
        try store("\"\(token32)\"")
        let cluster = try cluster()
        let string = try way == "direct" ? cluster.string() : cluster.string(port: cluster.bouncerPort)
        // PgBouncer may keep a client waiting for a server that is away.
        let away: [TokenSourceError] = [.database(.unreachable)] + (way == "direct" ? [] : [.database(.timeout)])
        await cluster.stop()
        let publisher = TokenPublisher(initial: initialSnapshot())
        let broker = TokenBroker(
            source: source(string, seconds: 2), publisher: publisher, log: recorder.log, wake: recorder.wake)
        let life = Task { await broker.run() }
        #expect(await eventually { away.contains { publisher.current().health == .missing($0) } })
        #expect(publisher.current().token == nil)

        try await cluster.start()
        let firstReturn = ContinuousClock.now
        #expect(await eventually { publisher.current().health == .ready })
        #expect(ContinuousClock.now - firstReturn < .seconds(5))
        #expect(text(publisher.current().token) == token32)

        await cluster.stop()
        #expect(await broker.renew(ifStill: publisher.version) == .unavailable)
        #expect(away.contains { publisher.current().health == .degraded($0) })
        #expect(text(publisher.current().token) == token32)

        try await cluster.start()
        let secondReturn = ContinuousClock.now
        try cluster.sql("UPDATE sentry_option SET value = '\"\(token64)\"'")
        #expect(await eventually { text(publisher.current().token) == token64 })
        #expect(ContinuousClock.now - secondReturn < .seconds(5))
        #expect(publisher.current().health == .ready)
        life.cancel()
        await life.value
    }

    @Test func twoThousandCallersOneQuery() async throws {
        try store("\"\(token32)\"")
        let cluster = try cluster()
        let publisher = TokenPublisher(initial: initialSnapshot())
        let broker = TokenBroker(
            source: source(try cluster.string("application_name=counted")), publisher: publisher, log: recorder.log,
            wake: recorder.wake)
        await broker.reload()
        try cluster.sql("UPDATE sentry_option SET value = '\"\(token64)\"'")
        // A backend's counts are in the statistics once it has gone.
        let alone = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'counted'"
        let scans = "SELECT seq_scan + coalesce(idx_scan, 0) FROM pg_stat_user_tables WHERE relname = 'sentry_option'"
        #expect(await eventually { (try? cluster.sql(alone)) == "0" })
        let before = try #require(Int(try cluster.sql(scans) ?? ""))
        let version = publisher.version
        let outcomes = await withTaskGroup(of: RenewalOutcome.self) { group in
            for _ in 0..<2000 { group.addTask { await broker.renew(ifStill: version) } }
            return await group.reduce(into: Set<RenewalOutcome>()) { $0.insert($1) }
        }
        #expect(outcomes == [.renewed])
        #expect(text(publisher.current().token) == token64)
        #expect(await eventually { (try? cluster.sql(alone)) == "0" })
        #expect(Int(try cluster.sql(scans) ?? "") == before + 1)
        let renewals = recorder.all.filter { $0 == .renewal(.renewed, kind: .system) }
        #expect(renewals.count == 1)
    }
}
