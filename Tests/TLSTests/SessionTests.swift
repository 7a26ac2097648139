import Foundation
import TLS
import Testing

private let files = Certificates.shared
private let good = ServerTLSConfiguration(certificateFile: files.path("good.pem"), keyFile: files.path("good.key"))

private func client(certificate: String? = nil) throws -> TLSClientContext {
    try TLSClientContext(
        .init(
            serverName: .dns(Certificates.name), caFile: files.path("ca.pem"),
            certificateFile: certificate.map { files.path("\($0).pem") },
            keyFile: certificate.map { files.path("\($0).key") }
        )
    )
}

/// One request; true when the session was resumed.
private func request(_ context: TLSClientContext, _ port: UInt16, shutdown: Bool = true) throws -> Bool {
    var session = BlockingSession(context, try TestSocket(connectingTo: port))
    try session.handshake()
    try session.write(Array("GET / HTTP/1.0\r\n\r\n".utf8))
    let (bytes, end) = try session.readAll()
    #expect(!bytes.isEmpty)
    #expect(end == .endOfStream)
    if shutdown { session.session.shutdown() }
    return session.session.resumed
}

@Suite(.timeLimit(.minutes(2)))
struct ResumptionTests {
    @Test func thousandConnectionsResume() throws {
        let server = try TestServer(good, connections: 1_000)
        let context = try client()
        var resumed = 0
        for _ in 0..<1_000 where try request(context, server.port) { resumed += 1 }
        #expect(resumed == 999)
    }

    @Test(arguments: [["-tls1_2"], ["-tls1_2", "-no_ticket"], ["-tls1_3"], ["-tls1_3", "-no_ticket"]])
    func versionsOfARealServerResume(_ options: [String]) throws {
        let server = try OpenSSLServer("good", options + ["-www"])
        let context = try client()
        var resumed = 0
        for _ in 0..<100 where try request(context, server.port) { resumed += 1 }
        #expect(resumed == 99)
    }

    /// OpenSSL would take such sessions for broken.
    @Test(arguments: ["-tls1_2", "-tls1_3"]) func connectionsClosedWithoutCloseNotifyResume(_ version: String) throws {
        let server = try OpenSSLServer("good", [version, "-www"])
        let context = try client()
        var resumed = 0
        for _ in 0..<20 where try request(context, server.port, shutdown: false) { resumed += 1 }
        #expect(resumed == 19)
    }

    /// More connections at the same time than there are tickets: the last ticket serves them all.
    @Test func lastSessionIsKept() throws {
        let server = try TestServer(good, connections: 5)
        let context = try client()
        #expect(try !request(context, server.port))
        #expect(context.sessions.count == 1)
        #expect(try request(context, server.port))
        #expect(context.sessions.count == 2)
        var first = BlockingSession(context, try TestSocket(connectingTo: server.port))
        #expect(context.sessions.count == 1)
        var second = BlockingSession(context, try TestSocket(connectingTo: server.port))
        var third = BlockingSession(context, try TestSocket(connectingTo: server.port))
        #expect(context.sessions.count == 1)
        #expect(try finish(&first))
        #expect(try finish(&second))
        #expect(try finish(&third))
    }

    /// A server of OpenSSL gives two to a client that it does not know.
    @Test func eachHandshakeGivesOneTicket() throws {
        let server = try TestServer(good, connections: 3)
        let context = try client()
        for tickets in 1...3 {
            #expect(try request(context, server.port) == (tickets > 1))
            // The last one stays in store, so each further handshake adds its own.
            #expect(context.sessions.count == min(tickets, 2))
        }
    }

    private func finish(_ session: inout BlockingSession) throws -> Bool {
        try session.handshake()
        try session.write([1])
        #expect(try session.readAll().end == .endOfStream)
        return session.session.resumed
    }

    @Test func serverThatForgetsItsKeysGetsFullHandshakes() throws {
        let context = try client()
        let first = try TestServer(good, connections: 2)
        #expect(try !request(context, first.port))
        #expect(try request(context, first.port))
        // Another context has other ticket keys: the stale tickets go, then its own are used.
        let second = try TestServer(good, connections: 20)
        var resumed: [Bool] = []
        for _ in 0..<20 { resumed.append(try request(context, second.port)) }
        #expect(resumed.prefix(1) == [false])
        #expect(resumed.filter { $0 }.count >= 17)
        #expect(resumed.suffix(10).allSatisfy { $0 })
    }

    @Test func refusedSessionIsDropped() throws {
        let context = try client()
        #expect(try !request(context, TestServer(good).port))
        let silent = TestListener()
        let waiting = BlockingSession(context, try TestSocket(connectingTo: silent.port))
        #expect(context.sessions.count == 1)
        // Another context has other keys: the one session is refused, and a new one comes.
        #expect(try !request(context, TestServer(good).port))
        #expect(context.sessions.count == 1)
        let resumed = waiting.session.resumed
        #expect(!resumed)
    }

    /// Nobody has seen it: the first address of a name refuses, say, and the second one is the server.
    @Test func sessionIsKeptWhenNobodyCouldTakeIt() throws {
        let server = try TestServer(good, connections: 3)
        let context = try client()
        for _ in 0..<2 { _ = try request(context, server.port) }
        #expect(context.sessions.count == 2)
        for _ in 0..<5 {
            let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
            let unconnected = TestSocket(taking: descriptor)
            var session = BlockingSession(context, unconnected)
            #expect(throws: TLSFailure.self) { try session.handshake() }
        }
        // Not even a handshake was begun.
        _ = BlockingSession(context, TestSocket(taking: socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)))
        #expect(context.sessions.count == 2)
        #expect(try request(context, server.port))
    }

    @Test func certificateIsCheckedAgainInTime() throws {
        let server = try TestServer(good, connections: 5)
        let clock = Counter()
        let context = try TLSClientContext(
            .init(serverName: .dns(Certificates.name), caFile: files.path("ca.pem")), nowSeconds: { clock.value })
        #expect(try !request(context, server.port))
        clock.add(TLSSessionStore.certificateCheckSeconds - 1)
        #expect(try request(context, server.port))
        // A chain of resumed sessions does not live on.
        clock.add(1)
        #expect(try !request(context, server.port))
        clock.add(TLSSessionStore.certificateCheckSeconds - 1)
        #expect(try request(context, server.port))
        clock.add(1)
        #expect(try !request(context, server.port))
    }

    @Test func threadsShareTheStore() throws {
        let server = try TestServer(good, connections: 400)
        let context = try client()
        _ = try request(context, server.port)
        let count = Counter()
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            for _ in 0..<50 where (try? request(context, server.port)) == true { count.add() }
        }
        #expect(count.value >= 190)
        #expect(context.sessions.count <= TLSSessionStore.capacity)
    }

    private final class Counter: @unchecked Sendable {
        private let lock = NSLock()
        private var count = 0
        func add(_ more: Int = 1) { lock.withLock { count += more } }
        var value: Int { lock.withLock { count } }
    }
}

@Suite(.timeLimit(.minutes(2)))
struct SessionTests {
    @Test func closeNotifyAndTruncationAreToldApart() throws {
        for (ending, expected) in [(TestServer.Ending.closeNotify, TLSResult.endOfStream), (.abrupt, .truncated)] {
            let server = try TestServer(good, ending: ending)
            var session = BlockingSession(try client(), try TestSocket(connectingTo: server.port))
            try session.handshake()
            try session.write([1])
            let (bytes, end) = try session.readAll()
            #expect(bytes == Array("answer".utf8))
            #expect(end == expected)
        }
    }

    @Test func resetIsAFailure() throws {
        let server = try TestServer(good, ending: .reset)
        var session = BlockingSession(try client(), try TestSocket(connectingTo: server.port))
        try session.handshake()
        try session.write([1])
        #expect(try session.read().bytes == Array("answer".utf8))
        try session.write([2])
        #expect(try session.read().end == .failed(.reset))
        // A failed session stays failed.
        #expect(session.session.handshake() == .failed(.reset))
    }

    @Test func versionsAreNegotiated() throws {
        for (option, name) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
            let server = try OpenSSLServer("good", [option, "-www"])
            var session = BlockingSession(try client(), try TestSocket(connectingTo: server.port))
            try session.handshake()
            #expect(session.session.protocolName == name)
        }
    }

    @Test func oldVersionsAreRefused() throws {
        let server = try OpenSSLServer("good", ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-www"])
        var session = BlockingSession(try client(), try TestSocket(connectingTo: server.port))
        // The server says so by an alert (protocol_version), which is told as the version problem that it is.
        #expect(throws: TLSFailure.protocolVersion) { try session.handshake() }
    }

    @Test func plainTextServerIsToldApart() throws {
        let listener = TestListener()
        Thread.detachNewThread {
            guard let socket = listener.accept() else { return }
            let answer = Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)
            _ = send(socket.descriptor, answer, answer.count, 0)
            _ = wait(socket.descriptor, POLLIN)
        }
        var session = BlockingSession(try client(), try TestSocket(connectingTo: listener.port))
        #expect(throws: TLSFailure.notTLS) { try session.handshake() }
    }

    @Test func peerThatClosesInTheHandshakeIsToldApart() throws {
        let listener = TestListener()
        Thread.detachNewThread {
            // Reads the hello, so that the close is an orderly one.
            guard let socket = listener.accept(), wait(socket.descriptor, POLLIN) else { return }
            var hello = [UInt8](repeating: 0, count: 4_096)
            _ = recv(socket.descriptor, &hello, hello.count, 0)
        }
        var session = BlockingSession(try client(), try TestSocket(connectingTo: listener.port))
        #expect(throws: TLSFailure.closed) { try session.handshake() }
    }

    @Test func renegotiationIsRefused() throws {
        let server = try OpenSSLServer("good", ["-tls1_2", "-legacy_renegotiation"])
        var session = BlockingSession(try client(), try TestSocket(connectingTo: server.port))
        try session.handshake()
        try session.write(Array("hello\n".utf8))
        server.type("R\n")
        // The server asks, gets no_renegotiation, and ends the connection by handshake_failure.
        #expect(try session.readAll().end == .failed(.alert(40)))
    }

    @Test func clientCertificateIsShown() throws {
        var configuration = good
        configuration.clientCAFile = files.path("ca.pem")
        let server = try TestServer(configuration, connections: 4)
        let context = try client(certificate: "client")
        #expect(try !request(context, server.port))
        #expect(try request(context, server.port))

        // TLS 1.3: the client's side is done before the server has looked at the certificate, so the alert comes with the first read.
        for certificate in [nil, "stranger"] {
            var session = BlockingSession(
                try client(certificate: certificate), try TestSocket(connectingTo: server.port))
            try session.handshake()
            try session.write([1])
            let end = try session.readAll().end
            #expect(end == .failed(.alert(certificate == nil ? 116 : 48)))
        }
    }

    @Test func serverTellsWhyAClientIsRefused() throws {
        var configuration = good
        configuration.clientCAFile = files.path("ca.pem")
        let listener = TestListener()
        let context = try TLSServerContext(configuration)
        for (certificate, expected) in [(nil, TLSFailure.noCertificate), ("stranger", .untrusted)]
            as [(String?, TLSFailure)]
        {
            let own = try client(certificate: certificate)
            Thread.detachNewThread {
                guard let socket = try? TestSocket(connectingTo: listener.port) else { return }
                var session = BlockingSession(own, socket)
                try? session.handshake()
                try? session.write([1])
                _ = try? session.readAll()
            }
            let socket = try #require(listener.accept())
            var session = BlockingSession(accepting: context, socket)
            #expect(throws: expected) { try session.handshake() }
        }
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"]) func linesComeBackReversed(_ version: String) throws {
        let server = try OpenSSLServer("good", [version, "-rev"])
        var session = BlockingSession(try client(), try TestSocket(connectingTo: server.port))
        try session.handshake()
        for size in [1, 1_000, 15_000] {
            let line = (0..<size).map { UInt8(ascii: "a") + UInt8($0 % 26) }
            try session.write(line + [10])
            var echoed: [UInt8] = []
            while echoed.count < size + 1 {
                let (bytes, end) = try session.read()
                try #require(end == nil)
                echoed += bytes
            }
            #expect(echoed == line.reversed() + [10])
        }
    }

    @Test func answerLargerThanTheSocketIsWhole() throws {
        let answer = (0..<4_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let server = try TestServer(good, answer: answer)
        var session = BlockingSession(try client(), try TestSocket(connectingTo: server.port))
        try session.handshake()
        try session.write([1])
        let (bytes, end) = try session.readAll()
        #expect(bytes == answer)
        #expect(end == .endOfStream)
    }

    @Test func shutdownIsSeenByThePeer() throws {
        let listener = TestListener()
        let context = try TLSServerContext(good)
        let own = try client()
        Thread.detachNewThread {
            guard let socket = try? TestSocket(connectingTo: listener.port) else { return }
            var session = BlockingSession(own, socket)
            try? session.handshake()
            // Nothing was written since: the held end of the handshake goes out with it.
            session.session.shutdown()
        }
        let socket = try #require(listener.accept())
        var session = BlockingSession(accepting: context, socket)
        try session.handshake()
        #expect(try session.readAll().end == .endOfStream)
    }

    /// The peer must not starve for the end of a handshake when nobody writes.
    @Test func heldBytesGoOutBeforeWaiting() throws {
        let listener = TestListener()
        let context = try TLSServerContext(good)
        let own = try client()
        Thread.detachNewThread {
            guard let socket = try? TestSocket(connectingTo: listener.port) else { return }
            var session = BlockingSession(own, socket)
            try? session.handshake()
            // A client that only listens.
            _ = try? session.readAll()
        }
        let socket = try #require(listener.accept())
        var session = BlockingSession(accepting: context, socket)
        try session.handshake()
        try session.write([1])
    }
}
