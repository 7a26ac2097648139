import Foundation
import HTTP1
import Testing

@testable import AccessPolicy

private struct Collected: ByteSink {
    var bytes: [UInt8] = []
    mutating func append(_ bytes: Span<UInt8>) { for i in bytes.indices { self.bytes.append(bytes[i]) } }
}

/// Rights of one alias, in force.
private func rights(_ words: String) throws -> RightsInForce {
    try #require(
        RightsInForce(
            try AliasTable(
                try parseAliasFile("ci sap_x \(words)"), rules: AliasRules(policy: .builtIn, now: 1_795_824_000))))
}

/// What is left of an answer, nil for nothing; read in slices of this size.
private func filtered(_ body: [UInt8], _ filter: AnswerFilter, _ rights: RightsInForce, slice: Int) -> String? {
    var state = AnswerFiltering(filter)
    var sink = Collected()
    while true {
        switch rights.filter(body.span, next: slice, &state, alias: 0, into: &sink) {
        case .more: continue
        case .done: return String(decoding: sink.bytes, as: UTF8.self)
        case .refused: return nil
        }
    }
}

/// The same at every split.
private func filtered(_ body: String, _ filter: AnswerFilter, _ rights: RightsInForce) -> String? {
    let bytes = Array(body.utf8)
    let whole = filtered(bytes, filter, rights, slice: max(1, bytes.count))
    for slice in 1..<max(2, bytes.count) {
        #expect(filtered(bytes, filter, rights, slice: slice) == whole, "slices of \(slice): \(body)")
    }
    return whole
}

@Suite struct AnswerFilteringTests {
    @Test(arguments: [
        ("[]", "[]"), (" [ ] ", "[]"), (#"[{"slug":"web"}]"#, #"[{"slug":"web"}]"#),
        (
            #"[{"slug":"other"},{"id":"1","slug":"web"},{"slug":"api"} , {"slug":"x"}]"#,
            #"[{"id":"1","slug":"web"},{"slug":"api"}]"#
        ),
        // A slug elsewhere is another thing's; two of them must both be held; an escape is a spelling that Sentry has not.
        (#"[{"team":{"slug":"web"}}]"#, "[]"),
        (#"[{"team":{"slug":"x"},"slug":"web"}]"#, #"[{"team":{"slug":"x"},"slug":"web"}]"#),
        (#"[{"slug":"web","slug":"x"}]"#, "[]"), (#"[{"slug":"x","slug":"web"}]"#, "[]"),
        (#"[{"slug":"w\u0065b"}]"#, "[]"), (#"[{"sl\u0075g":"x","slug":"web"}]"#, "[]"),
        (#"[{"slug":{"slug":"web"}}]"#, "[]"), (#"[{"slug":["web"]}]"#, "[]"), (#"[{"slug":null}]"#, "[]"),
        (#"[{"slug":{},"slug":"web"}]"#, "[]"), (#"[["slug","web"],"web",1,true,null,{}]"#, "[]"),
        (#"[[{"slug":"web"}]]"#, "[]"), (#"[{"slug":"WEB"}]"#, "[]"),
        (#"[{"a":"}],{","slug":"web"}]"#, #"[{"a":"}],{","slug":"web"}]"#),
    ])
    func `of a list stays what is the alias's`(_ body: String, _ expected: String) throws {
        #expect(filtered(body, .projects, try rights("ci-upload org=acme project=web,api")) == expected)
    }

    @Test func `organizations are cut by the organizations`() throws {
        let body = #"[{"slug":"acme"},{"slug":"web"},{"slug":"beta"}]"#
        #expect(
            filtered(body, .organizations, try rights("mcp org=acme,beta")) == #"[{"slug":"acme"},{"slug":"beta"}]"#)
    }

    @Test(arguments: [
        "", " ", "[", "{", "[{}", #"[{"slug":"web"}"#, #"[{"slug":"web"}]x"#, #"[{"slug":"web"},]"#,
        #"[{"slug":"web",}]"#,
        #"{"slug":"web"}"#, #""web""#, "1", "null", #"[{"slug" "web"}]"#, #"[{slug:"web"}]"#,
        #"[{"a":01,"slug":"web"}]"#,
        #"[{"a":"\x","slug":"web"}]"#, "[{\"a\":\"\u{1}\",\"slug\":\"web\"}]", #"[{"slug":"web"}}"#, #"[tru]"#, "[nan]",
        #"[{"slug":"web"}] ]"#, "[\"\\u12\"]", "[1.]", "[1e]", "[-]", "[.5]", "[+1]",
        String(repeating: "[", count: 65) + String(repeating: "]", count: 65),
    ])
    func `what is no list in JSON does not pass`(_ body: String) throws {
        #expect(filtered(body, .projects, try rights("ci-upload org=acme project=web")) == nil)
    }

    @Test(arguments: [
        ("{}", "{}"), (#"{"securityToken":"5ec4e7"}"#, #"{"securityToken":""}"#),
        (
            #" { "a" : 1 , "securityToken" : "5ec4e7" , "b" : [ ] } "#,
            #" { "a" : 1 , "securityToken" : "" , "b" : [ ] } "#
        ),
        (#"{"securityToken":{"a":["5ec4e7"]},"x":1}"#, #"{"securityToken":"","x":1}"#),
        (#"{"securityToken":["5ec4e7"]}"#, #"{"securityToken":""}"#),
        (#"{"securityToken":null}"#, #"{"securityToken":""}"#),
        (#"{"securityToken":"a","securityToken":"b"}"#, #"{"securityToken":"","securityToken":""}"#),
        (#"{"security\u0054oken":"5ec4e7"}"#, #"{"security\u0054oken":""}"#),
        (
            #"{"securityTokenHeader":"X-Token","a":{"securityToken":"b"}}"#,
            #"{"securityTokenHeader":"X-Token","a":{"securityToken":"b"}}"#
        ),
        (#"[{"securityToken":"a"}]"#, #"[{"securityToken":"a"}]"#), ("\"a\"", "\"a\""), ("12", "12"),
    ])
    func `the member securityToken is blanked`(_ body: String, _ expected: String) throws {
        #expect(filtered(body, .securityToken, try rights("read-only")) == expected)
    }

    @Test(arguments: ["", "{", #"{"securityToken":"a""#, #"{"securityToken":}"#, #"{"a":1}{}"#, "x"])
    func `what is no JSON is not passed on`(_ body: String) throws {
        #expect(filtered(body, .securityToken, try rights("read-only")) == nil)
    }

    @Test func `lists of all shapes come to what another parser makes of them`() throws {
        var random = Generator(state: 7)
        let rights = try rights("ci-upload org=acme project=web,api")
        for _ in 0..<500 {
            let body = random.list()
            let read = try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [Any])
            let expected = read.filter {
                (($0 as? [String: Any])?["slug"] as? String).map(["web", "api"].contains) ?? false
            }
            let found = try #require(
                filtered(Array(body.utf8), .projects, rights, slice: random.number(1...body.utf8.count)))
            let list = try #require(try JSONSerialization.jsonObject(with: Data(found.utf8)) as? [Any])
            #expect(list as NSArray == expected as NSArray, "\(body)")
        }
    }

    /// Elements with one name of a kind each, with and without blanks.
    private struct Generator {
        var state: UInt64

        mutating func number(_ range: ClosedRange<Int>) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return range.lowerBound + Int(state >> 33) % range.count
        }

        private mutating func blank() -> String { ["", "", " ", "\n\t "][number(0...3)] }

        mutating func value(_ depth: Int) -> String {
            switch number(0...(depth > 3 ? 4 : 6)) {
            case 0: return "\"\(["web", "a\\n", "\\u00e9", "]}", ""][number(0...4)])\""
            case 1: return ["0", "-1.5e+3", "12345678901234567890", "1E2"][number(0...3)]
            case 2: return "true"
            case 3: return "null"
            case 4: return "false"
            case 5: return "[\(blank())\((0..<number(0...3)).map { _ in value(depth + 1) }.joined(separator: ","))]"
            default: return object(depth + 1)
            }
        }

        private mutating func object(_ depth: Int) -> String {
            var members: [String] = []
            // A name with an escape at the top of an element takes it out; below it does not.
            for name in ["id", "slug", depth > 1 ? "x\\\"y" : "xy", "team"] where number(0...2) > 0 {
                let slug = "\"\(["web", "api", "other", ""][number(0...3)])\""
                members.append(
                    "\"\(name)\"\(blank()):\(blank())\(name == "slug" && number(0...4) > 0 ? slug : value(depth))")
            }
            return "{\(blank())\(members.joined(separator: ","))\(blank())}"
        }

        mutating func list() -> String {
            "\(blank())[\((0..<number(0...6)).map { _ in "\(blank())\(number(0...3) > 0 ? object(1) : value(0))\(blank())" }.joined(separator: ","))]\(blank())"
        }
    }
}

@Suite struct IdentityAnswerTests {
    private func answer(_ words: String, _ treatment: OperationTreatment, base: String = "", name: String = "ci") throws
        -> [String: Any]
    {
        let table = try AliasTable(
            try parseAliasFile("\(name) sap_x \(words)"), rules: AliasRules(policy: .builtIn, now: 1_795_824_000))
        let rights = try #require(RightsInForce(table))
        let bytes = written { rights.writeIdentity(treatment, alias: 0, base: Array(base.utf8).span, into: &$0) }
        return try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    @Test(arguments: [OperationTreatment.auth, .validate, .me])
    func `an alias is no person`(_ treatment: OperationTreatment) throws {
        let found = try answer("mcp", treatment) as NSDictionary
        #expect(found == ["id": "0", "name": "alias ci", "username": "alias-ci", "email": ""] as NSDictionary)
    }

    @Test func `a name cannot break out of the text`() throws {
        let found = try answer("mcp", .me, name: #"a","id":"1"}\"#)
        #expect(found["id"] as? String == "0" && found.count == 4)
    }

    @Test func `scopes are those of which every operation is held`() throws {
        func scopes(_ words: String) throws -> Set<String> {
            let auth = try #require(try answer(words, .root)["auth"] as? [String: Any])
            return Set(try #require(auth["scopes"] as? [String]))
        }
        #expect(try scopes("event:read").contains("event:read") && !scopes("event:read").contains("event:write"))
        #expect(try scopes("event:write").isSuperset(of: ["event:read", "event:write"]))
        #expect(try !scopes("read-only").contains { $0.hasSuffix(":write") || $0.hasSuffix(":admin") })
        // `full` without an organization names no scope: it is not narrowed, and Sentry answers for it.
        #expect(try scopes("full rate=1/s").isEmpty)
        #expect(try answer("mcp", .root)["user"] is NSNull)
    }

    @Test func `the proxy is the only region, if its address is known`() throws {
        let found = try answer("mcp", .regions, base: "https://proxy.example/sentry")
        #expect(
            found as NSDictionary == ["regions": [["name": "default", "url": "https://proxy.example/sentry"]]]
                as NSDictionary)
        #expect(try answer("mcp", .regions) as NSDictionary == ["regions": [[String: Any]]()] as NSDictionary)
    }
}
