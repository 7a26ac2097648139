import Glibc
import Synchronization
import Testing

@testable import EventLoop

@Suite struct SocketAddressTests {
    @Test(arguments: [
        ("127.0.0.1", UInt16(80), "127.0.0.1:80"), ("0.0.0.0", 0, "0.0.0.0:0"), ("::1", 443, "[::1]:443"),
        ("2001:db8::7", 65_535, "[2001:db8::7]:65535"),
    ])
    func digitsAreReadAndWritten(_ host: String, _ port: UInt16, _ text: String) throws {
        let address = try #require(SocketAddress(address: host, port: port))
        #expect(address.text == text)
        #expect(address.isIPv6 == host.contains(":"))
        #expect(address == SocketAddress(address: host, port: port))
        #expect(address != SocketAddress(address: host, port: port ^ 1))
    }

    @Test(arguments: ["", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "[::1]", "::g", "1.2.3.4:80"])
    func anythingElseIsNoAddress(_ text: String) {
        #expect(SocketAddress(address: text, port: 1) == nil)
    }

    @Test func aPathMustFit() throws {
        let address = try #require(SocketAddress(unixPath: "/run/a.sock"))
        #expect(address.isUnix && address.text == "unix:/run/a.sock")
        #expect(SocketAddress(unixPath: "") == nil)
        #expect(SocketAddress(unixPath: String(repeating: "a", count: 107)) != nil)
        #expect(SocketAddress(unixPath: String(repeating: "a", count: 108)) == nil)
    }
}

/// A name service that says what the test tells it.
private final class NameService: Sendable {
    let answer = Mutex<Result<[SocketAddress], ResolveFailure>>(.success([]))
    let changes = Atomic<Int>(0)

    func resolver(_ host: String = "sentry-web") -> Resolver {
        Resolver(
            host: host, port: 9000, lookUp: { [self] _, _ in answer.withLock { $0 } },
            changed: { [self] in changes.add(1, ordering: .relaxed) })
    }

    func say(_ new: Result<[SocketAddress], ResolveFailure>) {
        answer.withLock { $0 = new }
    }

    var changeCount: Int { changes.load(ordering: .relaxed) }
}

@Suite struct ResolverTests {
    private let one = SocketAddress(address: "10.0.0.1", port: 9000)!
    private let two = SocketAddress(address: "10.0.0.2", port: 9000)!
    private let failure = ResolveFailure(code: EAI_AGAIN)

    @Test func publishesWhatChangedAndOnlyThat() {
        let service = NameService()
        let resolver = service.resolver()
        service.say(.success([one]))
        #expect(resolver.refresh() && resolver.refresh())
        #expect(resolver.addresses.current().value.addresses == [one] && service.changeCount == 1)
        service.say(.success([two, one]))
        #expect(resolver.refresh())
        #expect(resolver.addresses.current().value.addresses == [two, one] && service.changeCount == 2)
    }

    @Test func aStaleAnswerIsBetterThanNone() {
        let service = NameService()
        let resolver = service.resolver()
        service.say(.success([one]))
        #expect(resolver.refresh())
        service.say(.failure(failure))
        #expect(!resolver.refresh() && !resolver.refresh())
        let known = resolver.addresses.current().value
        #expect(known.addresses == [one] && known.failure == failure && service.changeCount == 2)
        service.say(.success([one]))
        #expect(resolver.refresh())
        #expect(resolver.addresses.current().value.failure == nil && service.changeCount == 3)
    }

    @Test func aFirstFailureIsTold() {
        let service = NameService()
        let resolver = service.resolver()
        service.say(.failure(failure))
        #expect(!resolver.refresh())
        let known = resolver.addresses.current().value
        #expect(known.addresses.isEmpty && known.failure == failure && service.changeCount == 1)
    }

    @Test func anAddressInDigitsIsKnownAtOnce() {
        #expect(NameService().resolver("10.0.0.1").addresses.current().value.addresses == [one])
    }
}
