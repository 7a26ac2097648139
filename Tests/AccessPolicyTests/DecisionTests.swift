import AccessPolicy
import HTTP1
import Testing

@Suite struct DecisionTests {
    private let alias = "sap_team-A.1"
    private let aliases: AliasTable

    init() throws {
        aliases = try AliasTable([
            (name: "other", token: Array("sap_other".utf8)), (name: "team-a", token: Array("sap_team-A.1".utf8)),
        ])
    }

    private func decision(
        _ line: String, _ fields: [String], _ configuration: PolicyConfiguration? = nil
    ) throws -> Decision {
        let sent = try request(line, fields)
        return decide(sent.head, sent.bytes.span, configuration ?? PolicyConfiguration(aliases: aliases))
    }

    private let get = "GET /api/0/ HTTP/1.1"
    private let elevated = Decision.forward(Forward(route: .elevated))
    private let bypass = Decision.forward(Forward(route: .bypass))

    @Test(arguments: [
        [], ["Authorization: Bearer sap_team-A.1"], ["Authorization: Bearer x"], ["Authorization: Basic eDp5"],
        ["Cookie: a=b"],
    ]) func noAliasElevatesAnything(_ fields: [String]) throws {
        #expect(try decision(get, fields, PolicyConfiguration()) == elevated)
        #expect(try decision(get, fields, PolicyConfiguration(aliases: AliasTable([AliasEntry]()))) == elevated)
        // What was an alias may be one again.
        let barred = fields.contains { $0.contains("sap_") } ? Decision.refuse(.aliasUnknown) : bypass
        #expect(try decision("POST /oauth/token/ HTTP/1.1", fields, PolicyConfiguration()) == barred)
        #expect(try decision("POST /api/7/envelope/ HTTP/1.1", fields, PolicyConfiguration()) == barred)
    }

    @Test(arguments: [
        "Authorization: Bearer sap_team-A.1", "authorization:bearer sap_team-A.1",
        "AUTHORIZATION: BEARER   sap_team-A.1 ",
        "Authorization: bEaReR\tsap_team-A.1",
    ]) func aliasElevates(_ field: String) throws {
        let expected = Forward(route: .elevated, aliasIndex: 1)
        #expect(try decision(get, [field]) == .forward(expected))
        let sent = try upstream(try request(get, [field]), expected)
        #expect(!sent.text.contains(alias) && sent.fields.last == "Authorization: Bearer \(token)")
    }

    @Test(arguments: [
        [], ["Authorization: Bearer"], ["Authorization: Basic eDp5"], ["Authorization:"],
        ["Authorization: Bearer team-A.1"],
        ["Authorization: Bearer x", "Cookie: s=1", "Origin: http://o", "X-Sentry-Auth: Sentry k"],
    ]) func anythingElseBypasses(_ fields: [String]) throws {
        #expect(try decision(get, fields) == bypass)
        let got = try upstream(try request(get, fields), Forward(route: .bypass)).fields
        let expected = fields.map { $0.hasSuffix(":") ? $0 + " " : $0 }
        #expect(got == ["Host: sentry-web:9000"] + expected + ["Accept-Encoding: identity", "Connection: close"])
    }

    @Test(arguments: [
        ("Bearer sap_team-a.1", ErrorAnswer.aliasUnknown), ("Bearer sap_team-A.1x", .aliasUnknown),
        ("Bearer sap_team-A.", .aliasUnknown), ("Bearer user:sap_team-A.1", .aliasMisplaced),
        ("Token sap_team-A.1", .aliasMisplaced), ("sap_team-A.1", .aliasMisplaced),
        ("Bearer a sap_team-A.1", .aliasMisplaced), ("Basic c2FwX3RlYW0tQS4xOg==", .aliasMisplaced),
        ("Basic eDpzYXBfdGVhbS1BLjE", .aliasMisplaced), ("Bearer sap_team-A.1,", .aliasMisplaced),
        ("Bearer x/sap_team-A.1/y", .aliasMisplaced), ("Bearer k=sap_team-A.1&", .aliasMisplaced),
    ]) func anAliasInOtherClothesIsRefused(_ value: String, _ answer: ErrorAnswer) throws {
        for line in [get, "POST /api/1/envelope/ HTTP/1.1"] {
            #expect(try decision(line, ["Authorization: \(value)"]) == .refuse(answer))
        }
    }

    @Test(arguments: [PolicyConfiguration?.none, PolicyConfiguration()])
    func twoAuthorizationFieldsAreRefused(_ configuration: PolicyConfiguration?) throws {
        let field = "Authorization: Bearer \(alias)"
        #expect(try decision(get, [field, "A: b", field.lowercased()], configuration) == .refuse(.badRequest))
        #expect(try decision("GET /oauth/ HTTP/1.1", [field, "authorization:"], configuration) == .refuse(.badRequest))
    }

    @Test(arguments: [
        "POST /oauth/token/ HTTP/1.1", "POST /%6Fauth/x HTTP/1.1", "POST /api/1/envelope/ HTTP/1.1",
        "GET /a/../b HTTP/1.1",
    ])
    func barredPathsLoseTheAlias(_ line: String) throws {
        let fields = ["Authorization: Bearer \(alias)", "Cookie: kept", "X-Sentry-Auth: kept"]
        let expected = Forward(route: .bypass, aliasIndex: 1, dropAuthorization: true)
        #expect(try decision(line, fields) == .forward(expected))
        let sent = try upstream(try request(line, fields), expected)
        #expect(!sent.text.contains(alias) && !sent.text.contains(token))
        #expect(sent.fields.filter { $0.hasSuffix("kept") } == ["Cookie: kept", "X-Sentry-Auth: kept"])
        // The path keeps its own bytes.
        #expect(sent.lines[0] == line)

        let foreign = try decision(line, ["Authorization: Bearer their-own"])
        #expect(foreign == bypass)
    }

    @Test func aMethodThatMirrorsIsRefused() throws {
        for method in [Method.trace, .connect] {
            let sent = try request(get)
            sent.head.method = method
            #expect(decide(sent.head, sent.bytes.span, PolicyConfiguration()) == .refuse(.methodNotAllowed))
        }
    }

    @Test func bodyLimit() throws {
        let limited = PolicyConfiguration(aliases: nil, maxBodyBytes: 10)
        #expect(try decision("POST / HTTP/1.1", ["Content-Length: 10"], limited) == elevated)
        #expect(try decision("POST / HTTP/1.1", ["Content-Length: 11"], limited) == .refuse(.contentTooLarge))
        #expect(try decision("POST / HTTP/1.1", ["Transfer-Encoding: chunked"], limited) == elevated)
        #expect(try decision("POST / HTTP/1.1", ["Content-Length: 99999999999"]) == bypass)
    }
}
