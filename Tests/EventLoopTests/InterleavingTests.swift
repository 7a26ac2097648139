import EventLoop
import Testing

struct InterleavingTests {
    @Test func familiesTakeTurnsAndTheFirstStaysFirst() {
        let hosts = ["::1", "::2", "::3", "127.0.0.1", "127.0.0.2"]
        let addresses = hosts.compactMap { SocketAddress(address: $0, port: 80) }
        let expected = ["::1", "127.0.0.1", "::2", "127.0.0.2", "::3"].compactMap {
            SocketAddress(address: $0, port: 80)
        }
        #expect(Resolver.interleaved(addresses) == expected)
        #expect(Resolver.interleaved([]) == [])
        #expect(Resolver.interleaved([addresses[3]]) == [addresses[3]])
    }
}
