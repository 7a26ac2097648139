import HTTP1

// The functions under test for arrays: the expectation macros cannot hold a span.

extension RequestHeadParser {
    func parse(_ bytes: [UInt8]) throws(ParseError) -> Bool { try parse(bytes.span) }
}

extension ResponseHeadParser {
    func parse(_ bytes: [UInt8]) throws(ParseError) -> Bool { try parse(bytes.span) }
}

extension ChunkedDecoder {
    mutating func next(_ input: [UInt8]) throws(ParseError) -> Step { try next(input.span) }
}

extension ListElements {
    mutating func next(_ bytes: [UInt8]) -> ByteSlice? { next(bytes.span) }
}

func fieldEquals(_ bytes: [UInt8], _ slice: ByteSlice, _ expected: StaticString) -> Bool {
    HTTP1.fieldEquals(bytes.span, slice, expected)
}

func fieldHasPrefix(_ bytes: [UInt8], _ slice: ByteSlice, _ expected: StaticString) -> Bool {
    HTTP1.fieldHasPrefix(bytes.span, slice, expected)
}

func bytesEqual(_ bytes: [UInt8], _ slice: ByteSlice, _ expected: StaticString) -> Bool {
    HTTP1.bytesEqual(bytes.span, slice, expected)
}

func trimmingBlanks(_ bytes: [UInt8], _ range: Range<Int>) -> ByteSlice {
    HTTP1.trimmingBlanks(bytes.span, range)
}

func isToken(_ bytes: [UInt8], _ slice: ByteSlice) -> Bool {
    HTTP1.isToken(bytes.span, slice)
}
