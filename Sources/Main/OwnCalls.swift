internal import EventLoop
internal import ProxyServer
internal import TLS
internal import TokenStore

/// The TLS files of the program's own calls to the upstream.
struct TLSFiles {
    let caFile: String?
    let certificate: String?
    let key: String?

    init(caFile: String? = nil, certificate: String? = nil, key: String? = nil) {
        self.caFile = Setting("--ca-file", "CA_FILE").given(caFile)?.value
        self.certificate = Setting("--client-cert", "CLIENT_CERT").given(certificate)?.value
        self.key = Setting("--client-key", "CLIENT_KEY").given(key)?.value
    }
}

extension UpstreamClient {
    /// A client of the upstream at `uri`.
    convenience init(_ uri: SentryURI, _ files: TLSFiles) throws(Failure) {
        var context: TLSClientContext?
        if uri.scheme == .https {
            let isAddress = SocketAddress(address: uri.host, port: uri.port) != nil
            let configuration = ClientTLSConfiguration(
                serverName: isAddress ? .ip(uri.host) : .dns(uri.host), caFile: files.caFile,
                certificateFile: files.certificate, keyFile: files.key)
            do throws(TLSConfigurationError) {
                context = try TLSClientContext(configuration)
            } catch {
                throw Failure(.configuration, error.description)
            }
        }
        self.init(
            UpstreamEndpoint(
                host: uri.host, port: uri.port, unixPath: uri.unixPath, authority: uri.authority,
                pathPrefix: uri.pathPrefix, tls: context),
            version: Version.text)
    }

    /// Has Sentry write its system token: it does so at the first bearer request, whatever the token is.
    func provoke() async {
        let anyToken = Secret(Array("provoke".utf8))
        _ = await send(UpstreamRequest(.get, path: "/api/0/", bearer: anyToken), within: 5_000_000_000)
    }

    /// OAuth by this client, ten seconds a call.
    var oauth: OAuthClient {
        OAuthClient { [self] path, form in
            do throws(UpstreamClientError) {
                let answer = try exchange(UpstreamRequest(.postForm(form), path: path), within: 10_000_000_000)
                return .success(OAuthReply(status: answer.status, body: answer.body))
            } catch {
                return .failure(OAuthTransportFailure(summary: error.message))
            }
        }
    }

    /// What the upstream says to a token.
    enum Verdict: Equatable {
        case accepted
        /// 401 or 403.
        case refused(Int)
        /// An answer that tells nothing about the token.
        case unclear(Int)
        case unreachable(UpstreamClientError)
    }

    /// Asks with one call. `/api/0/` answers 200 to a token that Sentry knows, whatever its scopes, and 401 to another.
    func verdict(on token: Secret) -> Verdict {
        do throws(UpstreamClientError) {
            let answer = try exchange(UpstreamRequest(.get, path: "/api/0/", bearer: token), within: 10_000_000_000)
            switch answer.status {
            case 200: return .accepted
            case 401:
                // A token bound to an organization is good, but not here.
                let text = String(decoding: answer.body, as: UTF8.self)
                return text.contains("limited to organization endpoints") ? .accepted : .refused(401)
            case 403: return .refused(403)
            default: return .unclear(answer.status)
            }
        } catch {
            return .unreachable(error)
        }
    }
}
