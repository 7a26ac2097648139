import HTTP1
import Testing

@testable import AccessPolicy

private let now: Int64 = 1_795_824_000

/// One alias with these words, and what is known of numbers.
private struct Judge {
    let rights: RightsTable
    var identifiers: ResolvedIdentifiers

    init(_ words: String, policy: String = "") throws {
        let table = try AliasTable(
            try parseAliasFile("agent sap_x \(words)"), rules: AliasRules(policy: try Policy(file: policy), now: now))
        rights = try #require(table.rights)
        identifiers = ResolvedIdentifiers(rights)
    }

    func verdict(_ method: Method, _ target: String, now: Int64 = now) -> Verdict {
        let bytes = Array(target.utf8)
        return rights.judge(
            method, bytes.span, alias: 0, identifiers, isElevated: ElevatedPaths.all.contains(bytes.span), now: now)
    }

    func outcome(_ method: Method, _ target: String, now: Int64 = now) -> Verdict.Outcome {
        verdict(method, target, now: now).outcome
    }

    /// What goes upstream, or the reason why nothing does.
    func sent(_ method: Method, _ target: String) -> String {
        let verdict = verdict(method, target)
        switch verdict.outcome {
        case .forward:
            return text { rights.write(Array(target.utf8).span, verdict.edit, rights: 0, identifiers, into: &$0) }
        case .refuse(let reason): return "\(reason.name)"
        case .wait: return "wait"
        case .bypass: return "bypass"
        case .identity(let kind): return "\(kind)"
        }
    }

    mutating func note(organization index: Int, id: UInt64, isNew: Bool) {
        #expect(identifiers.note(organizations: [index: id], rights).organizations == (isNew ? [] : [index]))
    }

    mutating func note(project index: Int, id: UInt64, isNew: Bool) {
        #expect(identifiers.note(projects: [index: id], rights).projects == (isNew ? [] : [index]))
    }

    func body(_ body: String, _ member: BodyMember) -> RightsTable.BodyVerdict {
        let bytes = Array(body.utf8)
        // Whole, and at every split.
        let verdicts = (1...max(1, bytes.count)).map { slice -> RightsTable.BodyVerdict in
            var state = BodyReading(member)
            while true {
                if let found = rights.judge(body: bytes.span, next: slice, &state, alias: 0, identifiers) {
                    return found
                }
            }
        }
        #expect(Set(verdicts.map { "\($0)" }).count == 1, "\(body)")
        return verdicts[0]
    }
}

private struct Collected: ByteSink {
    var bytes: [UInt8] = []
    mutating func append(_ bytes: Span<UInt8>) { for i in bytes.indices { self.bytes.append(bytes[i]) } }
}

private func text(_ body: (inout Collected) -> Void) -> String {
    var sink = Collected()
    body(&sink)
    return String(decoding: sink.bytes, as: UTF8.self)
}

@Suite struct VerdictTests {
    @Test func `an alias that has expired is told so, and ingest is not asked`() throws {
        let judge = try Judge("mcp org=acme expires=2027-01-31")
        let end: Int64 = 1_801_440_000
        #expect(judge.outcome(.get, "/api/0/organizations/acme/", now: end - 1) == .forward)
        #expect(judge.outcome(.get, "/api/0/organizations/acme/", now: end) == .refuse(.expired))
        #expect(judge.outcome(.get, "/api/0/users/me/", now: end) == .refuse(.expired))
        #expect(judge.outcome(.post, "/api/7/envelope/", now: end) == .bypass)
    }

    @Test func `limits alone narrow nothing`() throws {
        let judge = try Judge("full rate=5/s")
        for target in ["/api/0/internal/options/", "/auth/login/", "/api/0/brand-new/", "*", ""] {
            #expect(judge.outcome(.other, target) == (target == "*" ? .bypass : .forward), "\(target)")
        }
        #expect(judge.outcome(.get, "/api//0/") == .bypass)
    }

    @Test func `full within an organization is all but what ends narrowing`() throws {
        let judge = try Judge("full org=acme")
        #expect(judge.sent(.delete, "/api/0/organizations/acme/") == "/api/0/organizations/acme/")
        #expect(judge.sent(.post, "/api/0/projects/acme/web/keys/") == "operation")
        #expect(judge.sent(.get, "/api/0/internal/options/") == "operation")
        #expect(judge.sent(.get, "/api/0/brand-new/") == "unknown")
    }

    @Test(arguments: [
        ("/api/0/issues/12/", "/api/0/organizations/acme/issues/12/"),
        ("/api/0/groups/12/notes/?a=b", "/api/0/organizations/acme/issues/12/notes/?a=b"),
        ("/api/0/organizations/", "/api/0/organizations/?query=slug:acme"),
        (
            "/api/0/organizations/?query=x&cursor=1&%71uery=y&show=all&a;owner=1&per_page=5",
            "/api/0/organizations/?query=slug:acme&cursor=1&per_page=5"
        ),
        ("/api/0/projects/?query=dsn:x", "/api/0/organizations/acme/projects/?query=dsn:x"), ("/api/0/users/me/", "me"),
        ("/api/0/auth", "auth"), ("/api/0/", "root"), ("/api/0/users/me/organizations/", "operation"),
        ("/api/0/users/7/", "operation"),
        ("/api/0/organizations/acme/issues/", "/api/0/organizations/acme/issues/"),
        ("/api/0/organizations/ACME/issues/", "organization"),
        ("/api/0/organizations/1/issues/", "organization"), ("/api/0/shared/issues/1/", "organization"),
        ("/api/0", "outside"),
        ("/API/0/organizations/acme/", "outside"), ("/organizations/acme/", "outside"), ("/api/0//issues/1/", "form"),
        ("/a/%2e%2e/", "form"),
        ("/oauth/token/", "bypass"), ("", "outside"), ("*", "form"),
    ]) func `an organization holds a request, or the request is changed so that it does`(
        _ target: String, _ expected: String
    ) throws {
        #expect(try Judge("read-only cli org=acme").sent(.get, target) == expected)
    }

    @Test func `methods are taken in capitals only, HEAD and OPTIONS as GET`() throws {
        let judge = try Judge("mcp org=acme")
        #expect(judge.outcome(.head, "/api/0/organizations/acme/") == .forward)
        #expect(judge.outcome(.options, "/api/0/organizations/acme/") == .forward)
        #expect(judge.outcome(.other, "/api/0/organizations/acme/") == .refuse(.method))
        #expect(judge.outcome(.put, "/api/0/organizations/acme/") == .refuse(.operation))
    }

    @Test func `several organizations leave an issue without one unknown`() throws {
        let judge = try Judge("mcp org=acme,umbrella")
        #expect(judge.sent(.get, "/api/0/issues/12/") == "organization")
        #expect(judge.sent(.get, "/api/0/projects/") == "operation")
        #expect(judge.sent(.get, "/api/0/organizations/") == "/api/0/organizations/?query=slug:acme%20slug:umbrella")
        #expect(judge.verdict(.get, "/api/0/organizations/").filter == .organizations)
    }

    @Test(arguments: [
        ("/api/0/projects/acme/web/", "/api/0/projects/acme/web/"),
        ("/api/0/projects/acme/10/", "/api/0/projects/acme/10/"),
        ("/api/0/projects/acme/010/", "project"), ("/api/0/projects/acme/WEB/", "project"),
        ("/api/0/projects/acme/api2/", "project"),
        ("/api/0/organizations/acme/issues/WEB-4F/", "/api/0/organizations/acme/issues/WEB-4F/"),
        ("/api/0/organizations/acme/issues/12/", "project"), ("/api/0/organizations/acme/issues/WEB_4F/", "project"),
        ("/api/0/organizations/acme/issues/x-web-1/", "project"), ("/api/0/organizations/acme/issues/web-/", "project"),
        ("/api/0/organizations/acme/issues/-1/", "project"),
        ("/api/0/issues/web-1/", "/api/0/organizations/acme/issues/web-1/"),
        ("/api/0/organizations/acme/issues/", "/api/0/organizations/acme/issues/?project=10&project=11"),
        ("/api/0/organizations/acme/issues/?", "/api/0/organizations/acme/issues/?project=10&project=11"),
        (
            "/api/0/organizations/acme/issues/?query=project:other",
            "/api/0/organizations/acme/issues/?query=project:other&project=10&project=11"
        ),
        (
            "/api/0/organizations/acme/issues/?project=10&project=11",
            "/api/0/organizations/acme/issues/?project=10&project=11"
        ),
        ("/api/0/organizations/acme/issues/?project=10&project=12", "project"),
        ("/api/0/organizations/acme/issues/?project=-1", "project"),
        ("/api/0/organizations/acme/issues/?project=+10", "project"),
        ("/api/0/organizations/acme/issues/?project=010", "project"),
        ("/api/0/organizations/acme/issues/?project=", "project"),
        ("/api/0/organizations/acme/issues/?project", "project"),
        ("/api/0/organizations/acme/issues/?project=%31%30", "project"),
        ("/api/0/organizations/acme/issues/?%70roject=10", "project"),
        ("/api/0/organizations/acme/issues/?projectSlug=api", "/api/0/organizations/acme/issues/?projectSlug=api"),
        ("/api/0/organizations/acme/issues/?projectSlug=$all", "project"),
        ("/api/0/organizations/acme/issues/?projectSlug=web&project=10", "project"),
        ("/api/0/organizations/acme/issues/?a=b;project=12", "project"),
        ("/api/0/organizations/acme/issues/?project=99999999999999999999", "project"),
        ("/api/0/organizations/acme/", "/api/0/organizations/acme/?detailed=0"),
        ("/api/0/organizations/acme/?detailed=1&a=b", "/api/0/organizations/acme/?detailed=0&a=b"),
        ("/api/0/organizations/acme/dashboards/", "project"),
        ("/api/0/organizations/acme/repos/", "/api/0/organizations/acme/repos/"),
        ("/api/0/organizations/acme/events/web:12/", "/api/0/organizations/acme/events/web:12/"),
        ("/api/0/organizations/acme/events/other:12/", "project"), ("/api/0/projects/acme/rule-conditions/", "project"),
    ]) func `projects hold a request`(_ target: String, _ expected: String) throws {
        #expect(try Judge("read-only org=acme project=web:10,api:11").sent(.get, target) == expected)
    }

    @Test(arguments: [
        // Sentry looks a short id up in the whole organization, and an event in all projects of the token's teams.
        ("issues/?shortIdLookup=1&query=OTHER-4F", false), ("issues/?project=10&query=OTHER-4F&shortIdLookup=1", false),
        ("issues/?%73hortIdLookup=1", false), ("issues/?shortIdLookup=%31", false),
        ("issues/?shortIdLookup=0&shortIdLookup=1", false),
        ("issues/?shortIdLookup=0&query=OTHER-4F", true), ("issues/?shortIdLookup=", true),
        ("issues/?query=0123456789abcdef0123456789abcdef", false),
        ("issues/?query=01234567-89ab-cdef-0123-456789ABCDEF", false),
        ("issues/?query=%7b0123456789abcdef0123456789abcdef%7D", false),
        ("issues/?query=+urn:uuid:0123456789abcdef0123456789abcdef%20", false),
        ("issues/?qu%65ry=%30123456789abcdef0123456789abcdef", false),
        ("issues/?query=0123456789abcdef0123456789abcde_f", false),
        ("issues/?query=0123456789abcdef0123456789abcde%D9%A3", false),
        ("issues/?query=0123456789abcdef0123456789abcde", true),
        ("issues/?query=id:0123456789abcdef0123456789abcdef+level:error", true),
        ("issues/?query=is:unresolved+assigned:me+user.email:a@example.com", true),
    ]) func `no search by an id leads to issues of other projects`(_ rest: String, _ isHeld: Bool) throws {
        let judge = try Judge("read-only org=acme project=web:10")
        for path in ["/api/0/organizations/acme/", "/api/0/projects/acme/web/"] {
            #expect((judge.sent(.get, path + rest) != "project") == isHeld, "\(path + rest)")
        }
        // Within an organization alone, all of its projects are the alias's.
        #expect(try Judge("read-only org=acme").sent(.get, "/api/0/organizations/acme/" + rest).hasSuffix(rest))
    }

    @Test(arguments: [
        // Sentry reads the numbers alone: a slug there would be a selection of all projects.
        ("stats_v2/", "query-id"), ("stats-summary/", "query-id"), ("releases/1.0/", "query-id"),
        // With `id=`, or always, it goes past the projects of the query.
        ("workflows/", "refused"), ("workflows/?id=7", "refused"),
        ("replays/0123456789abcdef0123456789abcdef/", "refused"),
        ("release-threshold-statuses/", "refused"),
        ("replays/", "query"), ("events/", "query"),
    ]) func `a query selects projects only where Sentry heeds it`(_ path: String, _ kind: String) throws {
        let judge = try Judge("read-only org=acme project=web:10")
        let target = "/api/0/organizations/acme/\(path)"
        #expect(judge.sent(.get, target) == (kind == "refused" ? "project" : target + "?project=10"))
        #expect(
            judge.sent(.get, target + "?projectSlug=web") == (kind == "query" ? target + "?projectSlug=web" : "project")
        )
        #expect(judge.sent(.get, target + "?project=10") == (kind == "refused" ? "project" : target + "?project=10"))
    }

    @Test func `a release is changed only where the query finds it in an own project`() throws {
        let judge = try Judge("ci-upload org=acme project=web:10,api:11")
        let release = "/api/0/organizations/acme/releases/1.0/"
        #expect(judge.sent(.put, release) == release + "?project=10&project=11")
        #expect(judge.sent(.put, release + "?project=11") == release + "?project=11")
        #expect(judge.sent(.put, release + "?project=12") == "project")
        #expect(judge.sent(.put, release + "?projectSlug=web") == "project")
        #expect(judge.verdict(.put, release).body == BodyMember(name: .projects, isOptional: true))
        #expect(try Judge("ci-upload org=acme project=web").sent(.put, release) == "wait")
    }

    @Test func `numbers are waited for, learnt, and not believed twice`() throws {
        var judge = try Judge("read-only org=acme project=web,api")
        #expect(judge.sent(.get, "/api/0/organizations/acme/issues/") == "wait")
        #expect(judge.sent(.get, "/api/0/organizations/acme/issues/?project=10") == "wait")
        #expect(judge.sent(.get, "/api/0/organizations/acme/issues/?projectSlug=web").hasSuffix("?projectSlug=web"))
        #expect(judge.sent(.get, "/api/0/organizations/1/issues/WEB-1/") == "organization")
        judge.note(project: 0, id: 10, isNew: true)
        #expect(judge.sent(.get, "/api/0/organizations/acme/issues/?project=10").hasSuffix("?project=10"))
        #expect(judge.sent(.get, "/api/0/organizations/acme/issues/?project=12") == "wait")
        judge.note(project: 1, id: 11, isNew: true)
        judge.note(organization: 0, id: 1, isNew: true)
        #expect(judge.sent(.get, "/api/0/organizations/1/issues/WEB-1/").contains("/1/"))
        #expect(judge.sent(.get, "/api/0/organizations/acme/issues/").hasSuffix("?project=10&project=11"))
        // The slug is another tenant's now.
        judge.note(organization: 0, id: 2, isNew: false)
        #expect(judge.sent(.get, "/api/0/organizations/acme/issues/") == "organization")
        // A reload does not forget what was pinned.
        let again = try Judge("read-only org=acme")
        let carried = ResolvedIdentifiers(again.rights, after: (judge.identifiers, judge.rights))
        #expect(carried.organizations == [1])
        // Pinned by hand.
        var pinned = try Judge("read-only org=acme:5")
        pinned.note(organization: 0, id: 6, isNew: false)
        #expect(pinned.sent(.get, "/api/0/organizations/acme/issues/") == "organization")
    }

    @Test func `ten thousand numbers that come together are worked into the rights once`() throws {
        let count = 10_000
        let lines = (0..<count).map { "a\($0) sap_\($0) read-only org=o\($0) project=p\($0)" }
        let aliases = try AliasTable(
            try parseAliasFile(lines.joined(separator: "\n")), rules: AliasRules(policy: .builtIn, now: 0))
        let rights = try #require(aliases.rights)
        var identifiers = ResolvedIdentifiers(rights)
        let numbers = Dictionary(uniqueKeysWithValues: (0..<count).map { ($0, UInt64($0 + 1)) })
        let refused = identifiers.note(organizations: numbers, projects: numbers, rights)
        #expect(refused.organizations == [] && refused.projects == [])
        #expect(identifiers.unknownCount == 0 && identifiers.refreshCount == 2)
        #expect(
            identifiers.selections.count == count
                && identifiers.text.count == (1...count).reduce(0) { $0 + "project=\($1)".utf8.count })
        let others = identifiers.note(projects: [7: 1, 8: 9], rights)
        #expect(
            others.projects == [7]
                && identifiers.rightsAreRefused.indices.filter { identifiers.rightsAreRefused[$0] } == [7])
    }

    @Test func `a parameter may be needed`() throws {
        let judge = try Judge("triage org=acme")
        #expect(judge.sent(.put, "/api/0/organizations/acme/issues/") == "needs")
        #expect(judge.sent(.put, "/api/0/organizations/acme/issues/?id=") == "needs")
        #expect(judge.sent(.put, "/api/0/organizations/acme/issues/?%69d=1") == "needs")
        #expect(judge.sent(.put, "/api/0/organizations/acme/issues/?id=1&id=") == "needs")
        #expect(judge.sent(.put, "/api/0/organizations/acme/issues/?id=1").hasSuffix("?id=1"))
        let set = "set bulk\n allow PUT O issues/\n"
        #expect(
            try Judge("triage bulk org=acme", policy: set).sent(.put, "/api/0/organizations/acme/issues/").hasSuffix(
                "issues/"))
    }

    @Test func `shadow forwards as before, and says what it would have done`() throws {
        let judge = try Judge("mcp org=acme mode=shadow shadow-until=2026-12-01")
        let refused = judge.verdict(.delete, "/api/0/organizations/umbrella/")
        #expect(refused.outcome == .forward && refused.wouldRefuse == .operation && refused.edit.isNone)
        #expect(judge.verdict(.get, "/api/0/issues/1/").edit.isNone)
        #expect(judge.outcome(.get, "/api/0/users/me/") == .forward)
        #expect(judge.outcome(.post, "/api/0/projects/acme/web/keys/") == .refuse(.operation))
        #expect(judge.outcome(.get, "/api//0/") == .bypass)
        #expect(judge.outcome(.delete, "/api/0/organizations/umbrella/", now: now + 5 * 86_400) == .refuse(.operation))
    }

    @Test func `what a refusal says`() throws {
        let judge = try Judge("mcp org=acme")
        func said(_ method: Method, _ target: String, _ name: String = "agent") -> (String, [String]) {
            let verdict = judge.verdict(method, target)
            guard case .refuse(let reason) = verdict.outcome else { return ("", []) }
            let refusal = Refusal(reason, operation: verdict.operation, alias: 0)
            return (
                text { judge.rights.writeDetail(refusal, alias: Array(name.utf8).span, into: &$0) },
                judge.rights.challenge(refusal).names
            )
        }
        #expect(
            said(.put, "/api/0/organizations/acme/issues/1/")
                == (
                    "Alias agent may not PUT /organizations/{org}/issues/{issue_id}/ (changes data; it holds mcp in acme). Ask this proxy's operator.",
                    ["event:admin", "event:write"]
                ))
        #expect(said(.post, "/api/0/projects/acme/web/keys/").1 == [])
        #expect(said(.get, "/api/0/organizations/umbrella/").1 == [])
        #expect(
            said(.get, "/api/0/organizations/umbrella/").0.contains(
                "not in an organization of its own; it holds mcp in acme"))
        // The table's first operation is one like any other.
        let first = text {
            judge.rights.writeDetail(
                Refusal(.operation, operation: 0, alias: 0), alias: Array("agent".utf8).span, into: &$0)
        }
        #expect(first.contains(" (not for a narrowed alias; it holds mcp in acme)"))
        #expect(!said(.get, "/api/0/nothing/", "a\"b\\c\u{e9}").0.contains { "\"\\\u{e9}".contains($0) })
        for reason in RefusalReason.allCases {
            let refusal = Refusal(reason, alias: 0)
            #expect(
                refusal.status == (reason == .expired ? 401 : reason == .rate || reason == .concurrency ? 429 : 403))
            let detail = text { judge.rights.writeDetail(refusal, alias: Array("agent".utf8).span, into: &$0) }
            #expect(detail.utf8.allSatisfy { 0x20...0x7e ~= $0 && $0 != 0x22 && $0 != 0x5c } && detail.count > 10)
        }
    }

    @Test func `the project's securityToken is blanked, and lists are filtered`() throws {
        let judge = try Judge("full org=acme project=web:10")
        #expect(judge.verdict(.get, "/api/0/projects/acme/web/").filter == .securityToken)
        #expect(judge.verdict(.put, "/api/0/projects/acme/web/").filter == .securityToken)
        #expect(judge.verdict(.get, "/api/0/organizations/acme/projects/").filter == .projects)
        #expect(judge.verdict(.get, "/api/0/projects/").filter == .projects)
        #expect(judge.verdict(.get, "/api/0/organizations/acme/repos/").filter == .none)
        let found = judge.verdict(.get, "/api/0/projects/acme/web/events/12/")
        #expect(found.names.organization == ByteSlice(start: 16, count: 4))
        #expect(found.names.project == ByteSlice(start: 21, count: 3))
        #expect(found.names.object == ByteSlice(start: 32, count: 2))
    }
}

@Suite struct BodyProjectsTests {
    private let many = BodyMember(name: .projects, isOptional: false)
    private let one = BodyMember(name: .project, isOptional: false)
    private let perhaps = BodyMember(name: .projects, isOptional: true)

    @Test(arguments: [
        #"{"projects":["web"]}"#,
        #" { "a" : [1, {"projects": ["other"]}, "\u00e9\n", -1.5e+3, true, null, []] , "projects" : [ "api" , "web" ] } "#,
        #"{"projects":[10]}"#, #"{"projects":["10","web"],"x":{}}"#,
    ]) func `a body that names its own projects goes on`(_ body: String) throws {
        #expect(try Judge("ci-upload org=acme project=web:10,api:11").body(body, many) == .allowed)
    }

    @Test(arguments: [
        "", "{}", "[]", #"{"projects":[]}"#, #"{"projects":"web"}"#, #"{"projects":["other"]}"#,
        #"{"projects":["web","other"]}"#,
        #"{"projects":["web"],"projects":["other"]}"#, #"{"projects":["web"],"projects":["web"]}"#,
        #"{"pro\u006aects":["other"],"projects":["web"]}"#,
        #"{"projects":["w\u0065b"]}"#, #"{"projects":["web"]"#, #"{"projects":["web"]}x"#, #"{"projects":["web"],}"#,
        #"{"projects":["web",]}"#,
        #"{"projects":[10.0]}"#, #"{"projects":[1e1]}"#, #"{"projects":[-10]}"#, #"{"projects":[010]}"#,
        #"{"projects":[null]}"#, #"{"projects":null}"#,
        #"{'projects':["web"]}"#, #"{"a":NaN,"projects":["web"]}"#, #"{"a":01,"projects":["web"]}"#,
        #"{"a":"\x","projects":["web"]}"#,
        "\u{feff}{\"projects\":[\"web\"]}", #"{"projects":[["web"]]}"#, "{\"a\":\"\n\",\"projects\":[\"web\"]}",
    ]) func `any doubt is a refusal`(_ body: String) throws {
        #expect(try Judge("ci-upload org=acme project=web:10,api:11").body(body, many) == .refused)
    }

    @Test func `what may be absent, what is one, what is not known yet`() throws {
        let judge = try Judge("ci-upload org=acme project=web:10,api:11")
        #expect(judge.body(#"{"a":1}"#, perhaps) == .allowed && judge.body("{", perhaps) == .refused)
        #expect(
            judge.body(#"{"project":"web"}"#, one) == .allowed && judge.body(#"{"project":["web"]}"#, one) == .refused)
        #expect(judge.body(#"{"project":11}"#, one) == .allowed && judge.body(#"{"project":12}"#, one) == .refused)
        let unknown = try Judge("ci-upload org=acme project=web")
        #expect(
            unknown.body(#"{"project":11}"#, one) == .waiting && unknown.body(#"{"project":"web"}"#, one) == .allowed)
        let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(judge.body("{\"a\":\(deep),\"project\":\"web\"}", one) == .refused)
    }

    @Test func `the text is JSON in UTF-8`() {
        for (type, isJSON) in [
            ("application/json", true), ("Application/JSON; charset=UTF-8", true),
            ("application/json;charset=utf-8", true),
            ("application/json; charset=utf-16", false), ("application/json;", false), ("text/plain", false),
            ("", false),
            ("application/json2", false), ("application/json; charset=utf-8; x=y", false),
        ] { #expect(isPlainJSON(contentType: Array(type.utf8).span) == isJSON, "\(type)") }
    }
}
