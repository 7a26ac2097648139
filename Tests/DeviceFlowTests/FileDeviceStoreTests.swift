import AccessPolicy
import FoundationEssentials
import Testing

@testable import DeviceFlow

/// Codes and grants in one state directory.
@Suite struct FileDeviceStoreTests {
    private static let plan = WaitingCode.Plan(
        name: "n", words: ["read-only"], scopes: [], lifetime: 60, approver: "operator")

    private static func digest(_ text: String) -> TokenDigest { TokenDigest(of: text.utf8.span) }

    private static func approved(_ text: String, address: String = "192.0.2.1") -> WaitingCode {
        var code = WaitingCode(
            deviceDigest: digest(text).hexadecimal, userDigest: digest("user \(text)").hexadecimal, shown: "WDJB",
            client: "c", asked: ["org:read"], address: address, userAgent: "", made: 1_000, ends: 1_600)
        code.state = .approved(plan)
        return code
    }

    private static func grant(made: Int64) -> Grant {
        Grant(
            name: "n", words: ["read-only"], scopes: [], client: "c", approver: "operator", address: "192.0.2.1",
            made: made, ends: made + 60, aliases: [])
    }

    private func withFolder(_ body: (FileDeviceStore) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.path + "/grants-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(FileDeviceStore(folder: folder))
    }

    private func take(_ text: String, at now: Int64, from store: FileDeviceStore) throws -> Set<String>? {
        try store.change(.device(Self.digest(text)), now: now) { code, taken in
            code.state = .taken("n", made: now)
            return (taken, .add(Self.grant(made: now)))
        }
    }

    @Test func aCodeThatIsShownAgainWithdrawsItsOwnGrantAlone() throws {
        try withFolder { store in
            for text in ["first", "second"] { _ = store.add(Self.approved(text), most: 64, now: 1_000) }
            let first = try take("first", at: 1_001, from: store)
            #expect(first == [])
            _ = try store.changeGrant(.name("n")) { $0 = nil }
            let second = try take("second", at: 1_002, from: store)
            #expect(second == [])
            let held = try store.change(.device(Self.digest("first")), now: 1_003) { _, taken in
                (taken, .withdraw("n", made: 1_001))
            }
            #expect(held == ["n"])
            let left = try store.grants().map(\.made)
            #expect(left == [1_002])
        }
    }

    @Test func namesOfGrantsThatAreOverAreFreeAgain() throws {
        try withFolder { store in
            for text in ["first", "second"] { _ = store.add(Self.approved(text), most: 64, now: 1_000) }
            let first = try take("first", at: 1_001, from: store)
            let second = try take("second", at: 1_061, from: store)
            let left = try store.grants().map(\.made)
            #expect(first == [] && second == [] && left == [1_061])
        }
    }

    @Test func aDenialHoldsForTheWholeNetworkAndItsTime() throws {
        try withFolder { store in
            try store.deny(customer: "2001:db8::/64", ends: 1_100, now: 1_000)
            for (text, address, now, added) in [
                ("a", "2001:db8::8", Int64(1_099), AddedCode.denied), ("b", "2001:db8:0:1::8", 1_099, .added),
                ("c", "2001:db8::8", 1_100, .added),
            ] {
                #expect(store.add(Self.approved(text, address: address), most: 64, now: now) == added)
            }
        }
    }
}
