internal import SentryClient
internal import TLS
internal import TokenStore

extension UpstreamClient {
    /// A client of the upstream at `uri`, by `tls` if that is https and through `proxy` if there is one.
    convenience init(_ uri: SentryURI, _ tls: ClientTLSConfiguration?, _ proxy: UpstreamProxySettings?) {
        self.init(
            UpstreamEndpoint(
                host: uri.host, port: uri.port, unixPath: uri.unixPath, authority: uri.authority,
                pathPrefix: uri.pathPrefix, tls: tls,
                proxy: proxy.map { ($0.uri.host, $0.uri.port, $0.proxy) }),
            version: Version.text)
    }

    /// Has Sentry write its system token: it does so at the first bearer request, whatever the token is.
    func provoke() async {
        let anyToken = Secret(Array("provoke".utf8))
        _ = await send(UpstreamRequest(.get, path: "/api/0/", bearer: anyToken), within: .seconds(5))
    }

    /// OAuth by this client, ten seconds a call.
    var oauth: OAuthClient {
        OAuthClient { [self] path, form in
            do throws(UpstreamClientError) {
                let answer = try exchange(UpstreamRequest(.postForm(form), path: path), within: .seconds(10))
                return .success(
                    OAuthReply(status: answer.status, body: answer.body, redirectBase: answer.redirectBase))
            } catch {
                return .failure(OAuthTransportFailure(summary: error.message))
            }
        }
    }

    /// What the upstream says to a token.
    enum TokenCheck: Equatable {
        case accepted
        /// 401 or 403.
        case refused(Int)
        /// A redirect to what should be the upstream's base.
        case redirected(base: String)
        /// An answer that tells nothing about the token.
        case unclear(Int)
        case unreachable(UpstreamClientError)
    }

    /// Asks with one call. `/api/0/` answers 200 to a token that Sentry knows, whatever its scopes, and 401 to another.
    func check(_ token: Secret) -> TokenCheck {
        do throws(UpstreamClientError) {
            return TokenCheck(
                try exchange(UpstreamRequest(.get, path: "/api/0/", bearer: token), within: .seconds(10)))
        } catch {
            return .unreachable(error)
        }
    }

    /// The same question for a running proxy: five seconds, and nothing but a clear 401 is a refusal.
    func standing(of token: Secret) async -> TokenStanding {
        switch await send(UpstreamRequest(.get, path: "/api/0/", bearer: token), within: .seconds(5)) {
        case .failure: return .unclear
        case .success(let answer):
            switch TokenCheck(answer) {
            case .accepted: return .accepted
            case .refused(401): return .refused
            case .refused, .redirected, .unclear, .unreachable: return .unclear
            }
        }
    }
}

extension UpstreamClient.TokenCheck {
    init(_ answer: UpstreamResponse) {
        switch answer.status {
        case 200: self = .accepted
        case 401:
            // A token bound to an organization is good, but not here.
            let text = String(decoding: answer.body, as: UTF8.self)
            self = text.contains("limited to organization endpoints") ? .accepted : .refused(401)
        case 403: self = .refused(403)
        default: self = answer.redirectBase.map { .redirected(base: $0) } ?? .unclear(answer.status)
        }
    }
}

extension UpstreamResponse {
    /// Scheme and authority that a redirect leads to; nil for every other answer, and for a redirect to a path.
    var redirectBase: String? {
        guard [301, 302, 303, 307, 308].contains(status), let location,
            let scheme = ["http://", "https://"].first(where: { location.lowercased().hasPrefix($0) })
        else { return nil }
        let authority = location.dropFirst(scheme.utf8.count).prefix { !"/?#".contains($0) }
        return authority.isEmpty ? nil : scheme + authority
    }
}
