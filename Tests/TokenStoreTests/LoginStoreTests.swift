import Foundation
import Synchronization
internal import System
import Testing

@testable import TokenStore

final class Recorded: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ path: String, _ form: String) { lines.withLock { $0.append("\(path)?\(form)") } }
}

@Suite struct FileLoginStoreTests {
    let folder = TemporaryFolder()
    var store: FileLoginStore { FileLoginStore(folder: folder.file("a/b")) }

    func put(_ login: Login?, _ origin: String = "https://a") throws {
        _ = try store.change(origin, deadline: deadline(seconds: 5)) { $0 = login }
    }

    func mode(_ path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0
    }

    @Test func nothingIsStoredAtFirstAndNothingIsMadeByReading() throws {
        #expect(try store.read().document == LoginDocument())
        #expect(!FileManager.default.fileExists(atPath: folder.file("a")))
    }

    @Test func whatIsChangedIsReadAndModesAreTight() throws {
        try put(login("one"))
        try put(login("two"), "https://b")
        #expect(try store.read().document.logins == ["https://a": login("one"), "https://b": login("two")])
        #expect(mode(folder.file("a/b")) == 0o700 && mode(store.place) == 0o600)
        try put(nil)
        #expect(try store.read().document.logins == ["https://b": login("two")])
        #expect(!FileManager.default.fileExists(atPath: store.place + ".new"))
    }

    @Test func aChangeThatChangesNothingWritesNothing() async throws {
        try put(login())
        let stamp = try store.read().stamp
        try put(login())
        #expect(try store.read().stamp == stamp)
        #expect(await store.hasChanged(since: stamp, "https://a") == false)
        try put(login("other"))
        #expect(await store.hasChanged(since: stamp, "https://a"))
    }

    @Test func theStampOfAChangeIsTheOneThatIsRead() throws {
        let (_, stamp) = try store.change("https://a", deadline: deadline(seconds: 5)) { $0 = login() }
        #expect(try store.read().stamp == stamp)
    }

    @Test(arguments: [0o640, 0o604, 0o620, 0o666])
    func aFileThatOthersMayUseIsRefused(mode: Int) throws {
        try put(login())
        chmod(store.place, mode_t(mode))
        #expect(throws: LoginStoreError.fileTooOpen) { try store.read() }
        #expect(throws: LoginStoreError.fileTooOpen) { try put(nil) }
        #expect(self.mode(store.place) == mode_t(mode))
    }

    @Test func aFolderThatOthersMayUseIsRefused() throws {
        try put(login())
        chmod(folder.file("a/b"), 0o755)
        #expect(throws: LoginStoreError.folderTooOpen) { try store.read() }
        #expect(throws: LoginStoreError.folderTooOpen) { try put(nil) }
    }

    @Test func aLeftoverOfAKilledProcessIsNoTrouble() throws {
        try put(login())
        folder.write("half a docu", to: "a/b/logins.json.new")
        try put(login("next"))
        #expect(try store.read().document.logins["https://a"] == login("next"))
    }

    @Test func whatAKilledProcessHadWrittenWholeIsTakenOver() throws {
        try put(login())
        let next = LoginDocument(logins: ["https://a": login("next"), "https://b": login("b")]).encode()
        // Cut anywhere it is not a document; the byte after the last is the end of the line.
        for count in stride(from: 0, to: next.count - 1, by: 7) {
            folder.write(String(decoding: next[..<count], as: UTF8.self), to: "a/b/logins.json.new")
            #expect(try store.change("https://a", deadline: deadline(seconds: 5)) { $0 }.0 == login())
        }
        folder.write(String(decoding: next + [0, 0, 0], as: UTF8.self), to: "a/b/logins.json.new")
        #expect(try store.change("https://a", deadline: deadline(seconds: 5)) { $0 }.0 == login("next"))
        #expect(try store.read().document.logins["https://b"] == login("b"))
        #expect(FileManager.default.contents(atPath: store.place).map { Array($0) } == next)
        #expect(!FileManager.default.fileExists(atPath: store.place + ".new"))
    }

    @Test func oneThatWaitsTooLongForTheLockIsTold() throws {
        try put(login())
        let descriptor = open(folder.file("a/b/lock"), O_RDWR | O_CLOEXEC)
        defer { close(descriptor) }
        #expect(flock(descriptor, LOCK_EX) == 0)
        let soon = Clock.now + .milliseconds(50)
        #expect(throws: LoginStoreError.locked) {
            _ = try store.change("https://a", deadline: soon) { $0 = nil }
        }
        #expect(try store.read().document.logins["https://a"] == login())
    }

    @Test func manyWritersLoseNoChange() async throws {
        try put(login("0"))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask { [store] in
                    _ = await onOwnThread(within: .seconds(30)) {
                        for _ in 0..<10 {
                            _ = try? store.change("https://a", deadline: deadline(seconds: 20)) { login in
                                let count = Int(text(login?.accessToken) ?? "") ?? -1
                                login?.accessToken = secret("\(count + 1)")
                            }
                        }
                    }
                }
            }
        }
        #expect(text(try store.read().document.logins["https://a"]?.accessToken) == "40")
    }
}

/// A store that fails to keep what it is given, when told so.
final class FakeLoginStore: LoginStore {
    let place = "here"
    struct State {
        var login: Login?
        var revision: Int64 = 0
        var failsToWrite = false
        var writes: [String] = []
    }
    let state: Mutex<State>

    init(_ login: Login?) { state = Mutex(State(login: login)) }

    var stored: Login? { state.withLock { $0.login } }

    func read() throws(LoginStoreError) -> StoredLogins {
        let (login, revision) = state.withLock { ($0.login, $0.revision) }
        return StoredLogins(
            document: LoginDocument(logins: login.map { ["https://a": $0] } ?? [:]),
            stamp: LoginStamp(parts: [revision]))
    }

    func change<R>(
        _ origin: String, deadline: Instant, _ body: (inout Login?) -> R
    ) throws(LoginStoreError) -> (R, LoginStamp) {
        var login = stored
        let result = body(&login)
        if login != stored {
            guard !state.withLock({ $0.failsToWrite }) else { throw .notWritable(ENOSPC) }
            state.withLock {
                $0.login = login
                $0.revision += 1
                $0.writes.append(text(login?.accessToken) ?? "")
            }
        }
        return (result, LoginStamp(parts: [state.withLock { $0.revision }]))
    }

    func hasChanged(since stamp: LoginStamp, _ origin: String) async -> Bool {
        stamp != LoginStamp(parts: [state.withLock { $0.revision }])
    }
}

@Suite struct LoginSourceTests {
    /// An authorization server that takes each refresh token once.
    final class Rotation: Sendable {
        let calls = Mutex(0)
        let answer = Mutex<(status: Int, body: String)?>(nil)
        var count: Int { calls.withLock { $0 } }

        var client: OAuthClient {
            OAuthClient { [self] _, form in
                let number = calls.withLock {
                    $0 += 1
                    return $0
                }
                if let told = answer.withLock({ $0 }) {
                    return .success(OAuthReply(status: told.status, body: Array(told.body.utf8)))
                }
                let body = #"{"access_token":"access\#(number)","refresh_token":"refresh\#(number)","expires_in":100}"#
                return .success(OAuthReply(status: 200, body: Array(body.utf8)))
            }
        }
    }

    let rotation = Rotation()

    func source(_ store: FakeLoginStore, now: Int64) -> LoginSource {
        LoginSource(store: store, upstream: "https://a", client: rotation.client, now: { now })
    }

    func fetch(_ source: LoginSource, _ cause: FetchCause, _ current: String?) async throws -> String? {
        text(try await source.fetch(FetchRequest(cause: cause, current: current.map(secret))).token)
    }

    @Test func whatIsDueIsRefreshedAndStored() async throws {
        let store = FakeLoginStore(login())
        let source = source(store, now: 95_000)
        #expect(try await fetch(source, .start, nil) == "access")
        #expect(rotation.count == 0)
        #expect(try await fetch(source, .refresh, "access") == "access1")
        #expect(store.state.withLock { $0.writes } == ["access1"])
        #expect(store.stored?.expiresAt == 195_000 && store.stored?.scopes == ["org:read"])
        #expect(await source.hasChanged() == false)
    }

    @Test func theBrokerComesBackWhenATenthIsLeft() async throws {
        let fetched = try await source(FakeLoginStore(login()), now: 50_000)
            .fetch(FetchRequest(cause: .start, current: nil))
        #expect(fetched.refreshAfter == .seconds(40))
        let refused = try await source(FakeLoginStore(login(refused: true)), now: 50_000)
            .fetch(FetchRequest(cause: .start, current: nil))
        #expect(refused.refreshAfter == .zero)
    }

    @Test func whatCannotBeStoredIsNotUsedAndNotLost() async throws {
        let store = FakeLoginStore(login())
        let source = source(store, now: 95_000)
        store.state.withLock { $0.failsToWrite = true }
        for _ in 0..<3 {
            await #expect(throws: TokenSourceError.loginStore(.notWritable(ENOSPC))) {
                try await fetch(source, .refresh, "access")
            }
        }
        // Its refresh token was used once and not three times.
        #expect(rotation.count == 1)
        store.state.withLock { $0.failsToWrite = false }
        #expect(try await fetch(source, .retry, "access") == "access1")
        #expect(rotation.count == 1 && text(store.stored?.refreshToken) == "refresh1")
    }

    @Test func aSignInThatCameMeanwhileWinsOverWhatCouldNotBeStored() async throws {
        let store = FakeLoginStore(login())
        let source = source(store, now: 95_000)
        store.state.withLock { $0.failsToWrite = true }
        _ = try? await fetch(source, .refresh, "access")
        store.state.withLock {
            $0.failsToWrite = false
            $0.login = login("other", refresh: "other", obtainedAt: 95_000, expiresAt: 195_000)
        }
        #expect(try await fetch(source, .retry, "access") == "other")
        #expect(rotation.count == 1)
    }

    @Test(arguments: ["invalid_grant", "invalid_client", "invalid_request"])
    func aRefusalIsStoredAndTheServerNotAskedAgain(code: String) async throws {
        let store = FakeLoginStore(login())
        rotation.answer.withLock { $0 = (400, #"{"error":"\#(code)"}"#) }
        let source = source(store, now: 95_000)
        for _ in 0..<5 {
            await #expect(throws: TokenSourceError.signInAgain) { try await fetch(source, .refresh, "access") }
        }
        #expect(rotation.count == 1 && store.stored?.isRefused == true)
        await #expect(throws: TokenSourceError.signedOut) { try await fetch(source, .renewal, "access") }
        #expect(rotation.count == 1)
    }

    @Test(arguments: [(500, "{}"), (429, ""), (404, "<html>"), (200, "{}"), (400, #"{"error":"slow_down"}"#)])
    func troubleIsNoRefusal(status: Int, body: String) async throws {
        let store = FakeLoginStore(login())
        rotation.answer.withLock { $0 = (status, body) }
        await #expect(throws: TokenSourceError.loginUnavailable) {
            try await fetch(source(store, now: 95_000), .refresh, "access")
        }
        #expect(store.stored == login())
    }

    @Test func nobodySignedIn() async {
        await #expect(throws: TokenSourceError.signedOut) {
            try await fetch(source(FakeLoginStore(nil), now: 0), .start, nil)
        }
    }

    @Test func theBrokerGivesUpATokenThatIsOver() async throws {
        let store = FakeLoginStore(login())
        let publisher = TokenPublisher(initial: initialSnapshot(kind: .login))
        let broker = TokenBroker(
            source: source(store, now: 50_000), publisher: publisher, clock: VirtualClock(), log: { _ in }, wake: {})
        await broker.reload()
        #expect(publisher.current().health == .ready)
        store.state.withLock { $0.login = nil }
        await broker.reload()
        #expect(publisher.current().token == nil && publisher.current().health == .missing(.signedOut))
        store.state.withLock { $0.login = login("again") }
        await broker.reload()
        #expect(text(publisher.current().token) == "again" && publisher.current().health == .ready)
    }
}

@Suite(
    .enabled(if: PostgresCluster.isInstalled, "needs PostgreSQL and PgBouncer"), .serialized, PostgresTrait()
)
struct PostgresLoginStoreTests {
    func store(throughBouncer: Bool = false) throws -> PostgresLoginStore {
        let cluster = try #require(PostgresCluster.current)
        return PostgresLoginStore(
            connectionString: try throughBouncer ? cluster.string(port: cluster.bouncerPort) : cluster.string())
    }

    func reset() throws {
        try #require(PostgresCluster.current).sql("DROP TABLE IF EXISTS \(PostgresLoginStore.table)")
    }

    @Test(arguments: [false, true]) func aTableIsMadeChangedAndRead(throughBouncer: Bool) throws {
        try reset()
        let store = try store(throughBouncer: throughBouncer)
        #expect(throws: LoginStoreError.tableMissing) { try store.read() }
        try store.createTable()
        try store.createTable()
        #expect(try store.read().document == LoginDocument())
        let quoted = login("to'ken\"\\x")
        let (_, stamp) = try store.change("https://a", deadline: deadline(seconds: 5)) { $0 = quoted }
        _ = try store.change("https://b", deadline: deadline(seconds: 5)) { $0 = login("two") }
        #expect(try store.read().document.logins == ["https://a": quoted, "https://b": login("two")])
        #expect(try store.read().stamp != stamp)
        _ = try store.change("https://a", deadline: deadline(seconds: 5)) { $0 = nil }
        #expect(try store.read().document.logins == ["https://b": login("two")])
    }

    @Test func aLoginThatIsRemovedAndMadeAgainIsNotTheSame() throws {
        try reset()
        let store = try store()
        try store.createTable()
        let (_, first) = try store.change("https://a", deadline: deadline(seconds: 5)) { $0 = login("1") }
        _ = try store.change("https://a", deadline: deadline(seconds: 5)) { $0 = nil }
        let (_, second) = try store.change("https://a", deadline: deadline(seconds: 5)) { $0 = login("2") }
        #expect(try first != second && store.read().stamp == second)
    }

    @Test func oneChangesAtATime() async throws {
        try reset()
        let store = try store()
        try store.createTable()
        _ = try store.change("https://a", deadline: deadline(seconds: 5)) { $0 = login("0") }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    _ = await onOwnThread(within: .seconds(60)) {
                        for _ in 0..<5 {
                            _ = try? store.change("https://a", deadline: deadline(seconds: 30)) { login in
                                let count = Int(text(login?.accessToken) ?? "") ?? -1
                                login?.accessToken = secret("\(count + 1)")
                            }
                        }
                    }
                }
            }
        }
        #expect(text(try store.read().document.logins["https://a"]?.accessToken) == "20")
    }

    @Test func othersAreNotified() async throws {
        try reset()
        let cluster = try #require(PostgresCluster.current)
        let writer = try store()
        try writer.createTable()
        // Looks once, then not before an hour has passed, unless it is told.
        let reader = PostgresLoginStore(
            connectionString: try cluster.string(), lookPeriod: .seconds(3_600))
        let stamp = try reader.read().stamp
        #expect(await reader.hasChanged(since: stamp, "https://a") == false)
        let listens = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT 1' AND state = 'idle'"
        #expect(await eventually { (try? cluster.sql(listens)) == "1" })
        // The listener's first words are that something may have been missed.
        #expect(await reader.hasChanged(since: stamp, "https://a") == false)
        _ = try writer.change("https://a", deadline: deadline(seconds: 5)) { $0 = login() }
        #expect(await eventually { await reader.hasChanged(since: stamp, "https://a") })
        let next = try reader.read().stamp
        #expect(await reader.hasChanged(since: next, "https://a") == false)
    }

    @Test func aDatabaseThatIsAwayIsAnError() throws {
        let nowhere = PostgresLoginStore(connectionString: try ConnectionString("host=/nonexistent user=x dbname=x"))
        #expect(throws: LoginStoreError.database(.unreachable)) { try nowhere.read() }
    }
}
