// Runs one operation of the data path many times, for check.py to count instructions and allocations of.
//
//   MicroBenchmarks            lists the operations
//   MicroBenchmarks NAME N     runs one N times; prints ns per operation and a checksum that keeps the work alive

import AccessPolicy
import EventLoop
import HTTP1
import System

private let requestHead = Array(
    """
    GET /api/0/organizations/acme/releases/?per_page=25 HTTP/1.1\r
    Host: sentry.example\r
    User-Agent: sentry-cli/2.46.0\r
    Accept: application/json\r
    Accept-Encoding: gzip, br\r
    Accept-Language: en-GB,en;q=0.8\r
    Authorization: Bearer alias-0123456789abcdef0123456789abcdef\r
    Cookie: session=must-not-pass\r
    X-Forwarded-For: 203.0.113.9\r
    X-Forwarded-Proto: https\r
    Connection: close\r
    \r

    """.utf8)

private let responseHead = Array(
    """
    HTTP/1.1 200 OK\r
    Server: upstream\r
    Content-Type: application/json\r
    Content-Language: en\r
    Vary: Accept-Language, Cookie\r
    X-Frame-Options: deny\r
    X-Content-Type-Options: nosniff\r
    Set-Cookie: sentrysid=must-not-pass; Path=/\r
    Connection: close\r
    Content-Length: 242\r
    \r

    """.utf8)

private let alias = Array("alias-0123456789abcdef0123456789abcdef".utf8)
private let token = Array("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef".utf8)
private let otherTimers = 4_000

/// Runs `body` `count` times. Returns the sum of what it answers.
private func times(_ count: Int, _ body: (Int) throws -> Int) rethrows -> Int {
    var sum = 0
    for index in 0..<count { sum &+= try body(index) }
    return sum
}

private func parseRequestHead(_ count: Int) throws -> Int {
    let parser = RequestHeadParser()
    return try times(count) { _ in
        parser.reset()
        guard try parser.parse(requestHead.span) else { fatalError("the head is not whole") }
        return parser.head.fields.count
    }
}

private func parseResponseHead(_ count: Int) throws -> Int {
    let parser = ResponseHeadParser()
    return try times(count) { _ in
        parser.reset()
        guard try parser.parse(responseHead.span) else { fatalError("the head is not whole") }
        return parser.head.fields.count
    }
}

private func writeUpstreamHead(_ count: Int) throws -> Int {
    let parser = RequestHeadParser()
    guard try parser.parse(requestHead.span) else { fatalError("the head is not whole") }
    let head = parser.head
    let target = UpstreamTarget(authority: Array("sentry-web:9000".utf8))
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4_096, alignment: 16)
    defer { buffer.deallocate() }
    return try times(count) { _ in
        var writer = HeadWriter(buffer)
        _ = try writeRequestHead(
            head, requestHead.span, decision: Forward(route: .elevated), target: target, framing: .none,
            token: token.span,
            into: &writer)
        return writer.count
    }
}

private func decideElevated(_ count: Int) throws -> Int {
    let parser = RequestHeadParser()
    guard try parser.parse(requestHead.span) else { fatalError("the head is not whole") }
    let head = parser.head
    let configuration = PolicyConfiguration(aliases: try AliasTable([(name: "ci", token: alias)]))
    return times(count) { _ in
        guard case .forward(let forward) = decide(head, requestHead.span, configuration), forward.route == .elevated
        else {
            fatalError("the alias was not recognised")
        }
        return 1
    }
}

private func matchAlias(_ count: Int) throws -> Int {
    let table = try AliasTable([(name: "ci", token: alias)])
    return times(count) { _ in
        guard let index = table.match(alias.span) else { fatalError("the alias was not recognised") }
        return index + 1
    }
}

/// Judges a request of an alias that is held to an organization and two projects: path, query and all.
private func judge(_ target: String, _ count: Int) throws -> Int {
    let line = "agent sap_x read-only triage org=acme:1 project=web:10,api:11"
    let table = try AliasTable(try parseAliasFile(line), rules: AliasRules())
    guard let rights = table.rights else { fatalError("the alias has no rights") }
    let identifiers = ResolvedIdentifiers(rights)
    let bytes = Array(target.utf8)
    return times(count) { _ in
        let verdict = rights.judge(.get, bytes.span, alias: 0, identifiers, isElevated: true, now: 1)
        guard verdict.outcome == .forward else { fatalError("refused") }
        return Int(verdict.operation)
    }
}

private func judgePath(_ count: Int) throws -> Int {
    try judge("/api/0/projects/acme/web/events/0123456789abcdef0123456789abcdef/", count)
}

private func judgeQuery(_ count: Int) throws -> Int {
    try judge("/api/0/organizations/acme/issues/?query=is%3Aunresolved&project=10&statsPeriod=14d", count)
}

/// Arms and takes out a timer in a wheel that holds 4,000 others, which are a long time off.
private func cancelTimer(_ count: Int) -> Int {
    var wheel = TimerWheel(now: .distantPast)
    for slot in 1...otherTimers {
        wheel.arm(slot: slot, at: Instant(nanoseconds: UInt64(25_000_000_000 + slot * 1_000_000)))
    }
    return times(count) { index in
        wheel.arm(slot: 0, at: Instant(nanoseconds: (UInt64(index) & 0xfff) << TimerWheel.tickShift))
        wheel.disarm(slot: 0)
        return wheel.count
    }
}

/// Arms a timer for the next tick and lets it expire.
private func expireTimer(_ count: Int) -> Int {
    var wheel = TimerWheel(now: .distantPast)
    return times(count) { index in
        let now = Instant(nanoseconds: UInt64(index) << TimerWheel.tickShift)
        wheel.arm(slot: 0, at: now)
        guard wheel.popExpired(now: now + .nanoseconds(2 << TimerWheel.tickShift)) == 0 else {
            fatalError("the timer did not expire")
        }
        return 1
    }
}

private let operations: [(name: String, run: (Int) throws -> Int)] = [
    ("request-head-parse", parseRequestHead),
    ("response-head-parse", parseResponseHead),
    ("upstream-head-write", writeUpstreamHead),
    ("decide", decideElevated),
    ("alias-match", matchAlias),
    ("judge-path", judgePath),
    ("judge-query", judgeQuery),
    ("timer-arm-disarm", cancelTimer),
    ("timer-arm-expire", expireTimer),
]

let arguments = CommandLine.arguments
if arguments.count == 3, let operation = operations.first(where: { $0.name == arguments[1] }),
    let count = Int(arguments[2]), count > 0
{
    let clock = ContinuousClock()
    let start = clock.now
    let sum = try operation.run(count)
    let spent = (clock.now - start).components
    print((spent.seconds * 1_000_000_000 + spent.attoseconds / 1_000_000_000) / Int64(count), sum)
} else {
    for operation in operations { print(operation.name) }
}
