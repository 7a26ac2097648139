import AccessPolicy
import HTTP1

private struct Collected: ByteSink {
    var bytes: [UInt8] = []
    mutating func append(_ bytes: Span<UInt8>) { for i in bytes.indices { self.bytes.append(bytes[i]) } }
}

private let table = try! AliasTable(try! parseAliasFile("a sap_a full org=acme:1"), rules: AliasRules())
private let rights = table.rights!
private let identifiers = ResolvedIdentifiers(rights)

/// Each line is a path. What goes out is in plain form, decodes to as many segments as it has, and stays in its organization.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    for line in UnsafeBufferPointer(start: start, count: count).split(separator: UInt8(ascii: "\n")) {
        let target = Array(line)
        let verdict = rights.judge(
            .get, target.span, alias: 0, identifiers, isElevated: ElevatedPaths.all.contains(target.span), now: 1)
        guard verdict.outcome == .forward else { continue }
        var sent = Collected()
        rights.write(target.span, verdict.edit, rights: 0, identifiers, into: &sent)
        let path = sent.bytes.prefix { $0 != UInt8(ascii: "?") }
        precondition(PlainPath(sent.bytes.span) != nil && path.starts(with: Array("/api/0/".utf8)))
        let segments = decoded(path).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for segment in segments.dropFirst().dropLast() {
            precondition(!segment.isEmpty && !segment.elementsEqual([0x2e]) && !segment.elementsEqual([0x2e, 0x2e]))
        }
        precondition(segments.count == path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).count)
        guard verdict.names.organization.count > 0 else { continue }
        let organization = Array(target[verdict.names.organization.range])
        precondition(organization.elementsEqual("acme".utf8) || organization.elementsEqual("1".utf8))
    }
    return 0
}

private func decoded(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    var at = bytes.startIndex
    while at < bytes.endIndex {
        if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.endIndex, let high = bytes[at + 1].hexDigitValue,
            let low = bytes[at + 2].hexDigitValue
        {
            out.append(high << 4 | low)
            at += 3
        } else {
            out.append(bytes[at])
            at += 1
        }
    }
    return out
}
