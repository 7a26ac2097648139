import Testing

@testable import TokenStore

@Suite struct ConnectionStringTests {
    func libpq(_ string: String) throws -> String? { text(try ConnectionString(string).forLibpq) }

    @Test func formsThatGoThrough() throws {
        let asTheyAre = [
            "", "postgres://", "postgresql:///db", "postgres://u@h", "postgres://u:p%40ss@h:5432/db?sslmode=require",
            "postgres://u:p?x@h/db", "postgres://%2Fvar%2Frun/db", "postgres://a:1,b:2/db?target_session_attrs=any",
            "postgres://[::1]:5432/db", "postgres:///db?host=/run&port=5433", "postgres://h/db?ssl=true",
        ]
        for string in asTheyAre { #expect(try libpq(string) == string) }
        #expect(try libpq("host=h  user = u") == "host='h' user='u'")
        #expect(try libpq(#"password='it\'s a \\ one' host=/run"#) == #"password='it\'s a \\ one' host='/run'"#)
        #expect(try libpq(#"password=a\ b"#) == "password='a b'")
        #expect(try libpq("password=''") == "password=''")
        #expect(try libpq("password= user=u") == "password='user=u'")
        #expect(try libpq("database=sentry") == "dbname='sentry'")
        #expect(try libpq("host=a,b port=1,2 user=u") == "host='a,b' port='1,2' user='u'")
    }

    @Test func pgxParametersAreTakenOut() throws {
        let url = try ConnectionString(
            "postgres://u:p@h/db?pool_max_conns=10&sslmode=disable&default_query_exec_mode=simple_protocol&pool_min_conns=0"
        )
        #expect(text(url.forLibpq) == "postgres://u:p@h/db?sslmode=disable")
        #expect(url.execMode == .simpleProtocol)
        #expect(url.ignored == ["pool_max_conns", "pool_min_conns"])
        #expect(try libpq("postgres://h/db?pool%5Fmax_conns=10") == "postgres://h/db")
        let pairs = try ConnectionString(
            "statement_cache_capacity=0 host=h description_cache_capacity=512 pool_max_conn_lifetime=1h30m "
                + "pool_max_conn_idle_time=30m pool_health_check_period=500ms pool_max_conn_lifetime_jitter=0 "
                + "default_query_exec_mode='exec'")
        #expect(text(pairs.forLibpq) == "host='h'")
        #expect(pairs.execMode == .exec)
        for mode in QueryExecMode.allCases {
            #expect(try ConnectionString("default_query_exec_mode=\(mode.rawValue)").execMode == mode)
        }
        #expect(try ConnectionString("").execMode == .cacheStatement)
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
        let cases: [(String, String)] = [
            ("host=h foo=1", "unknown parameter 'foo'; expected a parameter of libpq or pgx"),
            (
                "postgres://h/db?search_path=x",
                "unknown parameter 'search_path'; a setting of the server goes into options='-c search_path=VALUE'"
            ),
            ("servicefile=/a", "unknown parameter 'servicefile'; set the variable PGSERVICEFILE instead"),
            ("ssl=true", "unknown parameter 'ssl'; expected a parameter of libpq or pgx"),
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
            ("postgres://h:bad/db", "parameter 'port': expected ports from 1 to 65535, separated by commas"),
            ("postgres://h:1,g:65536/db", "parameter 'port': expected ports from 1 to 65535, separated by commas"),
            ("port=0", "parameter 'port': expected ports from 1 to 65535, separated by commas"),
            ("connect_timeout=soon", "parameter 'connect_timeout': expected a number of seconds"),
            (
                "postgres://h/db?sslmode=require&sslmode=disable",
                "parameter 'sslmode' is given twice with different values"
            ),
            ("host", "not a connection string: expected name=value or a URL, but item 1 is neither"),
            (
                "mysql://u:secretword@h/db",
                "not a connection string: expected name=value or a URL, but item 1 is neither"
            ),
            ("host=h password='x", "not a connection string: item 2 has no closing quote"),
            ("postgres://h/db?sslmode", "not a connection string: parameter 1 of its query has no '='"),
            (
                "postgres://h/db?sslmode=%zz",
                "not a connection string: parameter 1 of its query has a bad percent-encoding"
            ),
        ]
        for (string, expected) in cases { #expect(message(string) == expected) }
        #expect(message("postgres://h/db?sslmode=require&sslmode=require") == nil)
        #expect(message("sslmode=require sslmode=disable") == nil)
    }

    @Test func noRefusalShowsAPassword() throws {
        let strings = [
            "postgres://u:hunter%zz2@h/db", "postgres://u:hunter2%@h/db", "postgres://u:hunter2@[::1/db",
            "postgres://u:hunter2@h/db?a=b=hunter2", "postgres://u:hunter2@h:bad/db?hunter2",
            "password=x hunter2", "password=x hunter2!=1", "password='hunter2", "user=u password=hunter2 =",
            "postgres://u:p/hunter2?@h/db=hunter2", "postgres://u:hunter2@[::1]x/db", "password=hunter2 foo=1",
            "postgres://u:x@h/%zzhunter2", "password=hunter2 sslmode=hunter2", "default_query_exec_mode=hunter2",
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
