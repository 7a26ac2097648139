import FuzzSupport
import HTTP1

private enum Verdict: Equatable {
    case refused(ParseError)
    case incomplete
    case complete(length: Int, fields: [FieldLine], framing: BodyFraming, path: ByteSlice, method: ByteSlice)
}

private func verdict(_ message: Span<UInt8>, ends: [Int]) -> Verdict {
    let parser = RequestHeadParser()
    do throws(ParseError) {
        for end in ends {
            guard try parser.parse(message.extracting(first: end)) else { continue }
            let head = parser.head
            precondition(head.length <= end)
            check(message, head.fields, within: head.length)
            check(message, head.methodName, within: head.length, ByteClass.token.contains)
            check(message, head.target, within: head.length, ByteClass.target.contains)
            check(message, head.path, within: head.length, ByteClass.target.contains)
            precondition(head.method != .connect && head.method != .trace)
            precondition(head.framing != .untilClose)
            return .complete(
                length: head.length, fields: Array(head.fields), framing: head.framing, path: head.path,
                method: head.methodName)
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
