internal import AccessPolicy
internal import FoundationEssentials
internal import Logging
internal import SentryClient
internal import System
internal import TokenStore

/// Asks Sentry what the proxy's own token can do, at the start and whenever there is another token, so that the device flow
/// promises nothing that Sentry refuses. On a thread of its own.
struct TokenScopeWatch {
    private static let call: Duration = .seconds(10)
    private static let firstRetry: Duration = .seconds(1)
    private static let longestRetry: Duration = .seconds(600)

    let tokens: TokenPublisher
    let client: UpstreamClient
    let log: Logger
    /// Opened when there is another token.
    let due: Latch
    let note: @Sendable (TokenReach) -> Void

    private struct Index: Decodable {
        struct Auth: Decodable { var scopes: [String] }
        var auth: Auth?
    }

    func start() throws(SystemError) {
        let thread = try Thread(name: "token-scopes") { [self] in
            var asked: Secret?
            var reach = TokenReach()
            var (next, retry) = (Instant.distantPast, Self.firstRetry)
            while true {
                if let token = tokens.current().token {
                    if token != asked {
                        (asked, next, retry) = (token, .distantPast, Self.firstRetry)
                        reach.beginAnother(isOrganizations: Self.isOrganizations(token))
                        note(reach)
                    }
                    if Clock.now >= next {
                        if let index = ask(token) {
                            reach.scopes = index.auth.map { TokenReach.scopes($0.scopes) }
                            note(reach)
                            tell(reach)
                            next = .never
                        } else {
                            next = Clock.now + retry
                            retry = min(retry * 2, Self.longestRetry)
                        }
                    }
                }
                due.pass(within: min(max(next - Clock.now, .milliseconds(1)), Self.longestRetry))
            }
        }
        thread.detach()
    }

    private static func isOrganizations(_ token: Secret) -> Bool {
        token.withBytes { bytes in
            let prefix = Array("sntrys_".utf8)
            return bytes.count >= prefix.count && prefix.indices.allSatisfy { bytes[$0] == prefix[$0] }
        }
    }

    /// - Returns: nil when the answer tells nothing of the token.
    private func ask(_ token: Secret) -> Index? {
        guard
            let answer = try? client.exchange(
                UpstreamRequest(.get, path: "/api/0/", bearer: token), within: Self.call),
            answer.status == 200
        else { return nil }
        return (try? JSONDecoder().decode(Index.self, from: Data(answer.body))) ?? Index()
    }

    private func tell(_ reach: TokenReach) {
        if reach.isOrganizations { log.warning("the token is an organization's: it can upload, and read little") }
        if let scopes = reach.scopes {
            log.info(
                "the device flow grants within the scopes of the token",
                metadata: ["scopes": "\(scopes.names.joined(separator: " "))"])
        } else {
            log.info("Sentry does not tell the scopes of the token: the device flow's grants are not cut to them")
        }
    }
}
