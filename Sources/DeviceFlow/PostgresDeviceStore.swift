package import AccessPolicy
internal import FoundationEssentials
internal import System
package import TokenStore

/// Waiting codes and grants in tables that replicas share. Each call is one transaction on a connection of its own, the form
/// of it that PgBouncer in transaction mode keeps.
package final class PostgresDeviceStore: DeviceStore {
    package static let codeTable = "sentry_api_proxy_device"
    package static let grantTable = "sentry_api_proxy_grant"
    private static let callTime: Duration = .seconds(3)
    /// How long a row stays after its grant was withdrawn or is over: until every replica has seen the change.
    private static let keptSeconds: Int64 = 86_400

    package let isShared = true
    private let client: PostgresClient

    package init(_ string: ConnectionString) { client = PostgresClient(string) }

    /// Makes the tables, unless they are there.
    package func createTables() throws(DeviceStoreFailure) {
        try asking { query throws(PostgresFailure) in
            _ = try query.firstValue(
                """
                CREATE TABLE IF NOT EXISTS \(Self.codeTable) (
                    device text PRIMARY KEY, user_code text NOT NULL, address text NOT NULL, waits boolean NOT NULL,
                    ends bigint NOT NULL, document text NOT NULL)
                """)
            _ = try query.firstValue(
                """
                CREATE TABLE IF NOT EXISTS \(Self.grantTable) (
                    name text PRIMARY KEY, keys text[] NOT NULL, ends bigint NOT NULL, revision bigint NOT NULL,
                    document text)
                """)
        }
    }

    // MARK: What waits

    package func add(_ code: WaitingCode, most: Int, now: Int64) throws(DeviceStoreFailure) -> AddedCode {
        try asking { query throws(PostgresFailure) in
            _ = try query.firstValue("BEGIN")
            try Self.lock(Self.codeTable, query)
            _ = try query.rows("DELETE FROM \(Self.codeTable) WHERE ends <= $1::bigint", [Self.text(now)])
            let denied = try query.rows(
                "SELECT device FROM \(Self.codeTable) WHERE device = $1", [Self.text("denied:" + code.customer)])
            guard denied.isEmpty else { return .denied }
            let waiting = try query.firstValue("SELECT count(*)::text FROM \(Self.codeTable) WHERE waits")
            guard let waiting, let count = Int(String(decoding: waiting, as: UTF8.self)), count < most else {
                return .full
            }
            _ = try query.rows(
                "INSERT INTO \(Self.codeTable) (device, user_code, address, waits, ends, document) VALUES ($1, $2, $3, true, $4::bigint, $5)",
                [
                    Self.text(code.deviceDigest), Self.text(code.userDigest), Self.text(code.address),
                    Self.text(code.ends), Self.json(code),
                ])
            _ = try query.firstValue("COMMIT")
            return .added
        }
    }

    package func change<R>(
        _ key: WaitingKey, now: Int64, _ body: (inout WaitingCode, Set<String>) -> (R, GrantEdit)
    ) throws(DeviceStoreFailure) -> R? {
        let (column, digest) =
            switch key {
            case .device(let digest): ("device", digest)
            case .user(let digest): ("user_code", digest)
            }
        return try asking { query throws(PostgresFailure) in
            _ = try query.firstValue("BEGIN")
            let rows = try query.rows(
                "SELECT document FROM \(Self.codeTable) WHERE \(column) = $1 FOR UPDATE",
                [Self.text(digest.hexadecimal)])
            guard let bytes = rows.first?.first, var code = Self.decode(WaitingCode.self, bytes) else { return nil }
            let (result, edit) = body(&code, try Self.namesToAvoid(code, now, query))
            _ = try query.rows(
                "UPDATE \(Self.codeTable) SET waits = $2::boolean, document = $3 WHERE device = $1",
                [Self.text(code.deviceDigest), Self.text(code.isWaiting(.min) ? "true" : "false"), Self.json(code)])
            switch edit {
            case .none: break
            case .add(let grant): try Self.write(grant, grant.name, query)
            case .withdraw(let name, let made): try Self.withdraw(name, made: made, query)
            }
            _ = try query.firstValue("COMMIT")
            return result
        }
    }

    package func waiting(now: Int64) throws(DeviceStoreFailure) -> [WaitingCode] {
        let rows = try asking { query throws(PostgresFailure) in
            try query.rows(
                "SELECT document FROM \(Self.codeTable) WHERE waits AND ends > $1::bigint", [Self.text(now)])
        }
        return rows.compactMap { $0.first.flatMap { Self.decode(WaitingCode.self, $0) } }
            .filter { $0.isWaiting(now) }.sorted { $0.made < $1.made }
    }

    package func addPasscode(_ digest: TokenDigest, ends: Int64, now: Int64) throws(DeviceStoreFailure) {
        try asking { query throws(PostgresFailure) in
            _ = try query.rows(
                "INSERT INTO \(Self.codeTable) (device, user_code, address, waits, ends, document) VALUES ($1, '', '', false, $2::bigint, '')",
                [Self.text("passcode:" + digest.hexadecimal), Self.text(ends)])
        }
    }

    package func takePasscode(_ digest: TokenDigest, now: Int64) throws(DeviceStoreFailure) -> Bool {
        try asking { query throws(PostgresFailure) in
            let rows = try query.rows(
                "DELETE FROM \(Self.codeTable) WHERE device = $1 AND ends > $2::bigint RETURNING device",
                [Self.text("passcode:" + digest.hexadecimal), Self.text(now)])
            return !rows.isEmpty
        }
    }

    package func deny(customer: String, ends: Int64, now: Int64) throws(DeviceStoreFailure) {
        try asking { query throws(PostgresFailure) in
            _ = try query.rows(
                """
                INSERT INTO \(Self.codeTable) (device, user_code, address, waits, ends, document)
                    VALUES ($1, '', '', false, $2::bigint, '') ON CONFLICT (device) DO UPDATE SET ends = excluded.ends
                """, [Self.text("denied:" + customer), Self.text(ends)])
        }
    }

    package func tidy(now: Int64) throws(DeviceStoreFailure) {
        try asking { query throws(PostgresFailure) in
            _ = try query.rows("DELETE FROM \(Self.codeTable) WHERE ends <= $1::bigint", [Self.text(now)])
            // The newest row stays: by its revision others find out that something has changed.
            _ = try query.rows(
                """
                DELETE FROM \(Self.grantTable) WHERE ends <= $1::bigint
                    AND revision < (SELECT max(revision) FROM \(Self.grantTable))
                """, [Self.text(now - Self.keptSeconds)])
        }
    }

    // MARK: Grants

    package func changeGrant<R>(_ key: GrantKey, _ body: (inout Grant?) -> R) throws(DeviceStoreFailure) -> R? {
        let (condition, value) =
            switch key {
            case .alias(let digest), .refresh(let digest): ("$1 = ANY (keys)", digest.hexadecimal)
            case .name(let name): ("name = $1", name)
            }
        return try asking { query throws(PostgresFailure) in
            _ = try query.firstValue("BEGIN")
            try Self.lock(Self.grantTable, query)
            let rows = try query.rows(
                "SELECT document FROM \(Self.grantTable) WHERE document IS NOT NULL AND \(condition)",
                [Self.text(value)])
            guard let bytes = rows.first?.first, let found = Self.decode(Grant.self, bytes), key.matches(found) else {
                return nil
            }
            var grant: Grant? = found
            let result = body(&grant)
            if grant != found { try Self.write(grant, found.name, query) }
            _ = try query.firstValue("COMMIT")
            return result
        }
    }

    package func grants() throws(DeviceStoreFailure) -> [Grant] {
        let rows = try asking { query throws(PostgresFailure) in
            try query.rows("SELECT document FROM \(Self.grantTable) WHERE document IS NOT NULL ORDER BY name")
        }
        return rows.compactMap { $0.first.flatMap { Self.decode(Grant.self, $0) } }
    }

    package func revision() throws(DeviceStoreFailure) -> [Int64] {
        let value = try asking { query throws(PostgresFailure) in
            try query.firstValue("SELECT coalesce(max(revision), 0)::text FROM \(Self.grantTable)")
        }
        return [value.flatMap { Int64(String(decoding: $0, as: UTF8.self)) } ?? 0]
    }

    /// Writes a grant, or that there is none of this name any more. The lock makes revisions rise in the order in which
    /// others see them.
    private static func write(_ grant: Grant?, _ name: String, _ query: PostgresQuery) throws(PostgresFailure) {
        try lock(grantTable, query)
        let next = "(SELECT coalesce(max(revision), 0) + 1 FROM \(grantTable))"
        guard let grant else {
            _ = try query.rows(
                "UPDATE \(grantTable) SET document = NULL, keys = '{}', revision = \(next) WHERE name = $1",
                [text(name)])
            return
        }
        let keys = (grant.aliases.map(\.digest) + grant.refresh.map(\.digest)).joined(separator: " ")
        _ = try query.rows(
            """
            INSERT INTO \(grantTable) (name, keys, ends, revision, document)
            VALUES ($1, string_to_array($2, ' '), $3::bigint, \(next), $4)
            ON CONFLICT (name) DO UPDATE
                SET keys = excluded.keys, ends = excluded.ends, revision = excluded.revision, document = excluded.document
            """, [text(name), text(keys), text(grant.ends), json(grant)])
    }

    private static func withdraw(_ name: String, made: Int64, _ query: PostgresQuery) throws(PostgresFailure) {
        try lock(grantTable, query)
        let rows = try query.rows(
            "SELECT document FROM \(grantTable) WHERE document IS NOT NULL AND name = $1", [text(name)])
        guard let bytes = rows.first?.first, decode(Grant.self, bytes)?.made == made else { return }
        try write(nil, name, query)
    }

    /// The names that other grants have, when one is about to be made: until the transaction ends nobody else makes any.
    private static func namesToAvoid(
        _ code: WaitingCode, _ now: Int64, _ query: PostgresQuery
    ) throws(PostgresFailure) -> Set<String> {
        guard case .approved(let plan) = code.state else { return [] }
        try lock(grantTable, query)
        // Another one of the same beginning may be all that is free.
        let rows = try query.rows(
            "SELECT name FROM \(grantTable) WHERE document IS NOT NULL AND ends > $1::bigint AND left(name, length($2)) = $2",
            [text(now), text(plan.name)])
        return Set(rows.compactMap { $0.first.map { String(decoding: $0, as: UTF8.self) } })
    }

    private static func lock(_ name: String, _ query: PostgresQuery) throws(PostgresFailure) {
        _ = try query.rows("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [text(name)])
    }

    private func asking<R>(_ body: (PostgresQuery) throws(PostgresFailure) -> R) throws(DeviceStoreFailure) -> R {
        do throws(DatabaseError) {
            return try client.ask(until: Clock.now + Self.callTime, body)
        } catch {
            throw DeviceStoreFailure(
                error.kind == .tableMissing
                    ? "tables \(Self.codeTable) and \(Self.grantTable): create them with `sentry-api-proxy auth init-db`"
                    : "tables \(Self.codeTable) and \(Self.grantTable): \(error.message)",
                isPassing: error.kind == .unreachable || error.kind == .timeout)
        }
    }

    private static func text(_ value: some CustomStringConvertible) -> Secret { Secret(Array("\(value)".utf8)) }

    private static func json(_ value: some Encodable) -> Secret {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings, numbers and arrays of them: nothing that JSON cannot hold.
        return Secret((try? encoder.encode(value)).map { Array($0) } ?? [])
    }

    private static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) -> Value? {
        try? JSONDecoder().decode(type, from: Data(bytes))
    }
}
