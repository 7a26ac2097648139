/// What the proxy's own token can do, as far as that is known.
package struct TokenReach: Sendable, Equatable {
    /// With what they imply; nil when Sentry does not tell them.
    package var scopes: ScopeSet?
    /// It is an organization's: it can upload, and read little.
    package var isOrganizations = false

    package init() {}

    /// Another token, of which Sentry has told nothing yet. Of what the last one could do, only what reads may be promised
    /// meanwhile: a grant lasts, and the new token may write less.
    package mutating func beginAnother(isOrganizations: Bool) {
        self.isOrganizations = isOrganizations
        scopes?.formIntersection(.reading)
    }

    /// - Parameter names: as Sentry names them; unknown ones are left out.
    package static func scopes(_ names: [String]) -> ScopeSet {
        names.reduce(into: []) { $0.formUnion(ScopeSet(closedUnder: $1) ?? []) }
    }
}

/// What the device flow may grant: what was asked, cut to `--device-policy`, to what the proxy's own token can do and to what
/// the approver chose.
package struct GrantCeiling: Sendable {
    package var reach = TokenReach()
    private let text: [String]
    private let words: AliasWords
    private let policy: Policy

    /// - Parameter text: sets, organizations, projects and limits, as after an alias.
    package init(_ text: [String], _ policy: Policy) throws(AliasWords.Problem) {
        words = try AliasWords(text, sets: policy.sets, now: .min)
        if words.limits.expires != nil || words.limits.isShadow {
            throw AliasWords.Problem("expires= and mode= are not for this: --device-lifetime says how long")
        }
        self.text = text
        self.policy = policy
    }

    /// The words of a grant, as they follow an alias, and its scopes.
    package struct Grant: Sendable, Equatable {
        package var words: [String]
        package var scopes: [String]
        /// Those of the scopes of which the grant holds a part.
        package var partialScopes: [String]
    }

    /// Cuts what was asked.
    /// - Parameter choice: what the approver typed; sets, `org=` and `project=` alone.
    /// - Throws: when a word is wrong or nothing is left.
    package func grant(asked: [String], choice: [String] = []) throws(AliasWords.Problem) -> Grant {
        let asked = try withinReach(asked)
        var granted = text.filter { !$0.hasPrefix("org=") && !$0.hasPrefix("project=") }
        if !asked.isEmpty { granted.append("scopes=" + asked.joined(separator: ",")) }
        var organizations = words.organizations.map(\.slug)
        var projects = words.projects.map(\.slug)
        if !choice.isEmpty {
            let hasSets = choice.contains { !$0.contains("=") }
            let chosen = try AliasWords(choice + (hasSets ? [] : ["full"]), sets: policy.sets, now: .min)
            guard chosen.limits == AliasLimits(), chosen.withoutSets.isEmpty, chosen.cuts.isEmpty, chosen.scopes == nil
            else { throw AliasWords.Problem("expected sets, org= and project= only") }
            if !chosen.isFull { granted.append("within=" + chosen.sets.joined(separator: ",")) }
            organizations = try Self.cut(organizations, to: chosen.organizations.map(\.slug), "org")
            projects = try Self.cut(projects, to: chosen.projects.map(\.slug), "project")
        }
        if !organizations.isEmpty { granted.append("org=" + pinned(organizations, words.organizations)) }
        if !projects.isEmpty { granted.append("project=" + pinned(projects, words.projects)) }
        var table = RightsTable(policy.table)
        try table.add(try AliasWords(granted, sets: policy.sets, now: .min), policy.sets)
        let rights = table.rights.first
        return Grant(
            words: granted, scopes: rights?.scopes.names ?? asked, partialScopes: rights?.partialScopes.names ?? [])
    }

    /// Sentry would refuse the rest.
    private func withinReach(_ asked: [String]) throws(AliasWords.Problem) -> [String] {
        guard let reach = reach.scopes else { return asked }
        let wanted = asked.isEmpty ? reach : TokenReach.scopes(asked)
        guard !reach.isSuperset(of: wanted) || asked.isEmpty else { return asked }
        let left = wanted.intersection(reach)
        guard !left.isEmpty else { throw AliasWords.Problem("the proxy's own token has none of these scopes") }
        return left.names
    }

    private static func cut(_ held: [String], to chosen: [String], _ key: String) throws(AliasWords.Problem) -> [String]
    {
        guard !held.isEmpty, !chosen.isEmpty else { return held.isEmpty ? chosen : held }
        let left = held.filter(chosen.contains)
        guard !left.isEmpty else { throw AliasWords.Problem("\(key)=: nothing of it is in --device-policy") }
        return left
    }

    /// With the numbers that the policy pins.
    private func pinned(_ slugs: [String], _ names: [AliasWords.Name]) -> String {
        slugs.map { slug in
            names.first { $0.slug == slug }?.id.map { "\(slug):\($0)" } ?? slug
        }.joined(separator: ",")
    }

    /// Whether a word is a scope of Sentry.
    package static func isScope(_ word: String) -> Bool { ScopeSet(named: word) != nil }
}
