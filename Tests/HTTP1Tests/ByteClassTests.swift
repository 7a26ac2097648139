import HTTP1
import Testing

/// Holds each table against its ABNF, byte by byte.
@Suite struct ByteClassTests {
    private let alphanumerics = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789".utf8)

    private func members(_ contains: (UInt8) -> Bool) -> Set<UInt8> { Set((0...255).filter(contains)) }

    @Test func token() {
        #expect(members(ByteClass.token.contains) == alphanumerics.union("!#$%&'*+-.^_`|~".utf8))
    }

    @Test func target() {
        #expect(members(ByteClass.target.contains) == Set(0x21...0x7e).subtracting("#".utf8))
    }

    @Test func registeredName() {
        #expect(members(ByteClass.registeredName.contains) == alphanumerics.union("-._~!$&'()*+,;=".utf8))
    }

    @Test func fieldValue() {
        #expect(members(\.isFieldValueByte) == Set(0x20...0x7e).union(0x80...0xff).union([0x09]))
    }

    @Test func blankAndDigit() {
        #expect(members(\.isBlank) == [0x20, 0x09])
        #expect(members(\.isDigit) == Set("0123456789".utf8))
    }

    @Test func hexadecimalDigits() {
        for byte in UInt8.min...UInt8.max {
            let expected = byte < 0x80 ? UInt8(String(UnicodeScalar(byte)), radix: 16) : nil
            #expect(byte.hexDigitValue == expected, "\(byte)")
        }
    }

    @Test func lowerCase() {
        for byte in UInt8.min...UInt8.max {
            let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            #expect(byte.lowercased == (isUpper ? byte + 0x20 : byte))
        }
    }
}
