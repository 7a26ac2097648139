internal import ArgumentParser
internal import EventLoop
internal import FoundationEssentials
internal import ProxyServer
internal import TokenStore

/// The flags that name a forward proxy on the way to the upstream.
struct UpstreamProxyOptions: ParsableArguments {
    @Option(help: "A forward proxy to reach the upstream through, such as http://proxy.example:3128. [UPSTREAM_PROXY]")
    var upstreamProxy: String?
    @Option(help: "A file with USER:PASSWORD for it. [UPSTREAM_PROXY_CREDENTIALS_FILE]")
    var upstreamProxyCredentialsFile: String?
}

/// A forward proxy that the upstream is reached through, for the clients' requests and for the program's own.
struct UpstreamProxySettings {
    let uri: SentryURI
    /// The flag or variable that named it.
    let name: String
    let proxy: UpstreamProxy

    /// - Returns: nil when none is named.
    static func load(_ options: UpstreamProxyOptions, _ upstream: SentryURI) throws(Failure) -> UpstreamProxySettings? {
        let file = Setting("--upstream-proxy-credentials-file", "UPSTREAM_PROXY_CREDENTIALS_FILE")
            .given(options.upstreamProxyCredentialsFile)
        guard let given = Setting("--upstream-proxy", "UPSTREAM_PROXY").given(options.upstreamProxy) else {
            if let file { throw Failure(file.status, "\(file.name): needs --upstream-proxy as well") }
            return nil
        }
        // The value may hold a password, so it is not repeated.
        guard !given.value.contains("@") else {
            throw Failure(
                given.status,
                "\(given.name): a user and password belong into the file that --upstream-proxy-credentials-file names")
        }
        guard let uri = SentryURI(given.value), uri.scheme == .http, uri.unixPath == nil, uri.pathPrefix.isEmpty else {
            throw Failure(given.status, "\(given.name): expected a forward proxy such as http://proxy.example:3128")
        }
        guard upstream.unixPath == nil else {
            throw Failure(given.status, "\(given.name): --sentry-uri is a Unix-domain socket, which no proxy leads to")
        }
        let authorization = try file.map { file throws(Failure) in try credentials(file) }
        return UpstreamProxySettings(
            uri: uri, name: given.name,
            proxy: upstream.scheme == .https
                ? UpstreamProxy(connect: connect(upstream, authorization), authorization: nil)
                : UpstreamProxy(connect: nil, authorization: authorization))
    }

    /// `Basic` credentials (RFC 7617 §2).
    private static func credentials(_ file: Given) throws(Failure) -> Secret {
        let text = try TextFile.read(file.value, mostBytes: 4_096, named: file.name)
        guard let trimmed = Environment.trimmed(text), trimmed.contains(":"), !trimmed.hasPrefix(":"),
            trimmed.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
        else {
            throw Failure(.configuration, "\(file.name): '\(file.value)': expected one line USER:PASSWORD")
        }
        var bytes = Array("Basic \(Data(trimmed.utf8).base64EncodedString())".utf8)
        return Secret(wiping: &bytes)
    }

    /// The port is named always, also one that is the scheme's own (RFC 9110 §9.3.6).
    private static func connect(_ upstream: SentryURI, _ authorization: Secret?) -> Secret {
        let host = upstream.host.contains(":") ? "[\(upstream.host)]" : upstream.host
        let authority = "\(host):\(upstream.port)"
        var bytes = Array(
            "CONNECT \(authority) HTTP/1.1\r\nHost: \(authority)\r\nUser-Agent: sentry-api-proxy/\(Version.text)\r\n"
                .utf8)
        if let authorization {
            bytes += Array("Proxy-Authorization: ".utf8)
            authorization.withBytes { value in for index in 0..<value.count { bytes.append(value[index]) } }
            bytes += Array("\r\n".utf8)
        }
        bytes += Array("\r\n".utf8)
        return Secret(wiping: &bytes)
    }

    /// Variables by which other programs are told of a forward proxy. This one is told by its flag: what it elevates must
    /// not go another way because of a variable that was meant for somebody else.
    static let foreignVariables = [
        "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy",
    ]

    /// Those that are set.
    static var foreign: [String] { foreignVariables.filter { Environment.value($0) != nil } }
}
