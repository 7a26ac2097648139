import AccessPolicy
import System
import Testing

@testable import DeviceFlow

private func code() -> WaitingCode {
    WaitingCode(
        deviceDigest: "d", userDigest: "u", shown: "WDJB", client: "c", asked: ["org:read"], address: "192.0.2.1",
        userAgent: "", made: 1_000, ends: 1_600)
}
private let plan = WaitingCode.Plan(name: "n", words: ["read-only"], scopes: [], lifetime: 60, approver: "operator")

@Suite struct WaitingCodeTests {
    @Test func aPollThatComesTooEarlyMakesTheIntervalLonger() {
        var code = code()
        #expect(code.poll(client: "c", now: 1_001, clock: .milliseconds(0)) == .pending)
        #expect(code.poll(client: "c", now: 1_005, clock: .milliseconds(4_999)) == .slowDown)
        #expect(code.interval == 10)
        #expect(code.poll(client: "c", now: 1_014, clock: .milliseconds(14_998)) == .slowDown)
        #expect(code.poll(client: "c", now: 1_030, clock: .milliseconds(30_000)) == .pending)
    }

    @Test(arguments: [Int64.min, -1, .max], [Int64.min, -1, .max])
    func whatStoodInTheStoreEndsNoProcess(polled: Int64, interval: Int64) {
        var code = code()
        (code.polled, code.interval) = (polled, interval)
        let mayPoll = interval < 0
        #expect(code.poll(client: "c", now: 1_001, clock: .seconds(7)) == (mayPoll ? .pending : .slowDown))
        #expect(code.polled == 7_000 && code.interval == (mayPoll ? interval : WaitingCode.lifetime + 5))
    }

    @Test func whatIsApprovedIsTakenOnceAndASecondTakingIsSeen() {
        var code = code()
        code.state = .approved(plan)
        #expect(code.poll(client: "other", now: 1_001, clock: .milliseconds(0)) == .invalid)
        #expect(code.poll(client: "c", now: 1_001, clock: .milliseconds(0)) == .take(plan))
        code.state = .taken("n", made: 1_001)
        #expect(code.poll(client: "c", now: 1_002, clock: .milliseconds(1)) == .takenTwice("n", made: 1_001))
    }

    @Test func aDenialIsToldOnce() {
        var code = code()
        code.state = .denied
        #expect(code.poll(client: "c", now: 1_001, clock: .milliseconds(0)) == .denied)
        #expect(code.poll(client: "c", now: 1_010, clock: .milliseconds(9_000)) == .invalid)
    }

    @Test func anApprovalAfterTheTimeIsNotTaken() {
        var code = code()
        code.state = .approved(plan)
        #expect(code.poll(client: "c", now: 1_600, clock: .milliseconds(0)) == .expired)
        #expect(!code.isWaiting(1_600))
    }

    @Test(arguments: [
        ("a=1&b=2", ["a": "1", "b": "2"]), ("a=%31+2", ["a": "1 2"]), ("a=", [:]), ("", [:]), ("a", [:]),
    ])
    func formsAreRead(_ text: String, _ expected: [String: String]) throws {
        let form = try FormParameters(text.utf8.span)
        for name in ["a", "b"] { #expect(form.text(name) == expected[name]) }
    }

    @Test(arguments: ["a=1&a=2", "a=1&%61=2", "a=%zz", "a=%4", (0..<17).map { "n\($0)=1" }.joined(separator: "&")])
    func formsThatRepeatANameOrAreBrokenAreRefused(_ text: String) {
        #expect(throws: FormParameters.Malformed.self) { _ = try FormParameters(text.utf8.span) }
    }

    @Test func userCodesAreReadAsPeopleTypeThem() {
        #expect(UserCode.read(Array("wdjb-mjht".utf8)) == Array("WDJBMJHT".utf8))
        #expect(UserCode.read(Array(" WDJ BMJ HT".utf8)) == Array("WDJBMJHT".utf8))
        for wrong in ["WDJB-MJH", "WDJB-MJHA", "WDJB<MJHT", ""] { #expect(UserCode.read(Array(wrong.utf8)) == nil) }
        #expect(UserCode.make([UInt8](repeating: 255, count: 32)) == nil)
    }

    @Test func timesAreWrittenInUTC() {
        #expect(UTCTime.text(0) == "1970-01-01T00:00:00Z")
        #expect(UTCTime.text(1_709_210_096) == "2024-02-29T12:34:56Z")
        #expect(UTCTime.text(4_102_444_799) == "2099-12-31T23:59:59Z")
    }

    @Test(arguments: [
        ("127.0.0.1:8080", true), ("localhost", true), ("[::1]:80", true), ("evil.example", false),
        ("127.0.0.1.evil.example", false), ("localhost:80:80", false), ("localhost:", false), ("127.0.0.1@evil", false),
    ]) func aHostIsABaseOnlyWhenItIsThisMachine(_ host: String, _ expected: Bool) {
        #expect(DeviceFlowSettings.isLoopback(Array(host.utf8)) == expected)
    }

    @Test func oneAddressAsksSoOftenAMinute() {
        let limits = AskLimits(most: 5)
        func spend(_ seconds: UInt64) -> Duration? {
            limits.spend(nil, now: Instant(nanoseconds: seconds * 1_000_000_000))
        }
        for _ in 0..<5 { #expect(spend(100) == nil) }
        #expect(spend(130) == .seconds(30))
        #expect(limits.wait(nil, now: Instant(nanoseconds: 159_000_000_001)) == .nanoseconds(999_999_999))
        #expect(spend(160) == nil)
    }

    private func at(_ seconds: UInt64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }
    private func address(_ number: Int) -> IPAddress { IPAddress(v4: UInt32(number)) }

    /// Whatever the seed: with one bucket for several of them, most of the others would meet one that is full.
    @Test func nobodyIsRefusedForWhatThousandsDid() {
        let limits = AskLimits(most: 5)
        for number in 0..<20_000 { for _ in 0..<6 { _ = limits.spend(address(number), now: at(100)) } }
        for number in 20_000..<21_000 {
            #expect(limits.wait(address(number), now: at(101)) == nil)
            #expect(limits.spend(address(number), now: at(101)) == nil)
        }
    }

    /// What thousands ask once does not make anybody's count forgotten who asked more.
    @Test func whoAskedMostStaysKnown() {
        let limits = AskLimits(most: 5)
        for _ in 0..<5 { #expect(limits.spend(nil, now: at(100)) == nil) }
        for number in 0..<20_000 { #expect(limits.spend(address(number), now: at(110)) == nil) }
        #expect(limits.spend(nil, now: at(130)) == .seconds(30) && limits.wait(nil, now: at(130)) == .seconds(30))
        #expect(limits.spend(nil, now: at(160)) == nil)
    }

    @Test func guessesOfAllAddressesTogetherAreBounded() {
        let limits = AskLimits(most: 5, mostTogether: 100)
        for number in 0..<100 { #expect(limits.spend(address(number), now: at(100)) == nil) }
        #expect(
            limits.spend(address(100), now: at(130)) == .seconds(30)
                && limits.wait(address(101), now: at(130)) == .seconds(30))
        #expect(limits.spend(address(100), now: at(160)) == nil)
    }
}
