import EventLoop
import System
import Testing

@testable import ProxyServer

/// Which address is tried next, with time as a number.
struct AddressTableTests {
    private static func second(_ number: Int) -> Instant { .distantPast + .seconds(UInt64(number)) }

    private static func addresses(_ hosts: String...) -> ResolvedAddresses {
        ResolvedAddresses(addresses: hosts.compactMap { SocketAddress(address: $0, port: 9000) })
    }

    private func order(_ table: AddressTable, at now: Instant) -> [Int] {
        var tried = TriedAddresses(version: table.version)
        var order: [Int] = []
        while let index = table.next(after: tried, now: now) {
            order.append(index)
            tried.insert(index)
        }
        return order
    }

    private func attempt(_ index: Int, of table: AddressTable) -> AttemptedAddress {
        AttemptedAddress(version: table.version, index: index)
    }

    @Test func soundAddressesKeepTheirOrder() {
        #expect(order(AddressTable(Self.addresses("127.0.0.1", "127.0.0.2", "::1")), at: Self.second(5)) == [0, 1, 2])
    }

    @Test func noAddressIsNothingToTry() {
        #expect(AddressTable(.pending).next(after: TriedAddresses(), now: Self.second(5)) == nil)
    }

    @Test func anAvoidedAddressIsTriedLastForHalfAMinute() {
        var table = AddressTable(Self.addresses("127.0.0.1", "127.0.0.2"))
        table.avoid(attempt(0, of: table), now: Self.second(1))
        #expect(order(table, at: Self.second(1)) == [1, 0])
        #expect(order(table, at: Self.second(31) - .nanoseconds(1)) == [1, 0])
        #expect(order(table, at: Self.second(31)) == [0, 1])
    }

    @Test func ofAvoidedAddressesTheOneThatFailedLongestAgoComesFirst() {
        var table = AddressTable(Self.addresses("127.0.0.1", "127.0.0.2", "127.0.0.3"))
        for (index, time) in [(0, 3), (1, 1), (2, 2)] {
            table.avoid(attempt(index, of: table), now: Self.second(time))
        }
        #expect(order(table, at: Self.second(4)) == [1, 2, 0])
    }

    @Test func anAddressThatAnsweredIsTrustedAtOnce() {
        var table = AddressTable(Self.addresses("127.0.0.1", "127.0.0.2"))
        table.avoid(attempt(0, of: table), now: Self.second(1))
        table.trust(attempt(0, of: table))
        #expect(order(table, at: Self.second(1)) == [0, 1])
    }

    @Test func whatIsKnownOfAnAddressOutlivesANewLookUp() {
        var table = AddressTable(Self.addresses("127.0.0.1", "127.0.0.2"))
        table.avoid(attempt(1, of: table), now: Self.second(1))
        table.replace(Self.addresses("127.0.0.2", "127.0.0.3"))
        #expect(order(table, at: Self.second(2)) == [1, 0])
    }

    @Test func anAttemptOfAnOlderLookUpBlamesNobody() {
        var table = AddressTable(Self.addresses("127.0.0.1", "127.0.0.2"))
        let old = attempt(1, of: table)
        table.replace(Self.addresses("127.0.0.3"))
        table.avoid(old, now: Self.second(1))
        table.trust(old)
        #expect(order(table, at: Self.second(1)) == [0])
    }

    @Test func aNewLookUpForgetsWhatWasTried() {
        var table = AddressTable(Self.addresses("127.0.0.1"))
        var tried = TriedAddresses(version: table.version)
        tried.insert(0)
        tried.follow(table)
        #expect(tried.contains(0))
        table.replace(Self.addresses("127.0.0.3"))
        tried.follow(table)
        #expect(!tried.contains(0))
    }

    @Test func moreAddressesThanCanBeCountedAreLeftOut() {
        let many = (0..<100).compactMap { SocketAddress(address: "127.0.0.\($0)", port: 9000) }
        let table = AddressTable(ResolvedAddresses(addresses: many))
        #expect(order(table, at: .distantPast) == Array(0..<TriedAddresses.capacity))
    }
}
