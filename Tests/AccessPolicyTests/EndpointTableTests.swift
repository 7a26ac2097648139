import Foundation
import HTTP1
import Testing

@testable import AccessPolicy

@Suite struct EndpointTableTests {
    private let table = EndpointTable.builtIn

    private func file(_ path: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    @Test func `what is compiled in is what the files in Policy say`() throws {
        #expect(endpointText.description == (try file("Policy/endpoints.tsv")))
        #expect(builtInSetText.description == (try file("Policy/sets.policy")))
    }

    @Test func `the table has its rows, and each has a judged effect`() {
        #expect(table.operations.count == 1_174)
        #expect(Set(table.operations.map(\.template)).count == 826)
        let effects = Dictionary(grouping: table.operations, by: \.effect).mapValues(\.count)
        #expect(effects == [.read: 503, .write: 514, .secret: 136, .readByPOST: 13, .writeOnGET: 8])
        #expect(table.operations.filter { table.string($0.note).contains("unjudged") }.isEmpty)
        #expect(table.version == "2026-11 getsentry/sentry@66d2e2c32db6 openapi 0.272.0")
    }

    @Test(arguments: [
        ("GET", "/", "read", "identity"), ("GET", "/organizations/*/", "read", "-"),
        ("PUT", "/organizations/*/issues/*/", "write", "-"), ("PUT", "/organizations/*/issues/", "write", "bulk"),
        ("GET", "/projects/*/*/keys/", "secret", "credential"), ("POST", "/projects/*/*/keys/", "write", "mint"),
        ("GET", "/projects/*/*/releases/token/", "write-on-GET", "credential"),
        ("POST", "/organizations/*/agent/token/", "write", "mint"),
        ("GET", "/organizations/*/objectstore/{path:*}", "secret", "raw"),
        ("GET", "/organizations/*/members/", "read", "personal"), ("GET", "/users/*/", "read", "user"),
        ("GET", "/internal/options/", "secret", "instance"),
        ("GET", "/organizations/*/uptime/", "secret", "credential"),
        ("GET", "/projects/*/*/statistical-detector/", "write-on-GET", "-"),
        ("GET", "/organizations/*/seer/runs/", "read", "cost"),
    ]) func `rows say what they do`(_ method: String, _ path: String, _ effect: String, _ kind: String) throws {
        let found = try #require(OperationMethod(named: method))
        let row = try #require(table.row(found, path))
        #expect(table.operations[row].effect.rawValue == effect)
        #expect(table.operations[row].operationClass.rawValue == kind)
    }

    /// Counted apart, by a reading of the same lists in Python.
    @Test(arguments: [
        ("identity", 5), ("read-only", 465), ("people", 17), ("raw", 20), ("dsn", 4), ("ai", 17), ("ci-upload", 27),
        ("release-admin", 31), ("cli", 42), ("mcp", 60), ("mcp-media", 2), ("mcp-triage", 62), ("mcp-seer", 61),
        ("mcp-manage", 76), ("triage", 470), ("grafana", 14), ("monitors", 10),
    ]) func `sets have their operations`(_ name: String, _ count: Int) {
        #expect(Policy.builtIn.sets.operations(of: name)?.count == count)
    }

    @Test func `read-only hands out no credential and makes none`() throws {
        for row in try #require(Policy.builtIn.sets.operations(of: "read-only")).operations {
            let operation = table.operations[row]
            #expect(
                operation.effect.isRead && operation.operationClass != .credential && !operation.operationClass.isNever)
        }
    }

    private func match(_ method: OperationMethod, _ path: String) -> String {
        let bytes = Array(path.utf8)
        guard let plain = PlainPath(bytes.span) else { return "form" }
        switch table.match(method, plain, bytes.span) {
        case .operation(let row): return table.path(of: row)
        case .otherMethod: return "operation"
        case .unknown: return "unknown"
        case .notPlain: return "form"
        }
    }

    @Test func `every template is found by a path of its own`() {
        let values = [
            "org": "acme", "project": "web", "team": "t", "d": "12", "e": "0123456789abcdef0123456789abcdef",
            "h": "ab12",
            "e|latest|oldest|recommended": "latest", "*": "a/b/c", "free": "x%20y",
        ]
        for row in table.operations.indices {
            var path = table.path(of: row)
            while let open = path.firstIndex(of: "{"), let close = path[open...].firstIndex(of: "}") {
                let inside = path[path.index(after: open)..<close]
                let parts = inside.split(separator: ":", maxSplits: 1).map(String.init)
                let value = parts.count > 1 ? values[parts[1]] ?? "12" : values[parts[0]] ?? "12"
                path.replaceSubrange(open...close, with: value)
            }
            #expect(match(table.operations[row].method, path) == table.path(of: row), "\(path)")
        }
    }

    @Test(arguments: [
        ("/api/0/organizations/acme/issues/1", "/api/0/organizations/{org}/issues/{issue_id}/"),
        ("/api/0/organizations/acme/issues/1/?a=%2F//", "/api/0/organizations/{org}/issues/{issue_id}/"),
        ("/api/0/organizations//issues/", "form"), ("/api/0/organizations/acme%2Fissues/", "form"),
        ("/api/0/organizations/acme%2fissues/", "form"), ("/api/0/organizations/./issues/", "form"),
        ("/api/0/organizations/acme/..", "form"), ("/api/0/organizations/acme/%2e%2E/", "form"),
        ("/api/0/organizations/.%2e/", "form"), ("/api/0/organizations/.../", "/api/0/organizations/{org}/"),
        ("/api/0/organizations/acme;x/", "form"), ("/api/0/organizations/acme\\/", "form"),
        ("/api/0/organizations/acm%65/", "form"), ("/api/0/organi%7Aations/acme/", "form"),
        ("/api/0/organizations/acme/releases/a%20b/", "/api/0/organizations/{org}/releases/{version:free}/"),
        ("/api/0/organizations/acme/releases/a%252fb/", "form"), ("/api/0/organizations/acme/releases/a%0Ab/", "form"),
        ("/api/0/organizations/acme/releases/a%zz/", "form"), ("/api/0/organizations/acme/releases/a%4", "form"),
        ("/api/0/projects/acme/web/releases/tok%65n/", "form"),
        ("/api/0/projects/acme/web/releases/token/", "/api/0/projects/{org}/{project}/releases/token/"),
        ("/api/0/projects/acme/web/events/abc/", "unknown"), ("/api/0/organizations/acme/brand-new/", "unknown"),
        ("/api/0/organizations/acme/members/me/brand/new/and/more/than/twelve/", "unknown"),
        ("/api/0/projects/acme/rule-conditions/", "/api/0/projects/{org}/rule-conditions/"),
        ("/api/0/projects/acme/rule-conditions/keys/", "/api/0/projects/{org}/{project}/keys/"),
        (
            "/api/0/organizations/acme/objectstore/a/%20/c/d/e/f/g/h/i/j/k",
            "/api/0/organizations/{org}/objectstore/{path:*}"
        ),
        ("/api/0/organizations/acme/objectstore/", "unknown"), ("/api/0/users/me/", "/api/0/users/me/"),
        ("/api/0/organizations/acme/events/web:12/", "/api/0/organizations/{org}/events/{project}:{event_id:e}/"),
        ("/api/0/organizations/acme/events/web:x/", "unknown"),
        ("/api/0/organizations/acme/code-mappings/", "/api/0/organizations/{org}/code-mappings/"),
    ]) func `paths have one reading or none`(_ path: String, _ expected: String) {
        #expect(match(.get, path) == expected)
    }

    @Test func `bytes that are read in more than one way have no plain form`() {
        for byte in UInt8.min...UInt8.max {
            let bytes = Array("/api/0/a".utf8) + [byte] + Array("b/".utf8)
            let isPlain = PlainPath(bytes.span) != nil
            let isHonest = (0x21...0x7e).contains(byte) && !"#%;\\".utf8.contains(byte)
            #expect(isPlain == isHonest, "\(byte)")
        }
    }
}
