import AccessPolicy
import HTTP1

/// A table is refused at lines of it, or rights can be read and requests judged by it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = Array(UnsafeBufferPointer(start: start, count: count))
    let (table, mistakes) = EndpointTable.read(text.span)
    for mistake in mistakes {
        precondition(1...(count + 1) ~= mistake.line)
        precondition(mistake.message.utf8.allSatisfy { 0x20...0x7e ~= $0 })
    }
    guard let table, mistakes.isEmpty else {
        precondition(!mistakes.isEmpty)
        return 0
    }
    precondition(!table.operations.isEmpty)
    guard let policy = try? Policy(file: "", over: table) else { fatalError("a built-in set is refused") }
    for name in policy.sets.names {
        for row in policy.sets.operations(of: name)?.operations ?? [] {
            precondition(name == "mcp-manage" || !table.operations[row].operationClass.isNever)
        }
    }
    precondition(table.rows(in: table) == table.operations.indices.map { $0 })
    guard
        let aliases = try? AliasTable(
            parseAliasFile("ci sap_x full org=acme project=web"), rules: AliasRules(policy: policy)),
        let rights = aliases.rights
    else { return 0 }
    let identifiers = ResolvedIdentifiers(rights)
    for row in table.operations.indices {
        var path = table.path(of: row)
        // Every path that a template has, and of values that may be an organization's, a project's and an issue's.
        for value in ["acme", "web", "web-1", "1"] {
            while let open = path.firstIndex(of: "{"), let close = path[open...].firstIndex(of: "}") {
                path.replaceSubrange(open...close, with: value)
            }
            let bytes = Array(path.utf8)
            _ = rights.judge(.get, bytes.span, alias: 0, identifiers, isElevated: true, now: 0)
            path = table.path(of: row)
        }
    }
    return 0
}
