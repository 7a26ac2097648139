import FuzzSupport
import HTTP1

private enum Verdict: Equatable {
    case refused(ParseError)
    case incomplete([UInt8])
    case complete([UInt8], length: Int)
}

private func verdict(_ message: Span<UInt8>, ends: [Int]) -> Verdict {
    var decoder = ChunkedDecoder()
    var body: [UInt8] = []
    var at = 0
    do throws(ParseError) {
        for end in ends {
            while at < end, !decoder.isComplete {
                let piece = message.extracting(at..<end)
                let step = try decoder.next(piece)
                precondition(step.consumed > 0 && step.consumed <= piece.count)
                precondition(step.payload.lowerBound >= 0 && step.payload.upperBound <= step.consumed)
                precondition(step.isComplete == decoder.isComplete)
                for i in step.payload { body.append(piece[i]) }
                at += step.consumed
            }
        }
        return decoder.isComplete ? .complete(body, length: at) : .incomplete(body)
    } catch {
        return .refused(error)
    }
}

/// One verdict, whole or split.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    checkSplitting(start, count, verdict)
}
