import AccessPolicy

private struct Collected: ByteSink {
    var bytes: [UInt8] = []
    mutating func append(_ bytes: Span<UInt8>) { for i in bytes.indices { self.bytes.append(bytes[i]) } }
}

private let table = try! AliasTable(
    try! parseAliasFile("a sap_a read-only org=acme:1 project=web:10,api:11"), rules: AliasRules())
private let rights = table.rights!
private let identifiers = ResolvedIdentifiers(rights)
private let path = Array("/api/0/organizations/acme/issues/?".utf8)

/// However the query is split, every project that goes out in it is one of the alias's, and at least one does.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let target = path + UnsafeBufferPointer(start: start, count: count)
    let verdict = rights.judge(.get, target.span, alias: 0, identifiers, isElevated: true, now: 1)
    guard verdict.outcome == .forward else { return 0 }
    var sent = Collected()
    rights.write(target.span, verdict.edit, rights: 0, identifiers, into: &sent)
    for separators in [Array("&".utf8), Array("&;".utf8)] {
        var numbers = 0
        var slugs = 0
        for pair in sent.bytes.dropFirst(path.count).split(whereSeparator: separators.contains) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? unquoted(parts[1]) : []
            switch String(decoding: unquoted(parts[0]), as: UTF8.self) {
            case "project":
                numbers += 1
                precondition(value.elementsEqual("10".utf8) || value.elementsEqual("11".utf8))
            case "projectSlug":
                slugs += 1
                precondition(value.elementsEqual("web".utf8) || value.elementsEqual("api".utf8))
            default: break
            }
        }
        precondition((numbers > 0) != (slugs > 0))
    }
    return 0
}

/// As urllib.parse.unquote_plus has it.
private func unquoted(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    func value(_ byte: UInt8) -> UInt8? { Character(UnicodeScalar(byte)).hexDigitValue.map(UInt8.init) }
    var out: [UInt8] = []
    var at = bytes.startIndex
    while at < bytes.endIndex {
        if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.endIndex, let high = value(bytes[at + 1]),
            let low = value(bytes[at + 2])
        {
            out.append(high << 4 | low)
            at += 3
        } else {
            out.append(bytes[at] == UInt8(ascii: "+") ? UInt8(ascii: " ") : bytes[at])
            at += 1
        }
    }
    return out
}
