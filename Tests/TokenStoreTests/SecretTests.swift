import Testing

@testable import TokenStore

@Suite struct SecretTests {
    @Test func neverPrints() {
        let token = secret("0123456789abcdef0123456789abcdef")
        var dumped = ""
        dump(token, to: &dumped)
        let snapshot = TokenSnapshot(
            version: 1, token: token, kind: .static, source: .tokenFlag, isRenewable: false, health: .ready)
        var dumpedSnapshot = ""
        dump(snapshot, to: &dumpedSnapshot)
        for text in [
            "\(token)", String(describing: token), String(reflecting: token), dumped, "\([token])",
            "\(Optional(token) as Any)", "\(snapshot)", String(reflecting: snapshot), dumpedSnapshot,
        ] {
            // A snapshot prints as what it is, an object of its class.
            #expect(text.contains("<secret>") || text.contains("Secret") || text.contains("TokenSnapshot"))
            #expect(!text.contains("01234567"))
            #expect(!text.contains("48, 49"))
        }
        #expect(Mirror(reflecting: token).children.isEmpty)
    }

    @Test func equality() {
        #expect(secret("abc") == secret("abc"))
        #expect(secret("abc") != secret("abd"))
        #expect(secret("abc") != secret("Abc"))
        #expect(secret("abc") != secret("abcd"))
        #expect(secret("") == secret(""))
    }

    @Test func wipingInitialiserEmptiesTheArray() {
        var bytes = Array("top".utf8)
        let token = Secret(wiping: &bytes)
        #expect(bytes.isEmpty)
        #expect(text(token) == "top")
        #expect(token.count == 3)
    }

    @Test func hints() {
        #expect(secret("0123456789abcde").lastFour == nil)
        #expect(secret("0123456789abcdef").lastFour == "cdef")
        #expect(secret("short").lengthClass == "under 16")
        #expect(secret(String(repeating: "a", count: 64)).lengthClass == "64 to 127")
    }

    @Test func tokenText() throws {
        #expect(text(try TokenText.parse(" \t\r\n abc-._~+/== \n")) == "abc-._~+/==")
        #expect(text(try TokenText.parse(String(repeating: "a", count: 4096)))?.count == 4096)
        #expect(throws: TokenTextError.tooLong) { try TokenText.parse(String(repeating: "a", count: 4097)) }
        #expect(throws: TokenTextError.empty) { try TokenText.parse(" \n") }
        #expect(throws: TokenTextError.empty) { try TokenText.parse("") }
        for byte in UInt8.min...UInt8.max where !(0x21...0x7E).contains(byte) {
            let bytes = [0x61, byte, 0x61]
            let isLineBreak = byte == 0x0A || byte == 0x0D
            #expect(throws: isLineBreak ? TokenTextError.severalLines : .illegalByte) {
                try TokenText.parse(bytes.span)
            }
        }
    }

    @Test(arguments: ["\"abc\"", "'abc'", " \"abc\"\n", "\"a b\""]) func aTokenInQuotes(_ given: String) {
        #expect(throws: TokenTextError.quoted) { try TokenText.parse(given) }
    }

    @Test(arguments: [
        "SENTRY_AUTH_TOKEN=sntrys_x", "export SENTRY_AUTH_TOKEN=sntrys_x", "SENTRY_AUTH_TOKEN = sntrys_x",
        "SENTRY_AUTH_TOKEN=\"sntrys_x\"", "SENTRY_AUTH_TOKEN=sntrys_x\nSENTRY_ORG=a\n", "# ours\r\nTOKEN=sntrys_x\r\n",
        "\u{feff}SENTRY_TOKEN=sntrys_x", "SENTRY_URL=a\nSENTRY_AUTH_TOKEN=b", "SENTRY_AUTH_TOKEN=", "MY_TOKEN=x",
    ]) func `a shell's assignment is no token`(_ given: String) {
        #expect(throws: TokenTextError.assignment) { try TokenText.parse(given) }
    }

    @Test(arguments: [
        "[auth]\ntoken=sntrys_x\n", "[auth]\ntoken = sntrys_x", "[defaults]\nurl=a\n[auth]\ntoken=x", "token=sntrys_x",
        "token = x",
        "; mine\n[auth]\ntoken=x", "\n\n[auth]\r\ntoken=x\r\n", "api_key=x",
    ]) func `sentry-cli's settings are no token`(_ given: String) {
        #expect(throws: TokenTextError.settings) { try TokenText.parse(given) }
    }

    /// An organization's token has base64 with its padding in it.
    @Test(arguments: [
        "sntrys_eyJpYXQiOjE2OTd9=_abc", "sntrys_eyJ==_token=x", "abcdef0123456789", "TOKEN", "token", "a=b", "ABC=DEF",
        "ABC==", "[x",
        "tokens=x", "=TOKEN=x",
    ]) func `a token may have an equals sign`(_ given: String) throws {
        _ = try TokenText.parse(given)
    }

    @Test(arguments: ["\"", "\"abc", "abc'", "\"abc'", "a\"b\"c"]) func quotesThatAreNotAroundAToken(_ given: String)
        throws
    {
        #expect(text(try TokenText.parse(given)) == given)
    }

    /// What is stored is never typed by a person, so nothing is guessed about it.
    @Test func aStoredValueIsTakenAsItIs() throws {
        #expect(text(try TokenText.check(Array("\"abc\"".utf8).span)) == "\"abc\"")
    }
}
