internal import EventLoop
internal import ProxyServer
internal import TLS

/// TLS on both sides, as the operator set it; loaded at start, on SIGHUP and when a file has changed.
struct TLSSettings {
    /// Nil when the upstream is plain.
    let client: ClientTLSConfiguration?
    /// Nil when the clients are.
    private let server: ServerTLSConfiguration?

    /// Clients speak TLS here.
    var isServer: Bool { server != nil }

    /// Any certificate of the upstream is taken.
    var isInsecure: Bool { client?.verify == false }

    /// What to watch. The system's own authorities are none of it.
    var files: [String] {
        [
            client?.caFile, client?.certificateFile, client?.keyFile, server?.certificateFile, server?.keyFile,
            server?.clientCAFile,
        ].compactMap { $0 }
    }

    init(_ options: ServeOptions, _ uri: SentryURI) throws(Failure) {
        client = try Self.client(
            caFile: options.caFile, certificate: options.clientCert, key: options.clientKey,
            skipsVerify: options.insecureSkipVerify, uri)
        let ownCertificate = Setting("--tls-cert", "TLS_CERT").given(options.tlsCert)
        let ownKey = Setting("--tls-key", "TLS_KEY").given(options.tlsKey)
        let clientCA = Setting("--client-ca", "CLIENT_CA").given(options.clientCa)
        switch (ownCertificate, ownKey) {
        case (let certificate?, let key?):
            server = ServerTLSConfiguration(
                certificateFile: certificate.value, keyFile: key.value, clientCAFile: clientCA?.value)
        case (nil, nil):
            if let clientCA { throw Failure(clientCA.status, "\(clientCA.name): needs --tls-cert and --tls-key") }
            server = nil
        case (let given?, nil): throw Failure(given.status, "\(given.name): needs --tls-key as well")
        case (nil, let given?): throw Failure(given.status, "\(given.name): needs --tls-cert as well")
        }
    }

    /// How to speak to the upstream; the files are not read yet.
    static func client(
        caFile: String?, certificate: String?, key: String?, skipsVerify: Bool, _ uri: SentryURI
    ) throws(Failure) -> ClientTLSConfiguration? {
        let caFile = Setting("--ca-file", "CA_FILE").given(caFile)
        let certificate = Setting("--client-cert", "CLIENT_CERT").given(certificate)
        let key = Setting("--client-key", "CLIENT_KEY").given(key)
        let skips = try Setting("--insecure-skip-verify", "INSECURE_SKIP_VERIFY").switchedOn(skipsVerify) != nil
        guard uri.scheme == .https else {
            // Of an upstream that could not be read nobody knows the scheme.
            if let given = caFile ?? certificate ?? key, !SettingSources.isSetAside("--sentry-uri") {
                throw Failure(given.status, "\(given.name): only for an upstream with https, and --sentry-uri is http")
            }
            return nil
        }
        let isAddress = SocketAddress(address: uri.host, port: uri.port) != nil
        return ClientTLSConfiguration(
            serverName: isAddress ? .ip(uri.host) : .dns(uri.host), caFile: caFile?.value,
            certificateFile: certificate?.value, keyFile: key?.value, verify: !skips)
    }

    /// Reads the files.
    func load() throws(Failure) -> TLSContexts { TLSContexts(client: try loadClient(), server: try loadServer()) }

    /// Clients speak https.
    var servesTLS: Bool { server != nil }

    func loadClient() throws(Failure) -> TLSClientContext? {
        try Self.naming { () throws(TLSConfigurationError) in
            if let client { try TLSClientContext(client) } else { nil }
        }
    }

    func loadServer() throws(Failure) -> TLSServerContext? {
        try Self.naming { () throws(TLSConfigurationError) in
            if let server { try TLSServerContext(server) } else { nil }
        }
    }

    private static func naming<Value>(_ body: () throws(TLSConfigurationError) -> Value) throws(Failure) -> Value {
        do throws(TLSConfigurationError) {
            return try body()
        } catch {
            throw Failure(.configuration, error.description)
        }
    }
}
