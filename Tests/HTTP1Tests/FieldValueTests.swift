import HTTP1
import Testing

@Suite struct FieldValueTests {
    private func whole(_ text: String) -> ([UInt8], ByteSlice) {
        let bytes = Array(text.utf8)
        return (bytes, ByteSlice(start: 0, count: bytes.count))
    }

    private func elements(_ text: String) -> (found: [String], foundEmpty: Bool) {
        let (bytes, slice) = whole(text)
        var list = ListElements(slice)
        var found: [String] = []
        while let element = list.next(bytes) {
            found.append(String(decoding: bytes[element.range], as: UTF8.self))
        }
        return (found, list.foundEmpty)
    }

    @Test(arguments: [
        ("a", ["a"], false), ("a,b", ["a", "b"], false), (" a \t,\tb ", ["a", "b"], false), ("", [], true),
        (",", [], true), (" , ", [], true), ("a,", ["a"], true), (",a", ["a"], true), ("a,,b", ["a", "b"], true),
        ("a, \t ,b", ["a", "b"], true), (#""a,b",c"#, [#""a,b""#, "c"], false),
        (#""a\",b",c"#, [#""a\",b""#, "c"], false), (#""a,b"#, [#""a,b"#], false), (#""a\"#, [#""a\"#], false),
        (#"a\,b"#, [#"a\"#, "b"], false), ("a b;q=1 , c", ["a b;q=1", "c"], false),
    ])
    func list(_ value: String, _ expected: [String], _ foundEmpty: Bool) {
        let result = elements(value)
        #expect(result.found == expected)
        #expect(result.foundEmpty == foundEmpty)
    }

    @Test func listWithinItsSlice() {
        let bytes = Array("xx,a,b,yy".utf8)
        var list = ListElements(ByteSlice(start: 3, count: 3))
        #expect(list.next(bytes) == ByteSlice(start: 3, count: 1))
        #expect(list.next(bytes) == ByteSlice(start: 5, count: 1))
        #expect(list.next(bytes) == nil)
        #expect(list.next(bytes) == nil)
    }

    @Test func compare() {
        let (bytes, name) = whole("CoNTent_Length")
        #expect(!fieldEquals(bytes, name, "content-length"))
        #expect(fieldEquals(bytes, name, "content_length"))
        #expect(!fieldEquals(bytes, name, "content_lengt"))
        #expect(!fieldEquals(bytes, name, "content_length1"))
        #expect(fieldHasPrefix(bytes, name, "content"))
        #expect(fieldHasPrefix(bytes, name, ""))
        #expect(!fieldHasPrefix(bytes, name, "content-"))
        #expect(!fieldHasPrefix(bytes, name, "content_length1"))
        #expect(bytesEqual(bytes, ByteSlice(start: 1, count: 2), "oN"))
        #expect(!bytesEqual(bytes, ByteSlice(start: 1, count: 2), "on"))
        #expect(bytesEqual(bytes, .empty, ""))
    }

    /// `@` and `[`, next to the letters, fold to nothing else.
    @Test func foldsLettersOnly() {
        let (bytes, slice) = whole("@[`{")
        #expect(fieldEquals(bytes, slice, "@[`{"))
        #expect(!fieldEquals(bytes, slice, "`{`{"))
    }

    @Test func trim() {
        let bytes = Array(" \ta b\t ".utf8)
        #expect(trimmingBlanks(bytes, 0..<bytes.count) == ByteSlice(start: 2, count: 3))
        #expect(trimmingBlanks(bytes, 0..<2).isEmpty)
        #expect(trimmingBlanks(bytes, 3..<3).isEmpty)
    }

    @Test func tokens() {
        for (text, expected) in [
            ("a", true), ("a-b.c", true), ("", false), ("a b", false), ("a;", false), ("é", false),
        ] {
            let (bytes, slice) = whole(text)
            #expect(isToken(bytes, slice) == expected, "\(text)")
        }
    }
}
