import AccessPolicy
import HTTP1
import Testing

/// Many random heads, the same at every run: what comes out holds what it may and nothing else.
@Suite struct RewritePropertyTests {
    private let alias = "sap_never-upstream"

    /// The rules read plainly from their rows, without the compiled form.
    private func isDropped(_ name: String, _ rules: [HeaderRule], _ route: Route) -> Bool {
        let name = name.lowercased().replacing("_", with: "-")
        return rules.contains { rule in
            guard rule.scope == .both || route == .elevated else { return false }
            let ruled = rule.name.description.lowercased()
            return ruled.hasSuffix("*") ? name.hasPrefix(ruled.dropLast()) : name == ruled
        }
    }

    private func spelled(_ name: String, _ random: inout SeededGenerator) -> String {
        String(
            name.map { c in
                switch Int.random(in: 0..<4, using: &random) {
                case 0: return Character(c.uppercased())
                case 1: return Character(c.lowercased())
                case 2: return c == "-" ? "_" : c
                default: return c
                }
            })
    }

    @Test func requests() throws {
        var random = SeededGenerator(state: 1)
        let table = try AliasTable([(name: "a", token: Array(alias.utf8))])
        let framing: Set<String> = [
            "Host", "Content-Length", "Transfer-Encoding", "Expect", "Authorization", "Connection",
        ]
        let names =
            HeaderRules.request.map { $0.name.description.replacing("*", with: "Some-Thing") }.filter {
                !framing.contains($0)
            }
            + ["Accept", "X-One", "X-Two", "X-Three", "Content-Type", "X-Forwarded", "Baggage", "V", "X-Real"]
        let paths = ["/api/0/x/", "/oauth/token/", "/api/3/envelope/", "/a/../b", "/%6fauth/"]
        var routes: [Route: Int] = [:]
        for _ in 0..<3000 {
            var sentFields: [(name: String, value: String)] = []
            for number in 0..<Int.random(in: 0...12, using: &random) {
                sentFields.append((spelled(names.randomElement(using: &random)!, &random), "v\(number)"))
            }
            var nominated: [String] = []
            if Bool.random(using: &random) {
                nominated = (0..<3).map { _ in spelled(names.randomElement(using: &random)!, &random) }
                sentFields.append(("Connection", nominated.joined(separator: " , ")))
            }
            let showsAlias = Bool.random(using: &random)
            if showsAlias {
                sentFields.append((spelled("Authorization", &random), "\(spelled("Bearer", &random)) \(alias)"))
            }
            sentFields.shuffle(using: &random)

            let path = paths.randomElement(using: &random)!
            let sent = try request("GET \(path) HTTP/1.1", sentFields.map { "\($0.name): \($0.value)" })
            let decision = decide(sent.head, sent.bytes.span, PolicyConfiguration(aliases: table))
            guard case .forward(let forward) = decision else {
                Issue.record("refused")
                continue
            }
            routes[forward.route, default: 0] += 1
            #expect((forward.route == .elevated) == (showsAlias && path == "/api/0/x/"))
            let got = try upstream(sent, forward)

            #expect(!got.text.contains(alias))
            #expect(got.text.contains(token) == (forward.route == .elevated))
            let gone = Set(nominated.map { $0.lowercased().replacing("_", with: "-") })
            let kept = sentFields.filter { field in
                !isDropped(field.name, HeaderRules.request, forward.route) && !field.value.contains(alias)
                    && !gone.contains(field.name.lowercased().replacing("_", with: "-"))
            }
            let own = ["Accept-Encoding: identity", "Connection: close"]
            #expect(
                got.fields == ["Host: sentry-web:9000"] + kept.map { "\($0.name): \($0.value)" } + own
                    + (forward.route == .elevated ? ["Authorization: Bearer \(token)"] : []))
            let parser = RequestHeadParser()
            #expect(try parser.parse(Array(got.text.utf8).span))
        }
        #expect(routes[.elevated, default: 0] > 100 && routes[.bypass, default: 0] > 100)
    }

    @Test func responses() throws {
        var random = SeededGenerator(state: 2)
        let names =
            HeaderRules.response.map(\.name.description).filter {
                !["Content-Length", "Transfer-Encoding", "Connection"].contains($0)
            }
            + ["Server", "Link", "Set-Cookie2", "X-One", "Retry-After"]
        for round in 0..<3000 {
            let fields = (0..<Int.random(in: 0...12, using: &random)).map {
                (name: spelled(names.randomElement(using: &random)!, &random), value: "v\($0)")
            }
            let route: Route = round % 2 == 0 ? .elevated : .bypass
            let answer = try response("HTTP/1.1 200 OK", fields.map { "\($0.name): \($0.value)" })
            let kept = fields.filter { !isDropped($0.name, HeaderRules.response, route) }
            #expect(
                try client(answer, route: route, framing: .length(9))
                    == ["HTTP/1.1 200 OK"] + kept.map { "\($0.name): \($0.value)" }
                    + ["Content-Length: 9", "X-Request-Id: 0a1b2c3d4e5f6071", "Connection: close"])
        }
    }
}
