import Testing

@testable import AccessPolicy

@Suite struct URLReferenceTests {
    @Test(arguments: [#"\"#, #"\u"#, #"\u1"#, #"\u12"#, #"\u123"#, #"\u12g4"#, #"\u123g"#])
    func aBrokenEscapeStandsForItself(_ text: String) {
        let bytes = Array(text.utf8)
        let unit = URLReference.unit(bytes.span, 0, escaped: true)
        #expect(unit.code == 0x5c && unit.next == 1)
    }

    @Test(
        arguments: [(#"\u123f"#, 0x123f), (#"\u00E9x"#, 0xe9), (#"\n"#, 10), (#"\/"#, 0x2f), ("/", 0x2f)]
            as [(String, UInt16)])
    func anEscapeIsOneCharacter(_ text: String, _ code: UInt16) {
        let bytes = Array(text.utf8)
        let unit = URLReference.unit(bytes.span, 0, escaped: true)
        #expect(unit.code == code && unit.next == text.utf8.count - (text.hasSuffix("x") ? 1 : 0))
        let plain = URLReference.unit(bytes.span, 0, escaped: false)
        #expect(plain.code == UInt16(bytes[0]) && plain.next == 1)
    }
}
