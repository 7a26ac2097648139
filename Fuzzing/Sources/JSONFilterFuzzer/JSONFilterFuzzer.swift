import AccessPolicy
import HTTP1

private func rights(_ words: String) -> RightsInForce {
    do throws(AliasError) {
        return RightsInForce(
            try AliasTable(try parseAliasFile("ci sap_x \(words)"), rules: AliasRules(policy: .builtIn, now: 1)))!
    } catch {
        fatalError(error.description)
    }
}

private let held = rights("ci-upload org=acme:1 project=web:10,api:11")

private struct Collected: ByteSink {
    var bytes: [UInt8] = []
    mutating func append(_ bytes: Span<UInt8>) { for i in bytes.indices { self.bytes.append(bytes[i]) } }
}

private func filtered(_ body: [UInt8], _ filter: AnswerFilter, slice: Int) -> [UInt8]? {
    var state = AnswerFiltering(filter)
    var sink = Collected()
    while true {
        switch held.filter(body.span, next: slice, &state, alias: 0, into: &sink) {
        case .more: continue
        case .done: return sink.bytes
        case .refused: return nil
        }
    }
}

private func judged(_ body: [UInt8], slice: Int) -> RightsTable.BodyVerdict {
    var state = BodyReading(BodyMember(name: .projects, isOptional: true))
    while true {
        if let found = held.table.judge(body: body.span, next: slice, &state, alias: 0, held.identifiers) {
            return found
        }
    }
}

/// The first byte is the size of the slices: however the text is cut, it comes to the same; and what was filtered stays so.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard count > 1 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    let (slice, body) = (Int(input[0]) + 1, Array(input[1...]))
    for filter in [AnswerFilter.organizations, .projects, .securityToken] {
        let whole = filtered(body, filter, slice: body.count)
        precondition(filtered(body, filter, slice: slice) == whole)
        if let whole { precondition(filtered(whole, filter, slice: slice) == whole) }
    }
    precondition(judged(body, slice: slice) == judged(body, slice: body.count))
    return 0
}
