import Foundation
import TLS

/// Waits for one socket with poll(2); false after ten seconds.
func wait(_ descriptor: CInt, _ events: CInt) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    return poll(&entry, 1, 10_000) == 1
}

enum TestError: Error {
    case system(CInt)
    case deadline
}

/// A non-blocking TCP socket; closed with its owner.
final class TestSocket: Sendable {
    let descriptor: CInt

    init(taking descriptor: CInt) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        var on: CInt = 1
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<CInt>.size))
    }

    convenience init(connectingTo port: UInt16) throws {
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw TestError.system(errno) }
        var address = loopback(port)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            let code = errno
            close(descriptor)
            throw TestError.system(code)
        }
        self.init(taking: descriptor)
    }

    /// Ends the connection by a reset.
    func setReset() {
        var value = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &value, socklen_t(MemoryLayout<linger>.size))
    }

    deinit { close(descriptor) }
}

func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
}

/// A listening socket on a free port of the loopback address.
final class TestListener: Sendable {
    let descriptor: CInt
    let port: UInt16

    init() {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var address = loopback(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        port = withUnsafeMutablePointer(to: &address) { [descriptor] address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                guard bind(descriptor, $0, size) == 0, listen(descriptor, 128) == 0,
                    getsockname(descriptor, $0, &size) == 0
                else { fatalError("listener: errno \(errno)") }
            }
            return UInt16(bigEndian: address.pointee.sin_port)
        }
    }

    func accept() -> TestSocket? {
        guard wait(descriptor, POLLIN) else { return nil }
        let client = Foundation.accept(descriptor, nil, nil)
        return client < 0 ? nil : TestSocket(taking: client)
    }

    deinit { close(descriptor) }
}

/// One session over one socket, driven by poll(2).
struct BlockingSession: ~Copyable {
    let socket: TestSocket
    var session: TLSSession

    init(_ context: TLSClientContext, _ socket: TestSocket) {
        self.socket = socket
        session = TLSSession(context: context, descriptor: socket.descriptor, isWatched: false)
    }

    init(accepting context: TLSServerContext, _ socket: TestSocket) {
        self.socket = socket
        session = TLSSession(accepting: context, descriptor: socket.descriptor)
    }

    mutating func handshake() throws {
        while true {
            switch session.handshake() {
            case .done: return
            case .paused: continue
            case .wantsRead: guard wait(socket.descriptor, POLLIN) else { throw TestError.deadline }
            case .wantsWrite: guard wait(socket.descriptor, POLLOUT) else { throw TestError.deadline }
            case .failed(let failure): throw failure
            }
        }
    }

    mutating func write(_ bytes: [UInt8]) throws {
        var start = 0
        while start < bytes.count {
            switch bytes.withUnsafeBytes({ session.write(UnsafeRawBufferPointer(rebasing: $0[start...])) }) {
            case .bytes(let count): start += count
            case .paused: continue
            case .wantsRead: guard wait(socket.descriptor, POLLIN) else { throw TestError.deadline }
            case .wantsWrite: guard wait(socket.descriptor, POLLOUT) else { throw TestError.deadline }
            case .failed(let failure): throw failure
            case .endOfStream, .truncated: throw TLSFailure.closed
            }
        }
    }

    /// One read: the bytes, or how the stream ended.
    mutating func read() throws -> (bytes: [UInt8], end: TLSResult?) {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let result = buffer.withUnsafeMutableBytes { session.read(into: $0) }
            switch result {
            case .bytes(let count): return (Array(buffer[..<count]), nil)
            case .paused: continue
            case .wantsRead: guard wait(socket.descriptor, POLLIN) else { throw TestError.deadline }
            case .wantsWrite: guard wait(socket.descriptor, POLLOUT) else { throw TestError.deadline }
            case .endOfStream, .truncated, .failed: return ([], result)
            }
        }
    }

    mutating func readAll() throws -> (bytes: [UInt8], end: TLSResult) {
        var all: [UInt8] = []
        while true {
            let (bytes, end) = try read()
            all += bytes
            if let end { return (all, end) }
        }
    }
}

/// A TLS server on a thread of its own that serves `connections` clients in turn.
final class TestServer: Sendable {
    enum Ending: Sendable { case closeNotify, abrupt, reset }

    let listener = TestListener()
    var port: UInt16 { listener.port }

    /// Each client sends one block and gets `answer`.
    init(
        _ configuration: ServerTLSConfiguration, connections: Int = 1, answer: [UInt8] = Array("answer".utf8),
        ending: Ending = .closeNotify
    ) throws {
        let context = try TLSServerContext(configuration)
        let listener = listener
        Thread.detachNewThread {
            for _ in 0..<connections {
                guard let socket = listener.accept() else { return }
                var session = BlockingSession(accepting: context, socket)
                do {
                    try session.handshake()
                    guard try session.read().end == nil else { continue }
                    try session.write(answer)
                } catch { continue }
                switch ending {
                case .closeNotify: session.session.shutdown()
                case .abrupt: break
                case .reset:
                    // The client has the answer, and says so, before the reset can overtake it.
                    _ = try? session.read()
                    socket.setReset()
                }
            }
        }
    }
}

/// `openssl s_server` on a free port, ended with its owner.
final class OpenSSLServer {
    let port: UInt16
    private let process = Process()
    private let input = Pipe()

    init(_ certificate: String, _ options: [String]) throws {
        let certificates = Certificates.shared
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments =
            [
                "s_server", "-accept", "127.0.0.1:0", "-cert", certificates.path("\(certificate).pem"), "-key",
                certificates.path("\(certificate).key"),
            ] + options
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = input
        try process.run()
        var said = ""
        var found: UInt16?
        while found == nil {
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else { throw TestError.deadline }
            said += String(decoding: data, as: UTF8.self)
            for line in said.split(separator: "\n", omittingEmptySubsequences: true).dropLast(
                said.hasSuffix("\n") ? 0 : 1)
            where line.hasPrefix("ACCEPT ") {
                found = line.split(separator: ":").last.flatMap { UInt16($0) }
            }
        }
        port = found ?? 0
        // Whatever it prints later is read and dropped, so that it never blocks.
        output.fileHandleForReading.readabilityHandler = { _ = $0.availableData }
    }

    func type(_ text: String) {
        input.fileHandleForWriting.write(Data(text.utf8))
    }

    deinit {
        // Not SIGTERM: a child of a dispatch thread inherits that thread's mask, which blocks it.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
