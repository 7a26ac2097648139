package import HTTP1

/// The rights of all aliases, with the numbers that are known of what they name.
///
/// One reference: an exchange keeps it from its verdict on, so that rights which change meanwhile hold for the next request.
package final class RightsInForce: Sendable {
    package let table: RightsTable
    package let identifiers: ResolvedIdentifiers
    private let aliases: AliasTable
    /// By the index of an alias; nil for one without rate and concurrency. Kept by name over reloads.
    private let cells: [AliasCell?]

    /// - Returns: nil when no alias has rights or limits.
    package convenience init?(_ aliases: AliasTable?, after old: RightsInForce? = nil) {
        guard let aliases, let table = aliases.rights else { return nil }
        self.init(
            aliases, table, ResolvedIdentifiers(table, after: old.map { ($0.identifiers, $0.table) }),
            Self.cells(aliases, table, after: old))
    }

    private init(_ aliases: AliasTable, _ table: RightsTable, _ identifiers: ResolvedIdentifiers, _ cells: [AliasCell?])
    {
        self.cells = cells
        self.aliases = aliases
        self.table = table
        self.identifiers = identifiers
    }

    /// The same rights with other numbers.
    package func with(_ identifiers: ResolvedIdentifiers) -> RightsInForce {
        RightsInForce(aliases, table, identifiers, cells)
    }

    private static func cells(_ aliases: AliasTable, _ table: RightsTable, after old: RightsInForce?) -> [AliasCell?] {
        var known: [String: AliasCell] = [:]
        if let old {
            for (index, cell) in old.cells.enumerated() { if let cell { known[old.name(at: index)] = cell } }
        }
        return table.aliases.enumerated().map { index, record in
            guard record.limits.rate != nil || record.limits.concurrency != nil else { return nil }
            return known[aliases.name(at: index)] ?? AliasCell()
        }
    }

    /// What is counted of an alias; nil when it has neither rate nor concurrency.
    package func cell(of alias: Int) -> AliasCell? { table.aliases.isUnlimited(at: alias) ? nil : cells[alias] }

    /// What bounds an alias besides its operations.
    package func limits(of alias: Int) -> AliasLimits { table.aliases[alias].limits }

    /// The name of an alias.
    package func name(at alias: Int) -> String { aliases.name(at: alias) }

    /// Whether an alias has rights, and not limits alone.
    package func isNarrowed(_ alias: Int) -> Bool { table.aliases.rights(at: alias) >= 0 }

    /// Whether an alias is an ordinary one, with everything and without limits.
    package func isUnbounded(_ alias: Int) -> Bool {
        table.aliases.isUnlimited(at: alias) && table.aliases.rights(at: alias) < 0
    }

    /// Judges a request by its head; see `RightsTable.judge`.
    package func judge(
        _ method: Method, _ target: Span<UInt8>, _ plain: PlainPath?, alias: Int, isElevated: Bool, now: Int64
    ) -> Verdict {
        table.judge(method, target, plain, alias: alias, identifiers, isElevated: isElevated, now: now)
    }

    /// Writes path and query as they go upstream.
    package func writeTarget(_ target: Span<UInt8>, _ edit: TargetEdit, alias: Int, into writer: inout HeadWriter) {
        table.write(target, edit, rights: Int(table.aliases.rights(at: alias)), identifiers, into: &writer)
    }

    /// Writes what the client reads: the value of `detail`.
    package func writeDetail(_ refusal: Refusal, into writer: inout HeadWriter) {
        table.writeDetail(refusal, alias: name(at: refusal.alias).utf8.span, into: &writer)
    }

    /// Writes the fields of a refusal: the reason by its name, and Sentry's own challenge where a scope is missing
    /// (RFC 6750 §3).
    package func writeFields(_ refusal: Refusal, into writer: inout HeadWriter) {
        writer.append("X-Sentry-Api-Proxy-Refusal: ")
        writer.append(refusal.reason.name)
        writer.append("\r\n")
        let scopes = table.challenge(refusal)
        guard !scopes.isEmpty else { return }
        writer.append("WWW-Authenticate: Bearer error=\"insufficient_scope\", scope=\"")
        scopes.writeNames(into: &writer)
        writer.append("\"\r\n")
    }

    /// Writes what was done, as `object.verb` of the table.
    package func writeOperation(_ operation: Int32, into writer: inout HeadWriter) {
        guard operation >= 0 else { return }
        table.endpoints.writeName(Int(operation), into: &writer)
    }
}
