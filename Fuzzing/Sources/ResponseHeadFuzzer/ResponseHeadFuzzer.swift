import FuzzSupport
import HTTP1

private enum Verdict: Equatable {
    case refused(ParseError)
    case incomplete
    case complete(status: Int, length: Int, fields: [FieldLine], framing: BodyFraming, reason: ByteSlice)
}

private func verdict(_ message: Span<UInt8>, ends: [Int]) -> Verdict {
    let parser = ResponseHeadParser()
    do throws(ParseError) {
        for end in ends {
            guard try parser.parse(message.extracting(first: end)) else { continue }
            let head = parser.head
            precondition(head.length <= end && 100...599 ~= head.status && head.status != 101)
            check(message, head.fields, within: head.length)
            check(message, head.reason, within: head.length) { $0.isFieldValueByte }
            let framingOfHead = try responseFraming(head, message, requestMethod: .head)
            precondition(framingOfHead == .none)
            return .complete(
                status: head.status, length: head.length, fields: Array(head.fields),
                framing: try responseFraming(head, message, requestMethod: .get), reason: head.reason)
        }
        return .incomplete
    } catch {
        return .refused(error)
    }
}

/// One verdict, whole or split.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    checkSplitting(start, count, verdict)
}
