import HTTP1
import Testing

/// Up to this many bytes, a message is cut at every byte, and once into single bytes.
private let mostBytesCutEverywhere = 2_048

/// The places where a message is cut in two. Giant messages, those that pass a limit, are cut at 64 places, evenly spread, and
/// at each of their last 64 bytes.
private func cuts(_ count: Int) -> [Int] {
    if count <= mostBytesCutEverywhere { return Array(0...count) }
    return Array(stride(from: 0, to: count, by: count / 64)) + Array(count - 64...count)
}

/// Holds one verdict at every split, and gives it.
private func verdict(_ fixture: Fixture, _ read: (_ cuts: [Int]) -> Verdict) -> Verdict {
    let whole = read([])
    for cut in cuts(fixture.message.count) {
        let split = read([cut])
        #expect(split == whole, "\(fixture.name) cut at \(cut)")
        if split != whole { break }
    }
    #expect(read(Array(0...fixture.message.count)) == whole, "\(fixture.name) byte by byte")
    return whole
}

/// Holds an accepted message against the checks of its fixture.
private func check(_ message: Message, _ fixture: Fixture) throws {
    let meta: Set = ["section", "expect", "why", "request-method"]
    for (key, value) in fixture.keys where !meta.contains(key) {
        switch key {
        case "field":
            #expect(message.fields.contains(value), "\(fixture.name): no field \(value) in \(message.fields)")
        case "body":
            #expect(message.body == (try Fixture.decode(Array(value.utf8), fixture.name)), "\(fixture.name): body")
        case "rest":
            #expect(message.rest == (try Fixture.decode(Array(value.utf8), fixture.name)), "\(fixture.name): rest")
        default:
            let found = try #require(message.values[key], "\(fixture.name): unknown key \(key)")
            let expected = String(decoding: try Fixture.decode(Array(value.utf8), fixture.name), as: UTF8.self)
            #expect(found == expected, "\(fixture.name): \(key)")
        }
    }
    if fixture.first("rest") == nil {
        #expect(message.rest.isEmpty, "\(fixture.name): bytes behind the message")
    }
}

private func check(_ verdict: Verdict, _ fixture: Fixture, expectedStatus: (ParseError) -> String) throws {
    switch verdict {
    case .accepted(let message):
        #expect(fixture.first("expect") == "accept", "\(fixture.name): accepted")
        try check(message, fixture)
    case .refused(let error):
        #expect(fixture.first("expect") == expectedStatus(error), "\(fixture.name): \(error)")
        #expect(fixture.first("error") == "\(error)", "\(fixture.name)")
    case .incomplete:
        Issue.record("\(fixture.name): incomplete")
    }
}

@Suite struct FixtureTests {
    static let requests = Fixture.load("requests")
    static let responses = Fixture.load("responses")

    @Test(arguments: requests) func request(_ fixture: Fixture) throws {
        let parser = RequestHeadParser(limits: Fixture.limits)
        try check(verdict(fixture) { readRequest(fixture.message, cuts: $0, parser) }, fixture) { "\($0.status)" }
    }

    @Test(arguments: responses) func response(_ fixture: Fixture) throws {
        let name = fixture.first("request-method") ?? "GET"
        let method = try #require(HTTP1.Method.allCases.first { "\($0)".uppercased() == name })
        let parser = ResponseHeadParser(limits: Fixture.limits)
        try check(verdict(fixture) { readResponse(fixture.message, to: method, cuts: $0, parser) }, fixture) { _ in
            "refuse"
        }
    }

    @Test func counts() {
        for (kind, fixtures, least) in [("request", Self.requests, 150), ("response", Self.responses, 60)] {
            let accepted = fixtures.count { $0.first("expect") == "accept" }
            print("\(fixtures.count) \(kind) fixtures, \(accepted) accepted")
            #expect(fixtures.count >= least)
            #expect(accepted >= least / 6 && fixtures.count - accepted >= least / 3)
        }
    }

    /// Each rule that a parser can break has a fixture that breaks it.
    @Test func everyErrorHasAFixture() {
        let shown = Set((Self.requests + Self.responses).compactMap { $0.first("error") })
        for error in ParseError.allCases {
            #expect(shown.contains("\(error)"), "no fixture is refused with \(error)")
        }
    }
}
