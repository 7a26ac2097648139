import Testing

@testable import TokenStore

let token32 = "0123456789abcdef0123456789abcdef"
let token64 = token32 + token32

/// Every encoding that a Sentry has written, byte for byte, and the token in it.
let storedSamples: [(name: String, stored: String, token: String)] = [
    ("protocol 2, memo 0", "gAJYIAAAADAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmcQAu", token32),
    ("protocol 2, memo 1", "gAJYIAAAADAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmcQEu", token32),
    ("protocol 2, byte string", "gAJVIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmcQEu", token32),
    (
        "protocol 2, 64 hex",
        "gAJYQAAAADAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWZxAC4=",
        token64
    ),
    ("protocol 3", "gANYIAAAADAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmcQAu", token32),
    ("protocol 4", "gASVJAAAAAAAAACMIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmlC4=", token32),
    ("protocol 5", "gAWVJAAAAAAAAACMIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmlC4=", token32),
    ("protocol 0", "VjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmCnAwCi4=", token32),
    ("JSON", "\"\(token32)\"", token32),
    ("JSON, 64 hex", "\"\(token64)\"", token64),
]

func decode(_ text: String) throws -> Secret? {
    try StoredValue.decode(Array(text.utf8).span)
}

/// An encoder of the test's own, so that nothing is checked against itself.
func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var text = ""
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = (0..<3).map { start + $0 < bytes.count ? Int(bytes[start + $0]) : 0 }
        let bits = group[0] << 16 | group[1] << 8 | group[2]
        for place in 0..<4 {
            text.append(start + place - 1 < bytes.count || place < 2 ? alphabet[bits >> (18 - 6 * place) & 63] : "=")
        }
    }
    return text
}

@Suite struct StoredValueTests {
    @Test(arguments: storedSamples.indices) func samples(_ index: Int) throws {
        let sample = storedSamples[index]
        #expect(text(try decode(sample.stored)) == sample.token, "\(sample.name)")
        #expect(text(try decode(" \n\t" + sample.stored + "\r\n ")) == sample.token, "\(sample.name), blanks")
    }

    @Test func bareHexDigits() throws {
        #expect(text(try decode(token32)) == token32)
        #expect(text(try decode(" \(token64)\n")) == token64)
        #expect(text(try decode("01234567890123456789012345678901")) == "01234567890123456789012345678901")
        #expect(text(try decode(String(repeating: "A", count: 128)))?.count == 128)
        #expect(throws: StoredValueError.self) { try decode(String(token32.dropLast())) }
        #expect(throws: StoredValueError.self) { try decode(String(repeating: "a", count: 129)) }
    }

    @Test func absent() throws {
        for stored in ["", "  ", "null", " null\n", "\"\"", base64([0x80, 2, 0x4E, 0x2E]), "gAJYAAAAAHEALg=="] {
            #expect(try decode(stored) == nil, "\(stored)")
        }
    }

    @Test func jsonEscapes() throws {
        #expect(text(try decode(#""a\/b\"c\\d\u0041\u007e""#)) == #"a/b"c\dA~"#)
        for broken in [
            "\"", "\"abc", #""a\"#, #""a\""#, #""\x""#, #""\u12""#, #""\u12g4""#, "\"a\"b\"", "\"a\" x", "\"a\nb\"",
        ] {
            #expect(throws: StoredValueError.brokenJSONString) { try decode(broken) }
        }
        for illegal in [
            #""a\u0000b""#, #""\ud83d\ude00""#, "\"é\"", #""a b""#, #"" ""#, #""a\u007f""#,
        ] {
            #expect(throws: StoredValueError.token(.illegalByte)) { try decode(illegal) }
        }
        #expect(throws: StoredValueError.token(.severalLines)) { try decode(#""a\nb""#) }
        #expect(throws: StoredValueError.token(.tooLong)) {
            try decode("\"" + String(repeating: "a", count: 4097) + "\"")
        }
        #expect(text(try decode("\"" + String(repeating: #"\u0061"#, count: 4096) + "\""))?.count == 4096)
        #expect(throws: StoredValueError.tooLong) { try decode(String(repeating: "a", count: 32_769)) }
    }

    @Test func otherKindsAreNamed() {
        let cases: [(String, StoredValueError)] = [
            ("123", .json(.number)), ("-1.5e+3", .json(.number)), ("{\"a\":1}", .json(.object)), ("[1]", .json(.array)),
            ("true", .json(.boolean)), ("false", .json(.boolean)), ("hello world", .unknownForm), ("abc", .unknownForm),
            ("YWJjZA==", .notPickle), (base64([0x80]), .picklePrematureEnd), (base64([0x80, 9]), .pickleProtocol(9)),
            (base64([0x80, 2, 0x63, 0x6F, 0x73]), .pickleOpcode(0x63)),
            (base64([0x80, 2, 0x55, 1, 0x61, 0x2E, 0x2E]), .pickleTrailingBytes),
            (base64([0x80, 2, 0x55, 1, 0x61, 0x52]), .pickleOpcode(0x52)),
            (base64([0x80, 2, 0x55, 1, 0x61, 0x71, 0, 0x52]), .pickleOpcode(0x52)),
            (base64([0x80, 2, 0x55, 2, 0x61]), .picklePrematureEnd),
            (base64([0x80, 2, 0x58, 0xFF, 0xFF, 0xFF, 0xFF, 0x61]), .picklePrematureEnd),
            (base64([0x80, 4, 0x95] + [UInt8](repeating: 0xFF, count: 8) + [0x2E]), .picklePrematureEnd),
            (base64([0x80, 4, 0x95, 0, 0, 0, 0, 0, 0, 0, 0, 0x2E]), .pickleTrailingBytes),
            (base64([0x80, 2, 0x55, 1, 0x20, 0x2E]), .token(.illegalByte)),
            (base64(Array("Va\\u0062\np0\n.".utf8)), .token(.illegalByte)),
            ("gAJYIAAAADAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmcQAv", .pickleOpcode(0x2F)),
        ]
        for (stored, error) in cases {
            #expect(throws: error) { try decode(stored) }
        }
        #expect(StoredValueError.pickleOpcode(0x0A).message == "found an unknown pickle opcode 0x0a")
        #expect(StoredValueError.json(.number).message == "found a JSON number, expected a JSON string")
    }

    @Test func base64IsStrict() {
        for bad in ["A", "AB", "ABC", "====", "A===", "AB==CDEF", "AA=A", "AB==", "AAB=", "AA-_", "AA\nAA"] {
            #expect(Base64.decode(Array(bad.utf8).span) == nil, "\(bad)")
        }
        for length in 0..<50 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 37 + length) }
            #expect(Base64.decode(Array(base64(bytes).utf8).span) ?? [] == bytes)
        }
    }

    @Test func everyCutIsRefusedOrShorter() {
        for sample in storedSamples {
            for length in 0..<sample.stored.utf8.count {
                let cut = String(sample.stored.prefix(length))
                guard let token = try? decode(cut) else { continue }
                Issue.record("\(sample.name) cut to \(length) decoded to \(token.count) bytes")
            }
        }
    }

    /// One to four random edits of a sample: the result is refused, or it is the text that stands in the mutant.
    @Test func mutations() {
        var random = SplitMix64(state: 0x5EED)
        var decoded = 0
        var refused = 0
        for round in 0..<10_000 {
            let sample = storedSamples[round % storedSamples.count]
            // Half of the pickles are changed behind the base64, or most mutants would end there.
            let inside = round % 2 == 0 ? Base64.decode(Array(sample.stored.utf8).span) : nil
            var bytes = inside ?? Array(sample.stored.utf8)
            for _ in 0...Int(random.next() % 4) {
                let index = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 4 {
                case 0: bytes[index] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes[index] ^= 1 << UInt8(random.next() % 8)
                case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: index)
                default: if bytes.count > 1 { bytes.remove(at: index) }
                }
            }
            let stored = inside == nil ? bytes : Array(base64(bytes).utf8)
            guard let result = try? StoredValue.decode(stored.span), let token = text(result) else {
                refused += 1
                continue
            }
            decoded += 1
            #expect(token.utf8.allSatisfy { (0x21...0x7E).contains($0) })
            let plain = Base64.decode(stored.span).flatMap { $0.first == 0x80 || $0.first == 0x56 ? $0 : nil } ?? stored
            #expect(
                plain == Array(token.utf8) || framings(of: Array(token.utf8)).contains { contains(plain, $0) },
                "round \(round)")
        }
        #expect(decoded > 500, "too few mutants were decoded to say anything: \(decoded)")
        #expect(refused > 500, "\(refused)")
    }

    /// What stands around a string in JSON and in pickles.
    func framings(of token: [UInt8]) -> [[UInt8]] {
        let length = UInt8(truncatingIfNeeded: token.count)
        let high = UInt8(truncatingIfNeeded: token.count >> 8)
        return [
            [0x22] + token.flatMap { $0 == 0x22 || $0 == 0x5C ? [0x5C, $0] : [$0] } + [0x22],
            [0x58, length, high, 0, 0] + token, [0x54, length, high, 0, 0] + token,
            [0x8C, length] + token, [0x55, length] + token, [0x56] + token + [0x0A],
        ]
    }

    func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        guard part.count <= bytes.count else { return false }
        return (0...(bytes.count - part.count)).contains { bytes[$0...].starts(with: part) }
    }
}

/// A small generator with a seed, so that a failure can be had again (Steele, Lea, Flood 2014).
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
