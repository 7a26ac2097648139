internal import EventLoop
internal import Glibc
internal import HTTP1
internal import ProxyServer
internal import System
internal import TokenStore

/// Asks the admin listener one question.
struct AdminClient {
    struct Result {
        let isHealthy: Bool
        /// What it said, or why it could not be asked.
        let line: String
    }

    private static let time: Duration = .seconds(5)
    private static let mostBytes = 65_536
    /// An answer of the device flow.
    private static let mostQuestionBytes = 4_194_304

    private let target: SocketAddress

    init(_ admin: AdminAddress) throws(Failure) {
        switch admin.address {
        case nil:
            throw Failure(.usage, "--admin-listen: it is off, so nobody can be asked")
        case .unix(let path):
            target = SocketAddress(unixPath: path)!
        case .inet(let host, let port):
            // A listener on every address is asked on the loopback one.
            let address = host.isEmpty || host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : host
            target = SocketAddress(address: address, port: port)!
        }
    }

    func ask(_ path: String) -> Result {
        do throws(SystemError) {
            let answer = try exchange(Self.request(path), mostBytes: Self.mostBytes)
            let parser = ResponseHeadParser()
            guard let isWhole = try? parser.parse(answer.span), isWhole else {
                return Result(isHealthy: false, line: "\(target.text): this is not an admin listener")
            }
            let body = String(decoding: answer[parser.head.length...], as: UTF8.self)
            let line = body.split(separator: "\n").first.map(String.init) ?? "status \(parser.head.status)"
            return Result(isHealthy: parser.head.status == 200, line: line)
        } catch {
            return Result(isHealthy: false, line: "\(target.text): \(error.summary)")
        }
    }

    /// The whole body of a page.
    func read(_ path: String) throws(Failure) -> String {
        let answer: [UInt8]
        do throws(SystemError) {
            answer = try exchange(Self.request(path), mostBytes: 67_108_864)
        } catch {
            throw Failure(.unavailable, "--admin-listen: \(target.text): \(error.summary)")
        }
        let parser = ResponseHeadParser()
        guard let isWhole = try? parser.parse(answer.span), isWhole, parser.head.status == 200 else {
            throw Failure(.unavailable, "--admin-listen: \(target.text): this is not an admin listener of this version")
        }
        return String(decoding: answer[parser.head.length...], as: UTF8.self)
    }

    private static func request(_ path: String) -> [UInt8] {
        Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
    }

    /// Asks the device flow.
    /// - Parameters:
    ///   - question: JSON.
    ///   - token: the secret of `--admin-token-file`.
    /// - Returns: what it says.
    /// - Throws: what kept it from doing what was asked, in its own words.
    func ask(device question: [UInt8], token: Secret?) throws(Failure) -> String {
        let answer: [UInt8]
        do throws(SystemError) {
            var request = Array(
                ("POST /device HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    + "Content-Length: \(question.count)\r\nConnection: close\r\n").utf8)
            if let token {
                // With room for all that follows: growing would leave a copy behind.
                request.reserveCapacity(request.count + token.count + question.count + 64)
                request += Array("Authorization: Bearer ".utf8)
                token.withBytes { bytes in for index in bytes.indices { request.append(bytes[index]) } }
                request += Array("\r\n".utf8)
            }
            request += Array("\r\n".utf8) + question
            // It is wiped as a secret is.
            defer { _ = Secret(wiping: &request) }
            answer = try exchange(request, mostBytes: Self.mostQuestionBytes)
        } catch {
            throw Failure(.unavailable, "--admin-listen: \(target.text): \(error.summary)")
        }
        let parser = ResponseHeadParser()
        guard let isWhole = try? parser.parse(answer.span), isWhole else {
            throw Failure(.unavailable, "--admin-listen: \(target.text): this is not an admin listener")
        }
        let text = String(decoding: answer[parser.head.length...].dropLast(), as: UTF8.self)
        switch parser.head.status {
        case 200: return text
        case 400: throw Failure(.usage, text)
        case 401, 403, 421: throw Failure(.noPermission, text)
        case 404 where text == "there is nothing at this path":
            throw Failure(
                .unavailable, "--admin-listen: \(target.text): this proxy has no device flow (--device-flow on)")
        case 404: throw Failure(.data, text)
        default: throw Failure(.unavailable, text)
        }
    }

    /// Sends the request and reads to the end of the connection.
    private func exchange(_ request: [UInt8], mostBytes: Int) throws(SystemError) -> [UInt8] {
        let deadline = Clock.now + Self.time
        let socket = try Socket.connecting(to: target)
        try wait(socket, POLLOUT, deadline)
        if let error = socket.pendingError { throw error }
        // A new socket's buffer takes a request of this size whole.
        switch request.withUnsafeBytes({ socket.send($0, more: false) }) {
        case .bytes: break
        case .failed(let error): throw error
        case .wouldBlock, .endOfStream: throw .timedOut
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while answer.count < mostBytes {
            switch buffer.withUnsafeMutableBytes({ socket.receive(into: $0) }) {
            case .bytes(let count): answer += buffer[..<count]
            case .endOfStream: return answer
            case .failed(let error): throw error
            case .wouldBlock: try wait(socket, POLLIN, deadline)
            }
        }
        return answer
    }

    private func wait(_ socket: borrowing Socket, _ events: CInt, _ deadline: Instant) throws(SystemError) {
        guard try waitUntilReady(socket.descriptor, for: events, until: deadline) else { throw .timedOut }
    }
}
