package import ProxyServer
package import TLS

/// Where the program's own calls go.
package struct UpstreamEndpoint: Sendable {
    /// Name or address, without the brackets of an IPv6 address.
    package let host: String
    package let port: UInt16
    /// A Unix-domain socket that is connected to instead.
    package let unixPath: String?
    /// The value of the `Host` field (RFC 9110 §7.2).
    package let authority: String
    /// With a leading and without a trailing slash, or empty.
    package let pathPrefix: String
    /// nil for plain HTTP.
    package let tls: ClientTLSConfiguration?
    /// A forward proxy on the way, with its name or address and port.
    package let proxy: (host: String, port: UInt16, forms: UpstreamProxy)?

    package init(
        host: String, port: UInt16, unixPath: String?, authority: String, pathPrefix: String,
        tls: ClientTLSConfiguration?, proxy: (host: String, port: UInt16, forms: UpstreamProxy)? = nil
    ) {
        self.proxy = proxy
        self.host = host
        self.port = port
        self.unixPath = unixPath
        self.authority = authority
        self.pathPrefix = pathPrefix
        self.tls = tls
    }
}
