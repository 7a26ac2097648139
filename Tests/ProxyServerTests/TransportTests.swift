import EventLoop
import Foundation
import Testing

@testable import ProxyServer

@Suite struct TransportTests {
    /// A connection on loopback, whose far end is plain.
    private struct Connection: ~Copyable {
        var near: Transport
        let far: CInt
    }

    private func connection() throws -> Connection {
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try #require(
            withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(listener, $0, length) == 0 && listen(listener, 1) == 0
                        && getsockname(listener, $0, &length) == 0
                }
            })
        let name = try #require(SocketAddress(address: "127.0.0.1", port: UInt16(bigEndian: address.sin_port)))
        let near = Transport(try Socket.connecting(to: name))
        return Connection(near: near, far: accept(listener, nil, nil))
    }

    @Test func aResetThatASendHasMetIsNotTheEndOfTheStream() throws {
        var connection = try connection()
        let far = connection.far
        try #require(send(far, "half", 4, 0) == 4)
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(far, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        close(far)
        var waiting = pollfd(fd: connection.near.descriptor, events: Int16(POLLIN), revents: 0)
        repeat { try #require(poll(&waiting, 1, 10_000) == 1) } while waiting.revents & Int16(POLLHUP) == 0

        // The kernel tells of the reset once: here it is the sender that hears of it.
        let sent = "x".utf8CString.withUnsafeBytes { connection.near.send($0, more: false) }
        #expect(sent == .failed(.reset))
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
            #expect(connection.near.receive(into: buffer) == .bytes(4))
            #expect(connection.near.receive(into: buffer) == .failed(.reset))
        }
        connection.near.close()
    }

    @Test func aFINBehindTheLastBytesIsTheEndOfTheStream() throws {
        var connection = try connection()
        let far = connection.far
        try #require(send(far, "all", 3, 0) == 3)
        close(far)
        var waiting = pollfd(fd: connection.near.descriptor, events: Int16(POLLIN), revents: 0)
        try withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
            try #require(poll(&waiting, 1, 10_000) == 1)
            #expect(connection.near.receive(into: buffer) == .bytes(3))
            try #require(poll(&waiting, 1, 10_000) == 1)
            #expect(connection.near.receive(into: buffer) == .endOfStream)
        }
        connection.near.close()
    }
}
