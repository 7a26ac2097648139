import AccessPolicy
import FoundationEssentials
import Synchronization
import System
import Testing
import TokenStore

@testable import DeviceFlow

/// A flow that grants at once, with a time that the test sets.
private final class Flow: Sendable {
    let time = Mutex<Int64>(1_800_000_000)
    let names = Mutex<[String]>([])
    private let held = Mutex<DeviceAuthorizer?>(nil)
    var authorizer: DeviceAuthorizer { held.withLock { $0! } }

    init(_ folder: String) throws {
        let ceiling = try GrantCeiling(["read-only", "org=acme"], .builtIn)
        let doors = DeviceAuthorizer.Doors(
            ceiling: { ceiling },
            publish: { [unowned self] grants in names.withLock { $0 = grants.map(\.name) } },
            isNameTaken: { _ in false }, approvers: { [] }, note: { _ in },
            now: { [unowned self] in time.withLock { $0 } },
            instant: { [unowned self] in Instant(nanoseconds: UInt64(time.withLock { $0 }) * 1_000_000_000) })
        let settings = DeviceFlowSettings(
            approval: .none, lifetime: 43_200, hasRefresh: true, from: TrustedProxies(), publicURL: nil,
            listenBase: "http://127.0.0.1:1")
        let authorizer = try DeviceAuthorizer(settings, FileDeviceStore(folder: folder), doors)
        try authorizer.loadFirst()
        held.withLock { $0 = authorizer }
    }

    func ask(_ place: DevicePlace, _ form: String) throws -> (status: Int, fields: [String: String]) {
        let call = DeviceCall(place: place, form: Secret(Array(form.utf8)), client: nil, isSecure: true)
        let answer = try #require(authorizer.answer(call))
        let bytes = answer.body.withBytes { span in (0..<span.count).map { span[$0] } }
        struct Body: Decodable {
            var deviceCode: String?
            var refreshToken: String?
            var error: String?
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let body = try decoder.decode(Body.self, from: Data(bytes))
        var fields: [String: String] = [:]
        fields["device_code"] = body.deviceCode
        fields["refresh_token"] = body.refreshToken
        fields["error"] = body.error
        return (answer.status, fields)
    }

    func refresh(_ token: String) throws -> (status: Int, fields: [String: String]) {
        try ask(.token, "grant_type=refresh_token&client_id=c&refresh_token=\(token)")
    }
}

@Suite struct RefreshTests {
    @Test func aRefreshTokenIsRotatedAfterTenMinutesAndOneThatComesBackLaterEndsTheGrant() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/refresh-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let flow = try Flow(folder)
        let code = try #require(try flow.ask(.code, "client_id=c").fields["device_code"])
        let grant = "urn:ietf:params:oauth:grant-type:device_code"
        let taken = try flow.ask(.token, "grant_type=\(grant)&client_id=c&device_code=\(code)")
        let first = try #require(taken.fields["refresh_token"])
        flow.time.withLock { $0 += 599 }
        #expect(try flow.refresh(first).fields["refresh_token"] == first)
        flow.time.withLock { $0 += 1 }
        let second = try #require(try flow.refresh(first).fields["refresh_token"])
        #expect(second != first)
        flow.time.withLock { $0 += 600 }
        #expect(try flow.refresh(first).status == 200, "several processes of one client may be late")
        #expect(flow.names.withLock { $0.count } == 1)
        flow.time.withLock { $0 += 1 }
        #expect(try flow.refresh(first).fields["error"] == "invalid_grant")
        #expect(flow.names.withLock { $0.isEmpty }, "who holds the new one has lost the grant too")
        #expect(try flow.refresh(second).fields["error"] == "invalid_grant")
    }
}
