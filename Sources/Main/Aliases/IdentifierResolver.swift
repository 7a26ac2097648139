internal import AccessPolicy
internal import FoundationEssentials
internal import Logging
internal import ProxyServer
internal import SentryClient
internal import System
internal import TokenStore

/// Asks Sentry for the numbers of the organizations and projects that aliases are held to: at each load, and every ten
/// minutes from then on. With the proxy's own token, on a thread of its own.
struct IdentifierResolver {
    private static let period: Duration = .seconds(600)
    private static let firstRetry: Duration = .seconds(1)
    private static let call: Duration = .seconds(10)
    let policy: Published<PolicyConfiguration>
    let tokens: TokenPublisher
    let client: UpstreamClient
    let log: Logger
    /// Opened when there are other rights or another token.
    let due: Latch
    /// Publishes the second in place of the first; false when the first is no longer what holds.
    let replace: @Sendable (RightsInForce, RightsInForce) -> Bool

    private struct Named: Decodable {
        var id: String
        var slug: String
    }

    /// What was said of the names last, so that a problem that stays is said once.
    private struct Said {
        var refused: Set<String> = []
        var unknown: Set<String> = []
    }

    func start() throws(SystemError) {
        let thread = try Thread(name: "identifiers") { [self] in
            var said = Said()
            var last: RightsInForce?
            var (next, retry) = (Instant.distantPast, Self.firstRetry)
            var lacksToken = false
            while true {
                let rights = policy.current().value.rights
                let hasToken = tokens.current().token != nil
                if let rights, rights !== last || Clock.now >= next || lacksToken && hasToken {
                    let isNew = rights !== last
                    if isNew { retry = Self.firstRetry }
                    lacksToken = !hasToken
                    let (following, isWhole) = resolve(rights, isNew: isNew, &said)
                    last = following
                    next = Clock.now + (isWhole ? Self.period : retry)
                    retry = min(retry * 2, Self.period)
                    // Rights that came meanwhile may have opened it, or not yet.
                    if following == nil { continue }
                }
                due.pass(within: rights == nil ? Self.period : max(next - Clock.now, .milliseconds(1)))
            }
        }
        thread.detach()
    }

    /// - Returns: the rights that hold now, as far as known here, and whether every name was answered.
    private func resolve(_ rights: RightsInForce, isNew: Bool, _ said: inout Said) -> (RightsInForce?, Bool) {
        let table = rights.table
        guard !table.organizations.isEmpty else { return (rights, true) }
        guard let token = tokens.current().token else { return (rights, false) }
        var now = Said()
        var (organizations, projects): ([Int: UInt64], [Int: UInt64]) = ([:], [:])
        for (index, held) in table.organizations.enumerated() {
            let slug = table.string(held.slug)
            if let id = ask("/api/0/organizations/\(slug)/?detailed=0", slug, token) {
                organizations[index] = id
            } else {
                now.unknown.insert(slug)
            }
        }
        func name(_ held: HeldProject) -> String {
            "\(table.string(table.organizations[Int(held.organization)].slug))/\(table.string(held.slug))"
        }
        for (index, held) in table.projects.enumerated() {
            if let id = ask("/api/0/projects/\(name(held))/", table.string(held.slug), token) {
                projects[index] = id
            } else {
                now.unknown.insert(name(held))
            }
        }
        var identifiers = rights.identifiers
        let refused = identifiers.note(organizations: organizations, projects: projects, table)
        for index in refused.organizations { now.refused.insert(table.string(table.organizations[index].slug)) }
        for index in refused.projects { now.refused.insert(name(table.projects[index])) }
        let following = rights.with(identifiers)
        guard replace(rights, following) else { return (nil, false) }
        tell(now, since: said, isNew: isNew, count: table.organizations.count + table.projects.count)
        said = now
        return (following, now.unknown.isEmpty)
    }

    private func tell(_ now: Said, since said: Said, isNew: Bool, count: Int) {
        for name in now.refused.subtracting(said.refused).sorted() {
            log.error(
                "the slug now belongs to another organization or project: aliases that name it are refused",
                metadata: ["name": "\(name)"])
        }
        if !now.unknown.isEmpty, now.unknown != said.unknown {
            let names = now.unknown.sorted().prefix(10).joined(separator: " ")
            log.warning(
                "Sentry gives no ids for organizations or projects that aliases name",
                metadata: ["names": "\(names)", "of": "\(count)"])
        } else if now.unknown.isEmpty, isNew || !said.unknown.isEmpty {
            log.info(
                "the ids of all organizations and projects of aliases are known", metadata: ["count": "\(count)"]
            )
        }
    }

    /// - Returns: nil when the answer does not say.
    private func ask(_ path: String, _ slug: String, _ token: Secret) -> UInt64? {
        guard
            let answer = try? client.exchange(
                UpstreamRequest(.get, path: path, bearer: token), within: Self.call),
            answer.status == 200, let named = try? JSONDecoder().decode(Named.self, from: Data(answer.body)),
            named.slug == slug, let id = UInt64(named.id), id > 0
        else { return nil }
        return id
    }
}
