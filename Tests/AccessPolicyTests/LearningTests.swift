import HTTP1
import Testing

@testable import AccessPolicy

private let fields = [
    ("ts", "2026-11-01T10:00:00.000Z"), ("level", "info"), ("msg", "request"), ("id", "0123456789abcdef"),
    ("client", "10.0.0.1:1"), ("route", "elevated"), ("alias", "ci"), ("method", "GET"),
    ("path", "/api/0/organizations/acme/releases/"), ("policy", "allowed"), ("status", "200"),
]

private func logfmt(_ changed: [String: String?] = [:]) -> String {
    fields.compactMap { key, value in (changed[key] ?? value).map { "\(key)=\($0)" } }.joined(separator: " ")
}

private func json(_ changed: [String: String?] = [:]) -> String {
    "{"
        + fields.compactMap { key, value in (changed[key] ?? value).map { "\"\(key)\":\"\($0)\"" } }
        .joined(separator: ",") + "}"
}

private func read(_ line: String) -> AccessLogLine? { AccessLogLine(Array(line.utf8).span) }

@Suite struct AccessLogLineTests {
    @Test(arguments: [
        logfmt(), json(), "Nov 01 host proxy[1]: " + logfmt(), "2026-11-01 stderr F " + json(), logfmt(["policy": nil]),
        json(["policy": "would_refuse"]), logfmt(["alias": "\"ci\""]), logfmt(["x": "y"]) + " x=\"\\u001f\\\\\\\"\"",
    ])
    func `both forms are read, whatever a collector puts in front`(_ text: String) throws {
        let line = try #require(read(text))
        #expect(line.alias == "ci" && line.method == "GET" && line.time == 1_793_527_200 && !line.isRefused)
        #expect(line.path == Array("/api/0/organizations/acme/releases/".utf8))
    }

    @Test(arguments: [
        "", " ", "=", "{", "{}", "{\"ts\":\"", logfmt(["msg": "listening"]), logfmt(["msg": nil]),
        logfmt(["alias": nil]),
        logfmt(["route": "bypass"]), json(["route": "bypass"]), logfmt(["method": nil]), logfmt(["path": nil]),
        // A key that is there twice was not written by the log.
        logfmt() + " alias=other", json().dropLast() + ",\"alias\":\"other\"}", logfmt() + " x=\"",
        logfmt() + " x=\"\\n\"",
        logfmt(["path": "\"/a\"b"]), json() + "x", json(["path": "\\u1234"]),
        "{\"ts\":\"2026-11-01T10:00:00.000Z\",\"alias\":7}",
    ])
    func `anything else is passed over`(_ text: String) { #expect(read(text) == nil) }

    @Test func `what a client puts into its path is no field`() throws {
        let path = "\"/x alias=other method=PUT path=/api/0/organizations/evil/ policy=refused\""
        let line = try #require(read(logfmt(["path": path])))
        #expect(line.alias == "ci" && line.method == "GET" && !line.isRefused)
        #expect(line.path == Array(path.utf8.dropFirst().dropLast()))
        #expect(try #require(read(logfmt(["policy": "refused"]))).isRefused)
    }

    @Test func `a path that the log may have cut is no operation`() throws {
        let path = "/api/0/organizations/acme/releases/" + String(repeating: "v", count: 472) + "/"
        #expect(try #require(read(logfmt(["path": path]))).mayBeCut == false)
        #expect(try #require(read(logfmt(["path": path + "x"]))).mayBeCut)
        var lessons = LogLessons(.builtIn)
        lessons.read(Array(logfmt(["path": path + "x"]).utf8).span)
        #expect(lessons.lessons["ci"]?.withoutOperation == 1 && lessons.lessons["ci"]?.counts.isEmpty == true)
    }
}

@Suite struct LearnedRightsTests {
    private func learned(_ requests: [String], policy: String = "") throws -> LearnedRights {
        let policy = try Policy(file: policy)
        var lessons = LogLessons(policy.table)
        for request in requests {
            let words = request.split(separator: " ").map(String.init)
            lessons.read(Array(logfmt(["method": words[0], "path": words[1]]).utf8).span)
        }
        return LearnedRights(lessons.lessons["ci"] ?? Lesson(), alias: "ci", policy)
    }

    @Test(arguments: [
        (["GET /api/0/organizations/acme/releases/"], "learned-ci org=acme"),
        (
            ["GET /api/0/organizations/acme/releases/", "GET /api/0/organizations/beta/releases/"],
            "learned-ci org=acme,beta"
        ),
        (["GET /api/0/projects/acme/web/"], "learned-ci org=acme project=web"),
        (["GET /api/0/projects/acme/web/", "GET /api/0/projects/beta/web/"], "learned-ci org=acme,beta"),
        (["GET /api/0/projects/acme/12/"], "learned-ci org=acme"),
        (["GET /api/0/projects/1/web/"], "learned-ci"),
        // Its selection of projects is in a query that the log does not have.
        (["GET /api/0/projects/acme/web/", "GET /api/0/organizations/acme/issues/"], "learned-ci org=acme"),
        (["GET /api/0/projects/acme/web/", "GET /api/0/organizations/"], "learned-ci org=acme project=web"),
        (["GET /api/0/issues/1/"], "learned-ci"),
    ])
    func `limits are named when they would have refused nothing`(_ requests: [String], _ words: String) throws {
        #expect(try learned(requests).words == words)
    }

    @Test func `every operation of the table is learned as itself, and its rights load and allow it`() throws {
        let table = EndpointTable.builtIn
        var lesson = Lesson()
        for row in table.operations.indices where Int(table.operations[row].judgedAs) == row { lesson.counts[row] = 1 }
        let learned = LearnedRights(lesson, alias: "ci", .builtIn)
        let policy = try Policy(file: learned.policyLines.joined(separator: "\n"))
        let held = try #require(policy.sets.operations(of: "learned-ci"))
        for row in lesson.counts.keys {
            let operation = table.operations[row]
            let isHeld = !operation.operationClass.isNever && !operation.treatment.isIdentity
            #expect(held.contains(row) == isHeld, "\(table.name(of: row))")
        }
        #expect(held.count == learned.grants.count && learned.grants.count > 900 && !learned.never.isEmpty)
        let aliases = try AliasTable(
            try parseAliasFile("ci sap_x"), rules: AliasRules(policy: policy, now: 1_795_824_000))
        let rights = try #require(aliases.rights)
        // Without an organization nobody lists the projects of all of them.
        #expect(learned.remarks.contains { $0.contains("GET /api/0/projects/") })
        #expect(learned.expectations.count == learned.grants.count - 1)
        for line in learned.expectations {
            let words = line.split(separator: " ").map(String.init)
            let target = Array(words[3].utf8)
            let method = try #require(OperationMethod(named: words[2]))
            let methods: [OperationMethod: Method] = [
                .get: .get, .post: .post, .put: .put, .patch: .patch, .delete: .delete,
            ]
            let verdict = rights.judge(
                methods[method]!, target.span, alias: 0, ResolvedIdentifiers(rights),
                isElevated: ElevatedPaths.all.contains(target.span), now: 1_795_824_000)
            #expect(verdict.outcome == .forward, "\(line)")
        }
    }

    @Test func `a set is named and not taken when most of it was used`() throws {
        let set = try #require(Policy.builtIn.sets.operations(of: "ci-upload"))
        var lesson = Lesson()
        for row in set.operations.dropLast(3) { lesson.counts[row] = 1 }
        let learned = LearnedRights(lesson, alias: "CI.upload/1", .builtIn)
        #expect(learned.setName == "learned-ci-upload-1" && learned.grants.count == set.count - 3)
        #expect(learned.nearSets.contains { $0.name == "ci-upload" && $0.used == set.count - 3 })
        #expect(learned.within?.name == "ci-upload")
        #expect(!learned.policyLines.contains { $0.hasPrefix("    use ") })
    }

    @Test func `more names than are kept hold nobody`() {
        var lesson = Lesson()
        for number in 0..<Lesson.mostNames { lesson.note(organization: "org-\(number)") }
        #expect(!lesson.hasMoreNames)
        lesson.note(organization: "org-0")
        #expect(!lesson.hasMoreNames)
        lesson.note(organization: "one-more")
        #expect(lesson.hasMoreNames && lesson.organizations.count == Lesson.mostNames)
    }
}
