import AccessPolicy

private let path = Array("/api/0/organizations/acme/issues/?project=1".utf8)

/// A file is refused in one line that names a line of it, or its aliases can be asked about.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    do throws(AliasError) {
        let table = try AliasTable(try parseAliasFile(text), rules: AliasRules(now: 1))
        guard let rights = table.rights else { return 0 }
        precondition(rights.aliases.count == table.count)
        let identifiers = ResolvedIdentifiers(rights)
        for alias in rights.aliases.indices {
            let verdict = rights.judge(.get, path.span, alias: alias, identifiers, isElevated: true, now: 2)
            // Nothing but an alias with an organization that is not acme's is refused for its organization.
            if case .refuse(.organization) = verdict.outcome {
                precondition(!rights.organizations(of: Int(rights.aliases[alias].rights)).isEmpty)
            }
        }
    } catch {
        precondition(!error.description.contains { $0.isNewline })
        guard case .line(let number) = error.origin else { fatalError("no line") }
        precondition(1...(count + 1) ~= number)
    }
    return 0
}
