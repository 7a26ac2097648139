import AccessPolicy
import DeviceFlow
import EventLoop
import Foundation
import HTTP1
import System
import TLS
import Testing
import TokenStore

@testable import ProxyServer

/// One worker on the test's own thread, over sockets of the loopback: the test is its client and its upstream, and its loop
/// turns only while the test waits for something.
final class LoopbackWorker {
    /// How an exchange is set up besides what is usual.
    struct Settings {
        var token: String? = "sentry-token"
        var isRenewable = false
        var isSuspect = false
        /// The only alias's words; nil is without aliases.
        var rights: [String]?
        var addresses: [SocketAddress]?
        var deviceFlow: ConsultationDoor?
        var renew: RenewalDoor = { _, _ in }
        var configure: (inout ServerConfiguration) -> Void = { _ in }
    }

    static let alias = "an-alias-of-the-test"
    static let authority = "sentry.example:9000"

    let worker: Worker
    let shared: ServerState
    private let port: UInt16
    private let upstream: Listener
    private var peers: [Peer] = []

    init(_ settings: Settings = Settings()) throws {
        let loopback = try #require(SocketAddress(address: "127.0.0.1", port: 0))
        upstream = try Listener(address: loopback, backlog: 16)
        let authority = Array(Self.authority.utf8)
        var configuration = ServerConfiguration(
            target: UpstreamTarget(authority: authority),
            rewriter: LinkRewriter(
                publicURL: nil, upstreamAuthority: authority, upstreamIsSecure: false, upstreamPrefix: []),
            hasPublicURL: false, headLimits: HeadLimits(),
            timeouts: Timeouts(head: .seconds(60), body: .seconds(60), response: .seconds(60), connect: .seconds(60)),
            replayBufferBytes: 1_048_576, maxRequests: nil, descriptorLimit: 1_000, accessLog: .all)
        settings.configure(&configuration)
        let token = TokenSnapshot(
            version: 1, token: settings.token.map { Secret(Array($0.utf8)) }, kind: .static, source: .tokenFlag,
            isRenewable: settings.isRenewable,
            health: settings.token == nil ? .missing(.notReadYet) : .ready, suspect: settings.isSuspect)
        let aliases = try settings.rights.map {
            try AliasTable([
                AliasEntry(name: "tester", token: Array(Self.alias.utf8), words: $0, origin: .item(1))
            ])
        }
        let addresses = try settings.addresses ?? [#require(SocketAddress(address: "127.0.0.1", port: upstream.port))]
        let mailbox = try Mailbox<WorkerMail>()
        shared = ServerState(
            configuration: configuration, tokens: TokenPublisher(initial: token),
            policy: Published(
                PolicyConfiguration(aliases: aliases, openGuard: OpenGuard(hosts: ["h", "proxy.example"]))),
            addresses: Published(ResolvedAddresses(addresses: addresses)), tls: Published(TLSContexts()),
            log: try LogWriter(descriptor: STDERR_FILENO, format: .logfmt),
            memory: MemoryBudget(bytes: configuration.bodies.memoryBytes, shares: 1), spooler: nil,
            deviceFlow: settings.deviceFlow, renew: settings.renew)
        let listener = try Listener(address: loopback, backlog: 16)
        port = listener.port
        worker = try Worker(shared, listeners: Listeners([listener]), mailbox: mailbox)
    }

    // MARK: Both ends

    /// Connects as a client, and sends.
    func client(_ text: String) throws -> Peer {
        let address = try #require(SocketAddress(address: "127.0.0.1", port: port))
        let socket = try Socket.connecting(to: address)
        let copy = dup(socket.descriptor)
        let peer = Peer(copy)
        peers.append(peer)
        peer.send(text)
        return peer
    }

    /// Waits for the worker's connection to the upstream, and for a whole head on it.
    func accept() throws -> Peer {
        var peer: Peer?
        try turn("a connection to the upstream") {
            if case .socket(let descriptor, from: _) = upstream.accept() { peer = Peer(descriptor) }
            return peer != nil
        }
        let accepted = try #require(peer)
        peers.append(accepted)
        try turn("a request") { accepted.text.contains("\r\n\r\n") }
        return accepted
    }

    /// Whether the worker has connected to the upstream since the last time.
    var hasDialed: Bool {
        guard case .socket(let descriptor, from: _) = upstream.accept() else { return false }
        close(descriptor)
        return true
    }

    /// Sends a request, gives the answer, and waits until all of it is over.
    /// - Returns: what came to the upstream and to the client.
    func exchange(_ request: String, _ answer: String) throws -> (upstream: String, client: String) {
        let client = try client(request)
        let upstream = try accept()
        upstream.send(answer)
        upstream.finish()
        try over(client)
        return (upstream.text, client.text)
    }

    /// Waits until a request that goes nowhere is answered.
    func refused(_ request: String) throws -> String {
        let client = try client(request)
        try over(client)
        #expect(!hasDialed)
        return client.text
    }

    // MARK: The loop

    /// Turns the loop until the condition holds.
    func turn(_ what: String, until isReached: () -> Bool) throws {
        let end = Clock.now + .seconds(30)
        while !isReached() {
            try #require(Clock.now < end, "\(what); so far: \(peers.map(\.text))")
            worker.reactor.wake(at: Clock.now + .milliseconds(2))
            worker.reactor.run(OneIteration(worker))
            for peer in peers { peer.read() }
        }
    }

    /// Waits until the client's connection has ended and the worker holds nothing any more.
    func over(_ client: Peer) throws {
        try turn("the end of the client's connection") { client.hasEnded }
        for peer in peers { peer.finish() }
        try turn("the end of the exchange") { worker.exchanges.count == 0 }
        #expect(worker.counters.impossibleSteps == 0)
        #expect(worker.counters.inFlight == 0)
        #expect(worker.pool.memory.held == 0)
        #expect(worker.reactor.timers.count == 0)
        #expect(shared.openDescriptors == 0)
    }

    /// The lines of the log since the last time.
    func log() -> [String] {
        var text: [UInt8] = []
        withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 8) { buffer in
            while case let count = worker.log.read(into: buffer), count > 0 {
                text += buffer[..<count]
            }
        }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// The loop with an end after each iteration.
    private final class OneIteration: ReactorHandler {
        let worker: Worker

        init(_ worker: Worker) { self.worker = worker }

        func iterationBegan(now: Instant) { worker.iterationBegan(now: now) }
        func acceptReady(listener: Int, now: Instant) { worker.acceptReady(listener: listener, now: now) }
        func ready(_ token: EventToken, _ readiness: Readiness, now: Instant) {
            worker.ready(token, readiness, now: now)
        }
        func timerExpired(slot: Int, now: Instant) { worker.timerExpired(slot: slot, now: now) }
        func mailReady(now: Instant) { worker.mailReady(now: now) }
        func iterationEnded(now: Instant) -> Bool {
            _ = worker.iterationEnded(now: now)
            return true
        }
    }
}

/// The test's end of a connection.
final class Peer {
    private let descriptor: CInt
    private var received: [UInt8] = []
    /// The other end has shut or reset the connection.
    private(set) var hasEnded = false
    private(set) var wasReset = false
    private var isFinished = false

    init(_ descriptor: CInt) {
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// What has come so far.
    var text: String { String(decoding: received, as: UTF8.self) }

    /// Behind the head.
    var body: String { text.range(of: "\r\n\r\n").map { String(text[$0.upperBound...]) } ?? "" }

    /// A few bytes, which fit into any socket's buffer.
    func send(_ text: String) {
        send(Array(text.utf8))
    }

    func send(_ bytes: [UInt8]) {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&waiting, 1, 10_000)
        let sent = bytes.withUnsafeBytes {
            Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        #expect(sent == bytes.count)
    }

    /// Sends no more.
    func finish() {
        guard !isFinished else { return }
        isFinished = true
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Leaves with a RST.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        // With an address of no family a connection is taken apart; the descriptor stays.
        var none = sockaddr(sa_family: sa_family_t(AF_UNSPEC), sa_data: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
        connect(descriptor, &none, socklen_t(MemoryLayout.size(ofValue: none)))
        (hasEnded, isFinished) = (true, true)
    }

    /// Takes what is there.
    func read() {
        withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 1) { buffer in
            while !hasEnded {
                let count = recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
                guard count > 0 else {
                    hasEnded = count == 0 || errno != EAGAIN
                    wasReset = count < 0 && errno == ECONNRESET
                    return
                }
                received += buffer[..<count]
            }
        }
    }
}
