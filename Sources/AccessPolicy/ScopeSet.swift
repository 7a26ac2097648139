internal import HTTP1

/// Scopes of Sentry's tokens, as bits (getsentry/sentry src/sentry/conf/server.py).
package struct ScopeSet: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Every scope that the table knows, with what holding it implies (SENTRY_SCOPE_HIERARCHY_MAPPING).
    private static let all: [(name: String, implies: [String])] = [
        ("alert_rule:read", []), ("alert_rule:write", ["alert_rule:read"]),
        ("alerts:read", []), ("alerts:write", ["alerts:read"]),
        ("event:admin", ["event:write", "event:read"]), ("event:read", []), ("event:write", ["event:read"]),
        ("member:admin", ["member:write", "member:read", "member:invite"]), ("member:invite", ["member:read"]),
        ("member:read", []), ("member:write", ["member:read", "member:invite"]),
        ("org:admin", ["org:write", "org:read", "org:integrations"]), ("org:ci", []), ("org:integrations", []),
        ("org:read", []), ("org:write", ["org:read"]),
        ("project:admin", ["project:write", "project:read"]), ("project:distribution", []), ("project:read", []),
        ("project:releases", []), ("project:write", ["project:read"]),
        ("team:admin", ["team:write", "team:read"]), ("team:read", []), ("team:write", ["team:read"]),
    ]

    /// Names in alphabetical order, which is that of the bits.
    package static var allNames: [String] { all.map(\.name) }

    private static let bits: [String: ScopeSet] = Dictionary(
        uniqueKeysWithValues: all.enumerated().map { ($1.name, ScopeSet(rawValue: 1 << UInt32($0))) })

    /// The `:read` scopes: to hold one never changes data, whatever Sentry's lists say.
    package static let reading: ScopeSet = all.filter { $0.name.hasSuffix(":read") }
        .reduce(into: []) { $0.insert(bits[$1.name]!) }

    package init?(named name: String) {
        guard let scope = Self.bits[name] else { return nil }
        self = scope
    }

    /// The named scope and all that it implies.
    package init?(closedUnder name: String) {
        guard let entry = Self.all.first(where: { $0.name == name }) else { return nil }
        self = entry.implies.reduce(into: Self.bits[name]!) { $0.insert(Self.bits[$1]!) }
    }

    /// Of these, those that imply no other of them.
    var weakest: ScopeSet {
        var found = self
        for (bit, implied) in Self.implied where contains(bit) && !isDisjoint(with: implied) { found.remove(bit) }
        return found
    }

    private static let implied: [(ScopeSet, ScopeSet)] = all.filter { !$0.implies.isEmpty }.map {
        (bits[$0.name]!, $0.implies.reduce(into: []) { $0.insert(bits[$1]!) })
    }

    /// Writes the names, with a blank between two.
    func writeNames(into writer: inout HeadWriter) {
        var isFirst = true
        for i in Self.all.indices where rawValue >> UInt32(i) & 1 == 1 {
            if !isFirst { writer.append(byte: ASCII.space) }
            isFirst = false
            writer.append(Self.all[i].name.utf8.span)
        }
    }

    package var names: [String] {
        Self.all.indices.filter { rawValue >> UInt32($0) & 1 == 1 }.map { Self.all[$0].name }
    }
}
