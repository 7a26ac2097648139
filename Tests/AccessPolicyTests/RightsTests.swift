import HTTP1
import System
import Testing

@testable import AccessPolicy

/// 2026-11-28.
private let now: Int64 = 1_795_824_000

@Suite struct AliasWordsTests {
    private func words(_ text: String) throws -> AliasWords {
        try AliasWords(text.split(separator: " ").map(String.init), sets: Policy.builtIn.sets, now: now)
    }

    @Test func `sets, places and limits stand in any order`() throws {
        let found = try words(
            "rate=20/s:60 project=web,api:7 ci-upload -dsn org=acme:1 concurrency=8 mode=shadow shadow-until=2027-01-31"
        )
        #expect(found.sets == ["ci-upload"] && found.withoutSets == ["dsn"])
        #expect(found.organizations == [.init(slug: "acme", id: 1)])
        #expect(found.projects == [.init(slug: "web", id: nil), .init(slug: "api", id: 7)])
        #expect(found.limits.rate?.interval == .milliseconds(50) && found.limits.rate?.burst == 60)
        #expect(found.limits.concurrency == 8 && found.limits.isShadow && found.limits.shadowUntil == 1_801_440_000)
        #expect(try words("full rate=90/m").limits.rate == RateLimit("90/m:90"))
        #expect(try words("event:read expires=2027-01-31T12:00:00+01:00").limits.expires == 1_801_393_200)
    }

    @Test(arguments: [
        "reed-only", "read-only colour=red", "read-only org=", "read-only org=acme,", "read-only org=acme,acme",
        "read-only org=1", "read-only org=a/b", "read-only org=acme:01", "read-only project=web",
        "read-only project=web org=acme,umbrella", "org=acme", "rate=5/s", "full read-only", "full -people", "-people",
        "read-only read-only", "read-only -read-only", "read-only org=a org=b", "read-only expires=2020-01-01",
        "read-only expires=2027-02-29", "read-only expires=tomorrow", "read-only expires=", "read-only rate=0/s",
        "read-only rate=5", "read-only rate=5/s:0", "read-only rate=5/h", "read-only rate=5/s:",
        "read-only concurrency=0",
        "read-only concurrency=-1", "read-only mode=off", "read-only shadow-until=2027-01-01", "openid", "-full",
        "ORG:READ",
    ]) func `what is not understood is refused`(_ text: String) {
        #expect(throws: AliasWords.Problem.self) { try words(text) }
    }

    @Test func `a token in the wrong place is not repeated`() {
        for secret in ["sap_77aaSecretSecret", "sntryu_0123456789abcdef", "0123456789abcdef0123456789abcdef"] {
            do { _ = try words("read-only \(secret)") } catch {
                #expect(!"\(error)".contains(secret) && "\(error)".contains("word 2"))
            }
        }
    }

    @Test func `days and times`() {
        #expect(Timestamp.seconds("1970-01-01") == 86_400)
        #expect(Timestamp.seconds("2000-02-29") == 951_868_800)
        #expect(Timestamp.seconds("2026-11-28T00:00:00Z") == now)
        #expect(Timestamp.seconds("2026-11-28t00:00:00.25z") == now)
        #expect(Timestamp.seconds("2026-11-27T22:30:00-01:30") == now)
        for wrong in [
            "", "2026", "2026-13-01", "2026-02-29", "2026-11-31", "2026-11-28T24:00:00Z", "2026-11-28T00:00:00",
            "2026-11-28 00:00:00Z", "+026-11-28", "2026-11-28T00:00:00.Z", "2026-11-28T00:00:00+1:00",
        ] {
            #expect(Timestamp.seconds(wrong) == nil, "\(wrong)")
        }
    }
}

@Suite struct PolicyFileTests {
    @Test func `sets join, deny wins, and conditions hold`() throws {
        let policy = try Policy(
            file: """
                # ours
                set triage-lite            # with a comment
                    use grafana
                    allow PUT I
                    allow GET,DELETE O releases/*/ P
                    deny DELETE O releases/*/
                    needs id on PUT I
                set more
                    use triage-lite
                    allow PUT I
                """)
        let lite = try #require(policy.sets.operations(of: "triage-lite"))
        let put = try #require(policy.table.row(.put, "/organizations/*/issues/*/"))
        #expect(lite.count == 14 + 4 && lite.contains(put))
        #expect(policy.sets.expanded("triage-lite")?.needs[put] == [["id"]])
        #expect(policy.sets.expanded("more")?.needs[put] == nil)
    }

    @Test func `what is granted without a condition has none`() throws {
        let cost = "/api/0/issues/*/similar-issues-embeddings/"
        let policy = try Policy(
            file: """
                set some
                    allow GET O issues/
                    allow GET \(cost)
                    needs id on GET O issues/
                    needs id on GET \(cost)
                set by-effect
                    use some
                    effect read
                set by-class
                    use some
                    class cost effect read
                set by-another-class
                    use some
                    class raw
                set all-but-issues
                    use some
                    deny GET O issues/
                set joined
                    use all-but-issues
                    allow GET O issues/
                """)
        let issues = try #require(policy.table.row(.get, "/organizations/*/issues/"))
        let similar = try #require(policy.table.row(.get, "/issues/*/similar-issues-embeddings/"))
        func needed(_ name: String) -> [[[String]]?] {
            [issues, similar].map { policy.sets.expanded(name)?.needs[$0] }
        }
        #expect(needed("some") == [[["id"]], [["id"]]])
        #expect(needed("by-effect") == [nil, [["id"]]])
        #expect(needed("by-class") == [[["id"]], nil])
        #expect(needed("by-another-class") == [[["id"]], [["id"]]])
        #expect(needed("all-but-issues") == [nil, [["id"]]])
        #expect(needed("joined") == [nil, [["id"]]])
    }

    @Test func `the table is corrected and added to`() throws {
        let policy = try Policy(
            file: """
                effect GET /api/0/organizations/*/ secret credential
                effect GET /api/0/projects/*/*/keys/ read
                endpoint GET /api/0/organizations/*/brand-new/ read select=query
                alias ci : ci-upload org=acme
                """)
        #expect(policy.corrections == 3)
        #expect(policy.weakened == ["GET /api/0/projects/{org}/{project}/keys/: secret is read now"])
        #expect(policy.table.operations.count == 1_175)
        let added = try #require(policy.table.row(.get, "/organizations/*/brand-new/"))
        let readOnly = try #require(policy.sets.operations(of: "read-only"))
        #expect(readOnly.contains(added) && policy.table.operations[added].selects == .query)
        let details = try #require(policy.table.row(.get, "/organizations/*/"))
        #expect(!readOnly.contains(details))
        #expect(policy.aliases["ci"]?.words == ["ci-upload", "org=acme"] && policy.aliases["ci"]?.line == 4)
    }

    @Test(arguments: [
        ("sets x", 1), ("set x", 1), ("set x\nset y", 1), ("\nset X\n allow PUT I", 2), ("set full\n allow PUT I", 1),
        ("set mcp\n allow PUT I", 1), ("set x\n allow PUT O isues/*/", 2), ("set x\n allow BREW I", 2),
        ("set x\n allow PUT", 2), ("set x\n allow put I", 2), ("set x\n allow GET /api/1/", 2), ("set x\n use y", 2),
        ("set x\n allow POST P keys/", 2), ("set x\n allow PUT I\n danger POST P keys/", 1),
        ("set x\n allow PUT I\n danger PUT I", 3), ("set x\n allow PUT I\n needs id on PUT O issues/", 3),
        ("set x\n allow PUT I\n deny PUT I", 1), ("set x\n effect write", 2), ("set x\n class mint", 2),
        (" allow PUT I", 1), ("set x\n allow PUT I\nalias ci ci-upload", 3), ("alias ci : mcp\nalias ci : mcp", 2),
        ("effect GET /api/0/nothing/ read", 1), ("effect GET /api/0/ reed", 1), ("endpoint GET /api/0/ read", 1),
        ("endpoint GET /api/0/new/ read select=all", 1),
        ("endpoint GET /api/0/new/*/ secret\nendpoint GET /api/0/new/{x}/ read", 2), ("effect GET /api/0/", 1),
    ]) func `a line that is not understood is named`(_ text: String, _ line: Int) {
        do {
            _ = try Policy(file: text)
            Issue.record("accepted: \(text)")
        } catch {
            #expect(error.line == line, "\(error)")
        }
    }

    /// What such a line names goes into answers and logs, and into the table that paths are found by.
    @Test(arguments: [
        "/api/0/a\"b/", "/api/0/a\\b/", "/api/0/a%2Fb/", "/api/0//a/", "/api/0/a/../b/", "/api/0/a*b/", "/api/0/{a}b/",
        "/api/0/{a/", "/api/0/{path:*}/b/", "/api/0/organizations/{organization_id_or_slug}/new/",
        "/api/0/{org}/{org}/",
        "/api/0/1/2/3/4/5/6/7/8/9/10/11/", "/api/0/é/",
    ]) func `an endpoint line has a path that Sentry could have`(_ path: String) {
        #expect(throws: PolicyFileError.self) { try Policy(file: "endpoint GET \(path) read") }
    }

    @Test func `an endpoint line selects projects by what its path has`() {
        for line in ["organizations/*/things/*/ read select=path", "organizations/*/things/ read select=object"] {
            #expect(throws: PolicyFileError.self, "\(line)") { try Policy(file: "endpoint GET /api/0/\(line)") }
        }
    }

    @Test func `a correction that bars what a built-in set names takes it out of the set`() throws {
        let policy = try Policy(file: "effect POST /api/0/organizations/*/releases/ write mint")
        let row = try #require(policy.table.row(.post, "/organizations/*/releases/"))
        #expect(policy.sets.operations(of: "ci-upload")?.contains(row) == false)
        let lifted = try Policy(file: "effect POST /api/0/projects/*/*/keys/ write -")
        let keys = try #require(lifted.table.row(.post, "/projects/*/*/keys/"))
        #expect(lifted.sets.operations(of: "mcp-manage")?.contains(keys) == true)
    }

    @Test func `a set that ends narrowing says so`() throws {
        let policy = try Policy(file: "set x\n allow POST P keys/\n danger POST P keys/")
        #expect(policy.sets.operations(of: "x")?.count == 1)
        #expect(try Policy(file: "").sets.names.count == 17)
    }

    @Test func `scope words never write by a read scope, and leave secrets out`() throws {
        let sets = Policy.builtIn.sets
        let table = Policy.builtIn.table
        for name in ScopeSet.allNames {
            for row in try #require(sets.operations(of: name)).operations {
                let operation = table.operations[row]
                #expect(
                    operation.effect != .secret && operation.effect != .writeOnGET && !operation.operationClass.isNever)
                if name.hasSuffix(":read") { #expect(operation.effect.isRead) }
            }
        }
        let releases = try #require(sets.operations(of: "project:releases"))
        let new = try #require(table.row(.post, "/organizations/*/releases/"))
        let issues = try #require(table.row(.get, "/organizations/*/issues/"))
        #expect(releases.contains(new) && !releases.contains(issues))
    }
}

@Suite struct AliasRightsTests {
    private func table(_ text: String, policy: String = "", required: Bool = false) throws -> AliasTable {
        try AliasTable(
            try parseAliasFile(text),
            rules: AliasRules(policy: policy.isEmpty ? nil : try Policy(file: policy), areRequired: required, now: now))
    }

    @Test func `a file without words means what it meant`() throws {
        let found = try table("ci sap_ci # builds\nweb sap_web\n")
        #expect(found.rights == nil && found.count == 2)
    }

    @Test func `equal rights are there once`() throws {
        let found = try table("a x mcp org=acme\nb y # all\nc z org=acme mcp rate=5/s\nd w mcp org=umbrella")
        let rights = try #require(found.rights)
        #expect(rights.aliases.map(\.rights) == [0, -1, 0, 1])
        #expect(rights.rights.count == 2 && rights.organizations.count == 2)
        #expect(rights.aliases[2].limits.rate != nil && !rights.aliases[1].isNarrowed)
    }

    @Test func `rights stand in one of the two files`() throws {
        let found = try table("a x\nb y mcp", policy: "alias a : grafana org=acme")
        let rights = try #require(found.rights)
        #expect(rights.aliases.map(\.rights) == [0, 1])
        #expect(throws: AliasError.self) { try table("a x mcp", policy: "alias a : grafana") }
        do { _ = try table("a x", policy: "\nalias b : grafana") } catch let error as AliasError {
            #expect(error.origin == .policyLine(2))
        }
        do { _ = try table("a x", policy: "\nalias a : grafanna") } catch let error as AliasError {
            #expect(error.origin == .policyLine(2))
        }
        do { _ = try table("\na x\nb y mpc") } catch let error as AliasError { #expect(error.origin == .line(3)) }
    }

    @Test func `rights may be required`() throws {
        do {
            _ = try table("a x mcp\nb y", required: true)
            Issue.record("accepted")
        } catch let error as AliasError { #expect(error.origin == .line(2)) }
        #expect(try table("a x mcp\nb y full rate=1/s", required: true).count == 2)
    }

    @Test func `a digest stands for its alias and for nothing else`() throws {
        // printf hush | sha256sum
        let digest = hashedForm(of: "hush")
        #expect(digest.count == 71)
        let found = try table("a \(digest) mcp org=acme\nb plain")
        let hush = Array("hush".utf8)
        #expect(found.match(hush.span) == 0)
        #expect(found.match(Array("plain".utf8).span) == 1)
        #expect(found.match(Array(digest.utf8).span) == nil)
        #expect(found.match(Array(digest.utf8.dropFirst(7)).span) == nil)
        var raw: [UInt8] = []
        for i in stride(from: 7, to: 71, by: 2) {
            let digits = Array(digest)
            raw.append(UInt8(String(digits[i...i + 1]), radix: 16)!)
        }
        #expect(found.match(raw.span) == nil)
        for (text, problem) in [
            ("a sha256:00", AliasProblem.malformedDigest), ("a \(digest)\nb hush", .duplicateToken),
            ("a \(digest)\nb \(digest)", .duplicateToken),
        ] {
            do {
                _ = try table(text)
                Issue.record("accepted: \(text)")
            } catch let error as AliasError { #expect(error.problem == problem) }
        }
    }
}
