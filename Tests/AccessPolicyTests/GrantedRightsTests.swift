import AccessPolicy
import Testing

/// What a grant comes to: the policy, cut to what was asked and to what the approver chose.
@Suite struct GrantCeilingTests {
    @Test func whatWasAskedCutsThePolicy() throws {
        let ceiling = try GrantCeiling(["read-only", "org=acme"], .builtIn)
        let grant = try ceiling.grant(asked: ["event:read", "org:read"])
        #expect(grant.words == ["read-only", "scopes=event:read,org:read", "org=acme"])
        #expect(grant.scopes.contains("event:read"))
        #expect(!grant.scopes.contains("team:read") && !grant.scopes.contains("event:write"))
    }

    @Test func theApproverCutsButNeverWidens() throws {
        let ceiling = try GrantCeiling(["read-only", "org=acme,beta"], .builtIn)
        let grant = try ceiling.grant(asked: [], choice: ["org=beta"])
        #expect(grant.words == ["read-only", "org=beta"])
        let within = try ceiling.grant(asked: [], choice: ["mcp"])
        #expect(within.words == ["read-only", "within=mcp", "org=acme,beta"])
        #expect(throws: AliasWords.Problem.self) { try ceiling.grant(asked: [], choice: ["org=other"]) }
        #expect(throws: AliasWords.Problem.self) { try ceiling.grant(asked: [], choice: ["rate=1/s"]) }
    }

    @Test func aSetOfUploadsIsCutToTheScopesThatWereAsked() throws {
        let ceiling = try GrantCeiling(["ci-upload", "org=acme"], .builtIn)
        let grant = try ceiling.grant(asked: ["org:ci"])
        #expect(grant.words == ["ci-upload", "scopes=org:ci", "org=acme"])
        #expect(grant.scopes == ["org:ci"])
        #expect(grant.partialScopes == ["org:ci"], "Sentry takes it for more than the set has")
    }

    @Test(arguments: [
        (["event:write", "org:read"], ["event:read", "org:read", "team:read"], ["event:read", "org:read"]),
        (["event:read"], ["event:write"], ["event:read"]), (["event:admin"], ["event:write"], ["event:write"]),
        (["event:read", "org:read", "event:write"], ["event:read"], ["event:read"]), (["org:read"], [], ["org:read"]),
    ])
    func whatTheTokenCannotDoIsNotGranted(_ token: [String], _ asked: [String], _ granted: [String]) throws {
        var ceiling = try GrantCeiling(["full"], .builtIn)
        ceiling.reach.scopes = TokenReach.scopes(token)
        let words = try ceiling.grant(asked: asked).words
        #expect(words == ["full", "scopes=" + granted.joined(separator: ",")])
        #expect(throws: AliasWords.Problem.self) { try ceiling.grant(asked: ["member:read"]) }
    }

    @Test(arguments: [
        ("read-only", ["event:write"], ["event:read"]), ("mcp-triage", ["event:admin"], ["event:read", "event:write"]),
        ("mcp", ["event:read"], ["event:read"]), ("ci-upload", ["org:integrations", "org:ci"], ["org:ci"]),
        ("ci-upload", ["project:write"], ["project:read", "project:write"]),
    ])
    func ofTheScopesThatWereAskedThoseAreNamedOfWhichSomethingIsLeft(
        _ policy: String, _ asked: [String], _ named: [String]
    ) throws {
        #expect(try GrantCeiling([policy], .builtIn).grant(asked: asked).scopes == named)
    }
}

@Suite struct GrantedAliasTests {
    private func granted(_ name: String, _ alias: String) -> AliasEntry {
        AliasEntry(
            name: name, token: TokenDigest(of: alias.utf8.span).bytes, isHashed: true,
            words: ["read-only"], origin: .item(1))
    }

    @Test func grantedAliasesAreFoundBesideThoseOfTheFileWhichKeepTheirNames() throws {
        let file = "sap_" + String(repeating: "a", count: 43)
        let table = try AliasTable([(name: "ops", token: Array(file.utf8))])
        let (first, second) = ("sap_" + String(repeating: "b", count: 43), "sap_" + String(repeating: "c", count: 43))
        let (all, leftOut) = table.adding([granted("agent", first), granted("ops", second)], .builtIn)
        #expect(leftOut == ["ops"])
        #expect(all.match(file.utf8.span).map { all.name(at: $0) } == "ops")
        #expect(all.match(first.utf8.span).map { all.name(at: $0) } == "agent")
        #expect(all.match(second.utf8.span) == nil)
        #expect(table.match(first.utf8.span) == nil)
    }

    /// What Sentry has not told yet of another token is not promised, but what only reads.
    @Test func `another token may do no more than read until Sentry tells`() {
        var reach = TokenReach()
        reach.beginAnother(isOrganizations: false)
        #expect(reach == TokenReach())
        reach.scopes = TokenReach.scopes(["event:write", "org:read", "project:releases"])
        reach.beginAnother(isOrganizations: true)
        #expect(reach.scopes == TokenReach.scopes(["event:read", "org:read"]) && reach.isOrganizations)
    }
}
