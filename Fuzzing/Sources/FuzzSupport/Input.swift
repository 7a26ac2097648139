import HTTP1

/// An input of a fuzzer: its first byte says how the message behind it is split.
package struct Input {
    package let message: UnsafeBufferPointer<UInt8>
    private let seed: UInt8

    /// nil: no byte at all.
    /// - Parameter start: memory of `count` bytes that outlives the value; libFuzzer owns it for the time of one call.
    package init?(_ start: UnsafePointer<UInt8>?, _ count: Int) {
        guard let start, count > 0 else { return nil }
        seed = start[0]
        message = UnsafeBufferPointer(start: start + 1, count: count - 1)
    }

    /// Where the pieces of the message end, in rising order; the last is the message's end. A seed below 8 gives pieces of
    /// 1 to 8 bytes, any other pieces of varying lengths.
    package var ends: [Int] {
        var ends: [Int] = []
        var end = 0
        var state = UInt32(seed)
        while end < message.count {
            state = state &* 1_664_525 &+ 1_013_904_223
            end += seed < 8 ? Int(seed) + 1 : 1 + Int(state >> 16) % 97
            ends.append(min(end, message.count))
        }
        return ends
    }
}

/// The verdict on a message is the same whole and in pieces.
/// - Parameter verdict: of a message that comes in pieces with these ends.
/// - Returns: what libFuzzer wants to hear.
package func checkSplitting<Verdict: Equatable>(
    _ start: UnsafePointer<UInt8>?, _ count: Int, _ verdict: (_ message: Span<UInt8>, _ ends: [Int]) -> Verdict
) -> CInt {
    guard let input = Input(start, count) else { return 0 }
    let message = input.message.span
    precondition(verdict(message, [message.count]) == verdict(message, input.ends))
    return 0
}

/// A slice lies in the head, and holds what `allowed` lets in.
package func check(_ bytes: Span<UInt8>, _ slice: ByteSlice, within length: Int, _ allowed: (UInt8) -> Bool) {
    precondition(slice.start >= 0 && slice.count >= 0 && slice.range.upperBound <= length)
    for i in slice.range { precondition(allowed(bytes[i])) }
}

/// Every field line is what the grammar says.
package func check(_ bytes: Span<UInt8>, _ fields: FieldLines, within length: Int) {
    precondition(fields.count <= 100)
    for field in fields {
        precondition(!field.name.isEmpty)
        check(bytes, field.name, within: length, ByteClass.token.contains)
        check(bytes, field.value, within: length) { $0.isFieldValueByte }
        if !field.value.isEmpty {
            precondition(!bytes[field.value.range.lowerBound].isBlank)
            precondition(!bytes[field.value.range.upperBound - 1].isBlank)
        }
    }
}
