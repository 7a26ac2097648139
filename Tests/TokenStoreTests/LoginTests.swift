import System
import Testing

@testable import TokenStore

func login(
    _ access: String = "access", refresh: String? = "refresh", obtainedAt: Int64 = 0, expiresAt: Int64? = 100_000,
    refused: Bool = false
) -> Login {
    Login(
        clientID: "client", accessToken: secret(access), refreshToken: refresh.map(secret), scopes: ["org:read"],
        user: Login.User(id: "7", name: "Ada", email: nil), obtainedAt: obtainedAt, expiresAt: expiresAt,
        isRefused: refused)
}

@Suite struct LoginNeedTests {
    @Test func aTenthOfTheLifeIsLeftWhenItIsDue() {
        #expect(login(obtainedAt: 1_000, expiresAt: 101_000).dueAt == 91_000)
        #expect(login(refresh: nil).dueAt == nil)
        #expect(login(expiresAt: nil).dueAt == nil)
        #expect(login(refused: true).dueAt == nil)
    }

    @Test(arguments: [FetchCause.start, .changed, .reload])
    func aTokenThatIsGoodIsTakenAsItIs(cause: FetchCause) {
        #expect(LoginNeed(login(), cause: cause, current: nil, now: 99_999) == .none)
        #expect(LoginNeed(login(refused: true), cause: cause, current: secret("access"), now: 50_000) == .none)
    }

    @Test(arguments: [FetchCause.start, .refresh, .renewal, .retry, .changed, .reload])
    func oneThatHasEndedIsRefreshedOrGivenUp(cause: FetchCause) {
        for current in [nil, secret("access"), secret("other")] {
            #expect(LoginNeed(login(), cause: cause, current: current, now: 100_000) == .refresh)
            #expect(
                LoginNeed(login(refused: true), cause: cause, current: current, now: 100_000) == .person(.signedOut))
            #expect(LoginNeed(login(refresh: nil), cause: cause, current: current, now: 100_000) == .person(.signedOut))
        }
    }

    @Test func aNewerTokenInTheStoreIsUsedBeforeAnybodyIsAsked() {
        for cause in [FetchCause.refresh, .renewal, .retry] {
            #expect(LoginNeed(login("new"), cause: cause, current: secret("old"), now: 95_000) == .none)
        }
    }

    @Test func theRefreshIsForWhatIsDue() {
        #expect(LoginNeed(login(), cause: .refresh, current: secret("access"), now: 89_999) == .none)
        #expect(LoginNeed(login(), cause: .refresh, current: secret("access"), now: 90_000) == .refresh)
    }

    @Test func aRefusedTokenIsRefreshedUnlessItIsFresh() {
        #expect(LoginNeed(login(), cause: .renewal, current: secret("access"), now: 9_999) == .none)
        #expect(LoginNeed(login(), cause: .renewal, current: secret("access"), now: 10_000) == .refresh)
        let month = login(expiresAt: 2_592_000_000)
        #expect(LoginNeed(month, cause: .renewal, current: secret("access"), now: 29_999) == .none)
        #expect(LoginNeed(month, cause: .renewal, current: secret("access"), now: 30_000) == .refresh)
    }

    @Test func aRefusedRefreshIsNotRepeated() {
        let refused = login(refused: true)
        #expect(LoginNeed(refused, cause: .refresh, current: secret("access"), now: 95_000) == .person(.signInAgain))
        #expect(LoginNeed(refused, cause: .retry, current: secret("access"), now: 95_000) == .person(.signInAgain))
        #expect(LoginNeed(refused, cause: .renewal, current: secret("access"), now: 95_000) == .person(.signedOut))
    }

    @Test func aTokenWithoutRefreshIsOnlyEverItself() {
        let given = login(refresh: nil, expiresAt: nil)
        for cause in [FetchCause.start, .refresh, .renewal, .retry, .changed, .reload] {
            #expect(LoginNeed(given, cause: cause, current: secret("access"), now: .max) == .none)
        }
    }
}

@Suite struct ScopeTests {
    @Test func theyAreLoweredAndEachOnce() throws {
        #expect(
            try SentryScopes.parse(["Org:Read,event:read", " ORG:read  team:write,"]) == [
                "org:read", "event:read", "team:write",
            ])
        #expect(try SentryScopes.parse([",", ""]) == [])
        #expect(throws: UnknownScope(scope: "org:reed")) { try SentryScopes.parse(["org:read", "Org:Reed"]) }
        #expect(throws: UnknownScope(scope: "org:superuser")) { try SentryScopes.parse(["org:superuser"]) }
    }

    @Test func theReadOnlySetReads() {
        #expect(SentryScopes.readOnly.allSatisfy { $0.hasSuffix(":read") && SentryScopes.known.contains($0) })
        #expect(SentryScopes.full.allSatisfy(SentryScopes.known.contains))
    }
}

@Suite struct LoginDocumentTests {
    let document = LoginDocument(logins: [
        "https://sentry.example": login(), "http://other:9000": login("x", refresh: nil, expiresAt: nil, refused: true),
    ])

    @Test func whatWasEncodedIsDecoded() throws {
        #expect(try LoginDocument.decode(document.encode()) == document)
        #expect(try LoginDocument.decode(LoginDocument().encode()) == LoginDocument())
    }

    @Test func aDocumentThatIsCutAnywhereIsCorrupt() {
        let bytes = document.encode()
        // The last byte is the end of the line, which may be missing.
        for count in 0..<(bytes.count - 1) {
            #expect(throws: LoginStoreError.corrupt) { try LoginDocument.decode(Array(bytes[..<count])) }
        }
    }

    @Test func aNewerVersionIsNotReadAtAll() {
        #expect(throws: LoginStoreError.newerVersion(2)) {
            try LoginDocument.decode(Array(#"{"version":2,"logins":7}"#.utf8))
        }
    }

    @Test(arguments: [
        "[]", "7", "null", #"{"logins":{}}"#, #"{"version":0,"logins":{}}"#, #"{"version":1}"#,
        #"{"version":1,"logins":{"o":{"access_token":"a b","scopes":[],"obtained_at_ms":1}}}"#,
        #"{"version":1,"logins":{"o":{"access_token":"","scopes":[],"obtained_at_ms":1}}}"#,
        #"{"version":1,"logins":{"o":{"access_token":"a","refresh_token":"\n","scopes":[],"obtained_at_ms":1}}}"#,
    ])
    func whatIsNoDocumentIsCorrupt(text: String) {
        #expect(throws: LoginStoreError.corrupt) { try LoginDocument.decode(Array(text.utf8)) }
    }
}

@Suite struct DeviceFlowTests {
    func flow(timeout: UInt64 = 900) throws -> DeviceFlow {
        let client = OAuthClient { _, _ in
            .success(
                OAuthReply(
                    status: 200,
                    body: Array(
                        #"{"device_code":"d","user_code":"C","verification_uri":"u","expires_in":600,"interval":5}"#
                            .utf8)))
        }
        return DeviceFlow(
            try client.authorizeDevice(clientID: "c", scopes: []), timeout: .seconds(timeout), now: .distantPast)
    }

    @Test func pendingKeepsTheIntervalAndSlowDownAddsFiveSeconds() throws {
        var flow = try flow()
        #expect(try flow.first(now: .distantPast) == .seconds(5))
        #expect(try flow.next(after: .refused(.authorizationPending), now: .distantPast) == .seconds(5))
        #expect(try flow.next(after: .refused(.slowDown), now: .distantPast) == .seconds(10))
        #expect(try flow.next(after: .refused(.authorizationPending), now: .distantPast) == .seconds(10))
        #expect(try flow.next(after: .refused(.slowDown), now: .distantPast) == .seconds(15))
    }

    @Test func faultsDoubleTheIntervalUntilTheServerAnswers() throws {
        var flow = try flow()
        let down = OAuthError.unreachable(OAuthTransportFailure(summary: "down"))
        #expect(try flow.next(after: down, now: .distantPast) == .seconds(10))
        #expect(try flow.next(after: .serverTrouble(status: 502), now: .distantPast) == .seconds(20))
        for _ in 0..<20 { _ = try flow.next(after: down, now: .distantPast) }
        #expect(try flow.next(after: down, now: .distantPast) == .seconds(60))
        #expect(try flow.next(after: .refused(.authorizationPending), now: .distantPast) == .seconds(5))
    }

    @Test func oneStrangeAnswerEndsNothing() throws {
        var flow = try flow()
        for _ in 0..<3 {
            for _ in 1..<DeviceFlow.mostStrangers {
                _ = try flow.next(after: .unexpected(status: 403), now: .distantPast)
            }
            _ = try flow.next(after: .refused(.authorizationPending), now: .distantPast)
        }
        for _ in 1..<DeviceFlow.mostStrangers { _ = try flow.next(after: .unexpected(status: 403), now: .distantPast) }
        #expect(throws: DeviceFlow.End.failed(.unexpected(status: 403))) {
            try flow.next(after: .unexpected(status: 403), now: .distantPast)
        }
    }

    @Test func theEndsAreToldApart() throws {
        var flow = try flow(timeout: 100)
        #expect(throws: DeviceFlow.End.denied) { try flow.next(after: .refused(.accessDenied), now: .distantPast) }
        #expect(throws: DeviceFlow.End.codeExpired) { try flow.next(after: .refused(.expiredToken), now: .distantPast) }
        #expect(throws: DeviceFlow.End.timeout) {
            try flow.next(after: .refused(.authorizationPending), now: .distantPast + .seconds(96))
        }
        #expect(throws: DeviceFlow.End.failed(.refused(.invalidGrant))) {
            try flow.next(after: .refused(.invalidGrant), now: .distantPast)
        }
        #expect(throws: DeviceFlow.End.failed(.redirected(base: "https://s"))) {
            try flow.next(after: .redirected(base: "https://s"), now: .distantPast)
        }
        var long = try self.flow()
        #expect(throws: DeviceFlow.End.codeExpired) {
            try long.next(after: .refused(.authorizationPending), now: .distantPast + .seconds(596))
        }
    }
}

@Suite struct OAuthClientTests {
    func client(_ status: Int, _ body: String) -> OAuthClient {
        OAuthClient { _, _ in .success(OAuthReply(status: status, body: Array(body.utf8))) }
    }

    @Test func theFormIsEncoded() throws {
        let seen = Recorded()
        let client = OAuthClient { path, form in
            seen.add(path, text(form) ?? "")
            return .success(OAuthReply(status: 200, body: Array(#"{"access_token":"a"}"#.utf8)))
        }
        _ = try client.refresh(secret("r+/=&ü"), clientID: "c d")
        _ = try client.redeem(deviceCode: secret("dc"), clientID: "c")
        #expect(
            seen.all == [
                "/oauth/token/?grant_type=refresh_token&refresh_token=r%2B%2F%3D%26%C3%BC&client_id=c+d",
                "/oauth/token/?grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=dc&client_id=c",
            ])
    }

    @Test func aGrantIsRead() throws {
        let grant = try client(
            200,
            #"{"access_token":"a","refresh_token":"r","expires_in":2592000,"token_type":"bearer","scope":"org:read team:read","user":{"id":"7","name":"A\u001b[2Jda","email":""}}"#
        ).redeem(deviceCode: secret("d"), clientID: "c")
        #expect(text(grant.accessToken) == "a" && text(grant.refreshToken) == "r")
        #expect(grant.expiresInMilliseconds == 2_592_000_000 && grant.scopes == ["org:read", "team:read"])
        #expect(grant.user == Login.User(id: "7", name: "A[2Jda", email: nil))
    }

    @Test(arguments: [
        "", "{", "[]", #"{"access_token":7}"#, #"{"access_token":""}"#, #"{"access_token":"a b"}"#,
        #"{"access_token":"a","token_type":"mac"}"#, #"{"access_token":"a","refresh_token":"\u0000"}"#,
    ])
    func aGrantThatBreaksTheProtocolIsRefused(body: String) {
        #expect(throws: OAuthError.malformedAnswer) {
            try client(200, body).refresh(secret("r"), clientID: "c")
        }
    }

    @Test(arguments: [
        (400, #"{"error":"authorization_pending"}"#, OAuthError.refused(.authorizationPending)),
        (401, #"{"error":"invalid_client"}"#, .refused(.invalidClient)),
        (400, #"{"error":"something_else"}"#, .unexpected(status: 400)),
        (404, "<html>", .unexpected(status: 404)),
        (302, "", .unexpected(status: 302)),
        (429, "\"slow\"", .serverTrouble(status: 429)),
        (500, #"{"error":"server_error"}"#, .serverTrouble(status: 500)),
    ])
    func errorsKeepTheirMeaning(status: Int, body: String, error: OAuthError) {
        #expect(throws: error) { try client(status, body).refresh(secret("r"), clientID: "c") }
    }

    @Test(arguments: [
        #"{"device_code":"d","user_code":"A\u001b[2J","verification_uri":"u","expires_in":600}"#,
        #"{"device_code":"d","user_code":"A","verification_uri":"u\n","expires_in":600}"#,
        #"{"device_code":"d","user_code":"A","verification_uri":"u","expires_in":-1}"#,
        #"{"device_code":"d","user_code":"A","verification_uri":"u","expires_in":600,"interval":1e300}"#,
        #"{"device_code":"","user_code":"A","verification_uri":"u","expires_in":600}"#,
    ])
    func whatIsNotFitForATerminalIsRefused(body: String) {
        #expect(throws: OAuthError.malformedAnswer) { try client(200, body).authorizeDevice(clientID: "c", scopes: []) }
    }
}
