/// One limit or time-out: its name, its flag, its default, and what happens when it is passed.
package struct Limit: Sendable {
    package enum Unit: String, Sendable { case bytes, fields, seconds, requests }

    /// What docs/reference/limits.md calls it.
    package let name: StaticString
    /// The flag; its environment variable is the flag in capitals with `_` for `-`.
    package let flag: StaticString
    /// In `unit`; nil is without limit.
    package let defaultValue: UInt64?
    package let unit: Unit
    package let consequence: StaticString

    /// The flag's environment variable.
    package var variable: String {
        String(flag.description.drop { $0 == "-" }.map { $0 == "-" ? "_" : $0 }).uppercased()
    }
}

/// The limits, one row each. A test holds docs/reference/limits.md against these rows.
package enum Limits {
    package static let headBytes = Limit(
        name: "request head", flag: "--max-head", defaultValue: 65_536, unit: .bytes, consequence: "431")
    package static let headFields = Limit(
        name: "fields in a request head", flag: "--max-fields", defaultValue: 96, unit: .fields, consequence: "431")
    package static let answerFields = Limit(
        name: "fields in an answer's head", flag: "--max-answer-fields", defaultValue: 200, unit: .fields,
        consequence: "502")
    package static let targetBytes = Limit(
        name: "request target", flag: "--max-target", defaultValue: 16_384, unit: .bytes, consequence: "414")
    package static let headTimeout = Limit(
        name: "head whole, from accept", flag: "--head-timeout", defaultValue: 10, unit: .seconds,
        consequence: "408, close")
    package static let bodyTimeout = Limit(
        name: "body, each direction: no byte for", flag: "--body-timeout", defaultValue: 25, unit: .seconds,
        consequence: "408; 504 if the upstream stalls before its head")
    package static let collectTimeout = Limit(
        name: "chunked body whole, from its head", flag: "--collect-timeout", defaultValue: 60, unit: .seconds,
        consequence: "408")
    package static let responseTimeout = Limit(
        name: "answer's head from the upstream", flag: "--response-timeout", defaultValue: 25, unit: .seconds,
        consequence: "504")
    package static let connectTimeout = Limit(
        name: "connect to the upstream: name look-up, TCP, TLS, all addresses", flag: "--connect-timeout",
        defaultValue: 10, unit: .seconds, consequence: "504; refused or unresolvable: 502")
    package static let bodyBytes = Limit(
        name: "request body", flag: "--max-body", defaultValue: nil, unit: .bytes,
        consequence: "413 before it is read")
    package static let requestsInFlight = Limit(
        name: "requests in flight (no more than descriptors and memory allow)", flag: "--max-requests",
        defaultValue: nil, unit: .requests, consequence: "503 with `Retry-After`")

    package static let all = [
        headBytes, headFields, answerFields, targetBytes, headTimeout, bodyTimeout, collectTimeout, responseTimeout,
        connectTimeout,
        bodyBytes,
        requestsInFlight,
    ]
}
