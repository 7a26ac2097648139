internal import EventLoop
internal import HTTP1
internal import ProxyServer
package import System
internal import TLS
package import TokenStore

/// One of the program's own calls.
package struct UpstreamRequest: Sendable {
    package enum Method: Sendable {
        case get
        /// With a body of `application/x-www-form-urlencoded`.
        case postForm(Secret)
    }

    package let method: Method
    /// A path below the endpoint's prefix, with a leading slash; visible ASCII.
    package let path: String
    /// For `Authorization: Bearer`.
    package let bearer: Secret?

    package init(_ method: Method, path: String, bearer: Secret? = nil) {
        self.method = method
        self.path = path
        self.bearer = bearer
    }
}

package struct UpstreamResponse: Sendable {
    package let status: Int
    /// The value of `Location`, when it is visible ASCII.
    package let location: String?
    /// Whole, without its coding.
    package let body: [UInt8]
}

/// A client for the few calls that the program itself makes: one request a connection, one deadline for all of it.
///
/// Not on the data path. `exchange` blocks its thread; `send` runs it on a thread of its own.
package final class UpstreamClient: Sendable {
    package static let mostAnswerBytes = 1 << 20
    static let mostRequestBytes = 65_536

    package let endpoint: UpstreamEndpoint
    private let userAgent: String

    /// - Parameter version: the program's version, for `User-Agent`.
    package init(_ endpoint: UpstreamEndpoint, version: String) {
        self.endpoint = endpoint
        userAgent = "sentry-api-proxy/\(version)"
    }

    /// Sends `request` without blocking a thread of the cooperative pool.
    package func send(
        _ request: UpstreamRequest, within time: Duration
    ) async -> Result<UpstreamResponse, UpstreamClientError> {
        let answer = await onOwnThread(within: time) { [self] in
            Result { () throws(UpstreamClientError) in try exchange(request, within: time) }
        }
        // A look-up of a name has no deadline of its own.
        return answer ?? .failure(.deadlinePassed)
    }

    /// Sends `request` and reads the whole answer; blocks.
    /// - Parameter nanoseconds: from now until the answer's last byte. A look-up of a host name may add to it.
    package func exchange(
        _ request: UpstreamRequest, within time: Duration
    ) throws(UpstreamClientError) -> UpstreamResponse {
        let deadline = Clock.now + time
        let connection = try connect(deadline)
        defer { connection.close() }
        try write(request, to: connection)
        return try read(from: connection)
    }

    // MARK: - Connecting

    private func connect(_ deadline: Instant) throws(UpstreamClientError) -> BlockingConnection {
        let context = try tlsContext()
        let addresses = try addresses()
        var failure = UpstreamClientError.notConnected(.timedOut)
        for (index, address) in addresses.enumerated() {
            let now = Clock.now
            guard now < deadline else { throw .deadlinePassed }
            // A silent address must leave time for those behind it.
            let share = now + (deadline - now) / (addresses.count - index)
            do throws(UpstreamClientError) {
                let connection = try BlockingConnection(to: address, connectDeadline: share, deadline: deadline)
                if let tunnel = endpoint.proxy?.forms.connect { try connection.open(tunnel) }
                if let context { try connection.startTLS(context) }
                return connection
            } catch {
                failure = error
            }
        }
        throw failure
    }

    /// Made for each call: the calls are few, and files that have changed are read anew.
    private func tlsContext() throws(UpstreamClientError) -> TLSClientContext? {
        guard let configuration = endpoint.tls else { return nil }
        do throws(TLSConfigurationError) {
            return try TLSClientContext(configuration)
        } catch {
            throw .tlsConfiguration(error)
        }
    }

    private func addresses() throws(UpstreamClientError) -> [SocketAddress] {
        if let path = endpoint.unixPath { return SocketAddress(unixPath: path).map { [$0] } ?? [] }
        let (host, port) = endpoint.proxy.map { ($0.host, $0.port) } ?? (endpoint.host, endpoint.port)
        if let literal = SocketAddress(address: host, port: port) { return [literal] }
        switch Resolver.systemLookUp(host: host, port: port) {
        case .success(let found): return found
        case .failure(let failure): throw .nameNotFound(failure)
        }
    }

    // MARK: - One request

    private func write(_ request: UpstreamRequest, to connection: BlockingConnection) throws(UpstreamClientError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.mostRequestBytes, alignment: 1)
        defer {
            // It held a token or a form with one.
            buffer.initializeMemory(as: UInt8.self, repeating: 0)
            buffer.deallocate()
        }
        var writer = HeadWriter(buffer)
        switch request.method {
        case .get: writer.append("GET ")
        case .postForm: writer.append("POST ")
        }
        let isAbsolute = endpoint.proxy != nil && endpoint.tls == nil
        if isAbsolute { writer.append(Array("http://\(endpoint.authority)".utf8)) }
        writer.append(Array((endpoint.pathPrefix + request.path).utf8))
        writer.append(" HTTP/1.1\r\nHost: ")
        writer.append(Array(endpoint.authority.utf8))
        writer.append("\r\nUser-Agent: ")
        writer.append(Array(userAgent.utf8))
        writer.append("\r\nAccept: application/json\r\nAccept-Encoding: identity\r\nConnection: close\r\n")
        if isAbsolute, let authorization = endpoint.proxy?.forms.authorization {
            writer.append("Proxy-Authorization: ")
            authorization.withBytes { writer.append($0) }
            writer.append("\r\n")
        }
        if let bearer = request.bearer {
            writer.append("Authorization: Bearer ")
            bearer.withBytes { writer.append($0) }
            writer.append("\r\n")
        }
        if case .postForm(let form) = request.method {
            writer.append("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ")
            writer.append(decimal: UInt64(form.count))
            writer.append("\r\n\r\n")
            form.withBytes { writer.append($0) }
        } else {
            writer.append("\r\n")
        }
        guard !writer.overflowed else { throw .requestTooLong }
        try connection.write(UnsafeRawBufferPointer(rebasing: buffer[..<writer.count]))
    }

    // MARK: - One answer

    private func read(from connection: BlockingConnection) throws(UpstreamClientError) -> UpstreamResponse {
        var bytes: [UInt8] = []
        let head = try readHead(from: connection, &bytes)
        let framing: BodyFraming
        do throws(ParseError) {
            // Neither GET nor POST is HEAD, which alone of all methods changes the framing.
            framing = try responseFraming(head, bytes.span, requestMethod: .get)
        } catch {
            throw .malformedAnswer(error)
        }
        let location = Self.location(head, bytes)
        bytes.removeFirst(head.length)
        switch framing {
        case .none: bytes = []
        case .length(let length):
            guard length <= UInt64(Self.mostAnswerBytes) else { throw .answerTooLong }
            while bytes.count < Int(length) {
                guard try connection.read(into: &bytes) else { throw .cutShort }
            }
            bytes.removeLast(bytes.count - Int(length))
        case .untilClose:
            while try connection.read(into: &bytes) {
                guard bytes.count <= Self.mostAnswerBytes else { throw .answerTooLong }
            }
            guard connection.endedCleanly else { throw .cutShort }
        case .chunked:
            bytes = try readChunks(from: connection, first: bytes)
        }
        return UpstreamResponse(status: head.status, location: location, body: bytes)
    }

    private static func location(_ head: ResponseHead, _ bytes: [UInt8]) -> String? {
        for i in head.fields.indices(around: .location) where head.fields[i].known == .location {
            let value = bytes[head.fields[i].value.range]
            return value.allSatisfy { 0x21...0x7e ~= $0 } ? String(decoding: value, as: UTF8.self) : nil
        }
        return nil
    }

    /// The final head; interim ones (1xx) are dropped.
    private func readHead(
        from connection: BlockingConnection, _ bytes: inout [UInt8]
    ) throws(UpstreamClientError) -> ResponseHead {
        let parser = ResponseHeadParser(limits: HeadLimits(fields: 200))
        while true {
            do throws(ParseError) {
                if try parser.parse(bytes.span) {
                    let head = parser.head
                    if head.status >= 200 { return head }
                    bytes.removeFirst(head.length)
                    parser.reset()
                    continue
                }
            } catch {
                throw .malformedAnswer(error)
            }
            guard try connection.read(into: &bytes) else { throw .cutShort }
        }
    }

    private func readChunks(
        from connection: BlockingConnection, first: [UInt8]
    ) throws(UpstreamClientError) -> [UInt8] {
        var input = first
        var body: [UInt8] = []
        var decoder = ChunkedDecoder()
        while true {
            var at = 0
            while at < input.count, !decoder.isComplete {
                do throws(ParseError) {
                    let step = try decoder.next(input.span.extracting(at..<input.count))
                    body.append(contentsOf: input[(at + step.payload.lowerBound)..<(at + step.payload.upperBound)])
                    at += step.consumed
                } catch {
                    throw .malformedAnswer(error)
                }
                guard body.count <= Self.mostAnswerBytes else { throw .answerTooLong }
            }
            if decoder.isComplete { return body }
            input.removeAll(keepingCapacity: true)
            guard try connection.read(into: &input) else { throw .cutShort }
        }
    }
}
