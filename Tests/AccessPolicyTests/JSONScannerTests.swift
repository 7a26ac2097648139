import Testing

@testable import AccessPolicy

@Suite struct JSONScannerTests {
    /// All tokens of a text, in slices of so many bytes; the last one ends it.
    private func tokens(_ text: String, slice: Int = .max) -> [JSONScanner.Token] {
        let bytes = Array(text.utf8)
        var scanner = JSONScanner()
        var found: [JSONScanner.Token] = []
        var limit = min(slice, bytes.count)
        while true {
            let token = scanner.next(bytes.span, until: limit)
            guard token != .paused else {
                limit = min(bytes.count, limit + slice)
                continue
            }
            found.append(token)
            if token == .end || token == .invalid { return found }
        }
    }

    @Test func containersNestSoDeepAndNoDeeper() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(tokens(nested(JSONScanner.mostDepth)).last == .end)
        #expect(tokens(nested(JSONScanner.mostDepth + 1)).last == .invalid)
        // As many as a word has bits, one for each container.
        #expect(JSONScanner.mostDepth == 64)
        let objects = String(repeating: "{\"a\":", count: 64) + "1" + String(repeating: "}", count: 64)
        #expect(tokens(objects).last == .end)
    }

    /// RFC 8259 §6.
    @Test(arguments: ["0", "-0", "10", "1.5", "-1.05e10", "1E+2", "1e-2", "0.0"])
    func aNumberIsOneToken(_ text: String) {
        for slice in 1...text.utf8.count {
            #expect(tokens(text, slice: slice) == [.scalar(0..<text.utf8.count), .end])
        }
    }

    @Test(arguments: ["-", "01", "1.", ".5", "1e", "1e+", "1E-", "+1", "1.e5", "0x1", "1e+-2", "--1"])
    func whatIsNoNumberEndsTheText(_ text: String) {
        for slice in 1...text.utf8.count { #expect(tokens(text, slice: slice).last == .invalid) }
        #expect(tokens("[\(text)]").last == .invalid)
    }

    @Test(arguments: [#""\u""#, #""\u12""#, #""\u123""#, #""\u123"#, #""\u12g4""#, #""\"#, #""\x""#, #"""#, "\"\n\""])
    func aStringThatIsNoneEndsTheText(_ text: String) {
        for slice in 1...text.utf8.count { #expect(tokens(text, slice: slice).last == .invalid) }
    }

    @Test(arguments: [#""""#, #""\u00e9""#, #""\"\\\/\b\f\n\r\t""#, "\"\u{e9}\""])
    func aStringIsOneToken(_ text: String) {
        let count = text.utf8.count
        for slice in 1...count { #expect(tokens(text, slice: slice) == [.string(1..<count - 1), .end]) }
    }
}
