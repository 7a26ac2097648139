import Foundation
import Testing

@testable import TokenStore

/// A line of Tests/Fixtures/connection-strings.
struct ConnectionStringCase: Decodable, Sendable, CustomTestStringConvertible {
    let string: String
    let refused: String?
    let places: [String]?
    let user: String?
    let database: String?
    let password: String?
    let sslmode: String?
    let options: String?
    let keywords: [String: String]?
    let connectTimeout: UInt64?
    let targetSessionAttributes: String?
    let note: String?

    enum CodingKeys: String, CodingKey {
        case string, refused, places, user, database, password, sslmode, options, keywords, note
        case connectTimeout = "connect_timeout"
        case targetSessionAttributes = "target_session_attrs"
    }

    var testDescription: String { string.debugDescription }

    static let all: [ConnectionStringCase] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures/connection-strings/pgx.jsonl")
        let text = try! String(contentsOf: file, encoding: .utf8)
        return text.split(separator: "\n").map { try! JSONDecoder().decode(Self.self, from: Data($0.utf8)) }
    }()
}

@Suite struct ConnectionStringTests {
    func keywords(_ string: String) throws -> [String: String] {
        Dictionary(
            uniqueKeysWithValues: try ConnectionString(string).keywords.map { keyword in
                (
                    keyword.name,
                    keyword.value.withBytes { bytes in
                        String(decoding: (0..<bytes.count).map { bytes[$0] }, as: UTF8.self)
                    }
                )
            })
    }

    @Test func thereAreAllOfThem() { #expect(ConnectionStringCase.all.count == 80) }

    @Test(arguments: ConnectionStringCase.all) func meansWhatItMeansToPgx(_ expected: ConnectionStringCase) throws {
        if let refused = expected.refused {
            let said = try #require(message(expected.string), "it is to be refused")
            #expect(said.contains(refused), "\(said)")
            return
        }
        let found = try ConnectionString(expected.string)
        #expect(found.hosts.map { "\($0.name):\($0.port)" } == expected.places)
        var rest = try keywords(expected.string)
        for name in ["host", "port", "target_session_attrs", "connect_timeout"] { rest[name] = nil }
        #expect(rest.removeValue(forKey: "user") == expected.user)
        #expect(rest.removeValue(forKey: "dbname") == expected.database)
        #expect(rest.removeValue(forKey: "password") == expected.password)
        #expect(rest.removeValue(forKey: "options") == expected.options)
        #expect(rest.removeValue(forKey: "sslmode") ?? "prefer" == expected.sslmode)
        #expect(rest == expected.keywords ?? [:])
        #expect(found.connectTimeoutSeconds == expected.connectTimeout)
        #expect(found.targetSessionAttributes == expected.targetSessionAttributes ?? "any")
        #expect(found.notes.count == (expected.note == nil ? 0 : 1), "\(found.notes)")
        if let note = expected.note { #expect(found.notes.contains { $0.contains(note) }, "\(found.notes)") }
    }

    @Test func pgxParametersAreTakenOut() throws {
        let url = try ConnectionString(
            "postgres://u:p@h/db?pool_max_conns=10&default_query_exec_mode=simple_protocol&pool_min_conns=0")
        #expect(url.keywords.map(\.name).sorted() == ["dbname", "host", "password", "user"])
        #expect(url.execMode == .simpleProtocol)
        #expect(url.ignored == ["pool_max_conns", "pool_min_conns"])
        let pairs = try keywords(
            "statement_cache_capacity=0 host=h description_cache_capacity=512 pool_max_conn_lifetime=1h30m "
                + "pool_max_conn_idle_time=30m pool_health_check_period=500ms pool_max_conn_lifetime_jitter=0 "
                + "statement_cache_mode=describe min_read_buffer_size=4096 default_query_exec_mode='exec'")
        #expect(pairs == ["host": "h"])
        for mode in QueryExecMode.allCases {
            #expect(try ConnectionString("default_query_exec_mode=\(mode.rawValue)").execMode == mode)
        }
        #expect(try ConnectionString("").execMode == .cacheStatement)
    }

    @Test func settingsOfTheServerAreEscaped() throws {
        #expect(
            try keywords(#"options='-c a=b' search_path='a, b\\c' DateStyle=ISO my.setting=1"#)["options"]
                == #"-c a=b -c search_path=a,\ b\\c -c DateStyle=ISO -c my.setting=1"#)
    }

    func message(_ string: String) -> String? {
        do throws(ConnectionStringError) {
            _ = try ConnectionString(string)
            return nil
        } catch {
            return error.message
        }
    }

    @Test func refusals() {
        let ports = "parameter 'port': expected ports from 1 to 65535, separated by commas"
        let neither =
            "not a connection string: expected name=value or a URL that begins with postgres:// or postgresql://, but item 1 is neither"
        let cases: [(String, String)] = [
            ("host=h foo=1", "unknown parameter 'foo'; expected a parameter of libpq, pgx or the server"),
            ("postgres://u:p@h/db?foo=1", "unknown parameter 'foo'; expected a parameter of libpq, pgx or the server"),
            ("servicefile=/a", "unknown parameter 'servicefile'; set the variable PGSERVICEFILE instead"),
            ("ssl=true", "unknown parameter 'ssl'; expected a parameter of libpq, pgx or the server"),
            (
                "default_query_exec_mode=fast",
                "parameter 'default_query_exec_mode': expected one of cache_statement, cache_describe, describe_exec, exec, simple_protocol"
            ),
            ("pool_max_conns=0", "parameter 'pool_max_conns': expected a number, 1 or more"),
            (
                "pool_max_conn_lifetime=5",
                "parameter 'pool_max_conn_lifetime': expected a duration such as 1h30m or 500ms"
            ),
            (
                "sslmode=on",
                "parameter 'sslmode': expected one of disable, allow, prefer, require, verify-ca, verify-full"
            ),
            ("postgres://h:1,g:65536/db", ports), ("port=0", ports), ("port=+5", ports), ("host=a,b port=1,", ports),
            ("connect_timeout=soon", "parameter 'connect_timeout': expected a number of seconds, 0 or more"),
            ("hostaddr=h", "parameter 'hostaddr': expected numeric addresses, separated by commas"),
            (
                "ssl_min_protocol_version=3",
                "parameter 'ssl_min_protocol_version': expected one of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"
            ),
            ("keepalives_idle=x", "parameter 'keepalives_idle': expected a number"),
            ("host=a,,b", "parameter 'host': expected no empty name in its list"),
            ("host=a,b port=1,2,3", "could not match 3 port numbers to 2 hosts"),
            ("host=a,b,c port=1,2", "could not match 2 port numbers to 3 hosts"),
            ("postgres://a:1,b:2,c:3/db?host=d,e", "could not match 3 port numbers to 2 hosts"),
            ("service=nosuch", "definition of service \"nosuch\" not found"),
            ("host", neither), ("mysql://u:secretword@h/db", neither), ("mysql://u:secretword@h/db?a=b", neither),
            ("host=h port", "not a connection string: expected name=value, but item 2 is none"),
            ("host=h password='x", "not a connection string: item 2 has no closing quote"),
            ("host=h password=x\\", "not a connection string: item 2 ends with a backslash"),
            ("postgres://h/db\u{7F}", "not a connection string: it contains a control character"),
        ]
        for (string, expected) in cases { #expect(message(string) == expected) }
        #expect(message("sslmode=require sslmode=disable") == nil)
    }

    /// As pgx has them; other places are in the fixture.
    @Test func repeatedAndMissingValues() throws {
        #expect(try keywords("user=a user=b")["user"] == "b")
        #expect(try keywords("postgres://h/?user=a&user=b")["user"] == "a")
        #expect(
            try keywords("postgres://h/?sslmode&connect_timeout=&dbname=&sslmode=disable").keys.sorted() == ["host"])
        #expect(message("postgres://h:5,:6/") == "could not match 2 port numbers to 1 hosts")
        let hosts = try ConnectionString("host=a,b port=7").hosts
        #expect(hosts.map(\.port) == ["7", "7"])
    }

    @Test func noRefusalShowsAPassword() throws {
        let strings = [
            "postgres://u:hunter%zz2@h/db", "postgres://u:hunter2%@h/db", "postgres://u:hunter2@[::1/db",
            "postgres://u:hunter2@h:bad/db?hunter2", "postgres://u:hunter2/x@h/db", "postgres://u:x@hunter2/x@h/db",
            "postgres://u:x@y?hunter2=1@h/db", "postgres://u:x@y#hunter2@h/db", "postgres://u:x@y?a=1&hunter2.x=1@h/db",
            "postgres://u:a?hunter2@h/db", "postgres://u:hunter2 x@h/db", "postgres://u:hunter2@[::1]x/db",
            "password=x hunter2", "password=x hunter2!=1", "password='hunter2", "user=u password=hunter2 =",
            "postgres://u:p/hunter2?@h/db=hunter2", "password=hunter2 foo=1", "password=correct hunter2=battery",
            "password=correct hunter2.x=battery", "host=a password=correct hunter2 dbname=b",
            "postgres://u:x@h/%zzhunter2", "password=hunter2 sslmode=hunter2", "default_query_exec_mode=hunter2",
            "postgres://u:x@y?sslmode=hunter2@h/db", "postgres://u:x@y?hunter2@h/db",
            "postgres://u:x@y?user=a&user=hunter2@h/db",
        ]
        for string in strings {
            let refusal = try #require(message(string), "\(string)")
            #expect(!refusal.contains("hunter"), "\(refusal)")
            #expect(!refusal.contains("\n"))
        }
        let good = try ConnectionString("postgres://u:hunter2@h/db")
        var dumped = ""
        dump(good, to: &dumped)
        #expect(!"\(good) \(dumped) \(String(reflecting: good))".contains("hunter2"))
        #expect(good.withoutPassword("a hunter2 b hunter2") == "a … b …")
    }

    @Test func goDurations() {
        for good in ["0", "1s", "-1s", "1h30m", "1.5h", ".5s", "100ms", "1us", "1µs", "3ns"] {
            #expect(PgxParameters.isGoDuration(good), "\(good)")
        }
        for bad in ["", "1", "s", "1x", "1.2.3s", "-", ".s", "1s2", "one"] {
            #expect(!PgxParameters.isGoDuration(bad), "\(bad)")
        }
    }

    @Test func quotedTextIsTakenOutOfLibpqsWords() {
        #expect(withoutQuotedText("bad token: \"a\"b\" here\nmore") == "bad token: \"…\" here")
        #expect(withoutQuotedText("plain") == "plain")
    }

    @Test func sqlStates() {
        #expect(sqlState(in: "connection to server failed: FATAL:  28P01: password\nLOCATION:  a") == "28P01")
        #expect(sqlState(in: "server does not support SSL") == nil)
        #expect(sqlState(in: "a: FATAL:  57P03: x\nb: FATAL:  28000: y") == "28000")
        #expect(meaning(ofSQLState: "28000") == .authentication)
        #expect(meaning(ofSQLState: "08P01") == .unreachable)
        #expect(meaning(ofSQLState: "3D000") == .databaseMissing)
        #expect(meaning(ofSQLState: "42501") == .permission)
        #expect(meaning(ofSQLState: "XX000") == .other(sqlState: "XX000"))
    }
}
