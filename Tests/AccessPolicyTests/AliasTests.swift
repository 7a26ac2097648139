import AccessPolicy
import Testing

@Suite struct AliasTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func tenThousandAliases() throws {
        let entries = (0..<10_000).map { (name: "n\($0)", token: bytes("sap_\($0)")) }
        let table = try AliasTable(entries)
        #expect(table.count == 10_000)
        for (index, entry) in entries.enumerated() {
            #expect(table.match(entry.token.span) == index)
            #expect(table.name(at: index) == entry.name)
        }
        for number in 10_000..<20_000 { #expect(table.match(bytes("sap_\(number)").span) == nil) }
        for near in ["", "sap_", "SAP_1", "sap_1 ", "sap_01", "sap_1\0"] {
            #expect(table.match(bytes(near).span) == nil)
        }
    }

    @Test func noAliases() throws {
        let table = try AliasTable([AliasEntry]())
        #expect(table.isEmpty && table.count == 0)
        #expect(table.match(bytes("x").span) == nil)
    }

    @Test(arguments: [
        ("", AliasProblem.emptyToken), ("a b", .malformedToken), ("a;b", .malformedToken), ("=", .malformedToken),
        ("a=b", .malformedToken), ("\u{e9}", .malformedToken), ("a\n", .malformedToken), ("sntrys_x", .sentryPrefix),
        ("SNTRYS_x", .sentryPrefix), ("sntrys_", .sentryPrefix), ("first", .duplicateToken),
    ]) func refusedTokens(_ token: String, _ problem: AliasProblem) {
        #expect(throws: AliasError(origin: .item(2), problem: problem)) {
            _ = try AliasTable([(name: "a", token: bytes("first")), (name: "b", token: bytes(token))])
        }
    }

    @Test func refusedNames() {
        #expect(throws: AliasError(origin: .item(2), problem: .duplicateName)) {
            _ = try AliasTable([(name: "a", token: bytes("x")), (name: "a", token: bytes("y"))])
        }
        #expect(throws: AliasError(origin: .item(1), problem: .emptyName)) {
            _ = try AliasTable([(name: "", token: bytes("x"))])
        }
    }

    @Test func allOfB64Token() throws {
        let token = "azAZ09-._~+/sntrys_=="
        #expect(try AliasTable([(name: "a", token: bytes(token))]).match(bytes(token).span) == 0)
    }

    @Test func list() throws {
        let entries = try parseAliasList("  one ;two;\tthree\n")
        #expect(entries.map { String(decoding: $0.token, as: UTF8.self) } == ["one", "two", "three"])
        #expect(entries.map(\.origin) == [.item(1), .item(2), .item(3)])
        // printf one | sha256sum
        #expect(entries[0].name == "alias-7692c3ad")
        #expect(try parseAliasList("").isEmpty)
        #expect(try parseAliasList(" \n").isEmpty)
        for (text, place) in [(";", 1), ("a;", 2), ("a;;b", 2), (" ; a", 1)] {
            #expect(throws: AliasError(origin: .item(place), problem: .emptyToken)) { _ = try parseAliasList(text) }
        }
        #expect(throws: AliasError(origin: .item(3), problem: .duplicateToken)) {
            _ = try AliasTable(try parseAliasList("a;b;a"))
        }
    }

    @Test func file() throws {
        let text = "# teams\r\n\r\nweb   sap_web\r\n\tci\tsap_ci  # the builds\n  # end\nlast sap_last"
        let entries = try parseAliasFile(text)
        #expect(entries.map(\.name) == ["web", "ci", "last"])
        #expect(entries.map { String(decoding: $0.token, as: UTF8.self) } == ["sap_web", "sap_ci", "sap_last"])
        #expect(entries.map(\.origin) == [.line(3), .line(4), .line(6)])
    }

    @Test(arguments: [
        ("a b\nc", AliasError(origin: .line(2), problem: .malformedLine)),
        ("a sha256:b", AliasError(origin: .line(1), problem: .malformedDigest)),
        ("a # b", AliasError(origin: .line(1), problem: .malformedLine)),
        ("a b\n\nc sntrys_x", AliasError(origin: .line(3), problem: .sentryPrefix)),
        ("a b\nc d;e", AliasError(origin: .line(2), problem: .malformedToken)),
        ("# nothing\n", AliasError(origin: .line(2), problem: .noAliases)),
        ("", AliasError(origin: .line(1), problem: .noAliases)),
    ]) func brokenFile(_ text: String, _ expected: AliasError) {
        #expect(throws: expected) { _ = try parseAliasFile(text) }
    }

    @Test func duplicatesInAFileNameTheLine() {
        #expect(throws: AliasError(origin: .line(3), problem: .duplicateToken)) {
            _ = try AliasTable(try parseAliasFile("a x\n#\nb x\n"))
        }
        #expect(throws: AliasError(origin: .line(2), problem: .duplicateName)) {
            _ = try AliasTable(try parseAliasFile("a x\na y\n"))
        }
    }

    @Test func errorsAndEntriesKeepTheSecret() throws {
        #expect(AliasError(origin: .line(7), problem: .emptyToken).description == "line 7: the alias is empty")
        let entry = try #require(try parseAliasFile("web hush-hush").first)
        var dumped = ""
        dump(entry, to: &dumped)
        let hush = bytes("hush-hush").map(String.init).joined(separator: ", ")
        for text in ["\(entry)", String(reflecting: entry), dumped, "\([entry])"] {
            #expect(text.contains("web") && !text.contains("hush") && !text.contains(hush))
        }
        dumped = ""
        let table = try AliasTable([entry])
        dump(table, to: &dumped)
        #expect("\(table)" == "<1 aliases>")
        #expect(
            dumped.contains("web") && !dumped.contains("hush") && !dumped.contains("digest") && !dumped.contains("key"))
    }

    @Test func freshAlias() throws {
        // printf 'sap_'; printf '\0\1…\37' | base64 | tr +/ -_ | tr -d =
        #expect(makeAlias(random: Array(0..<32)) == "sap_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")
        #expect(makeAlias(random: [0xff, 0xff, 0xfe]) == "sap____-")
        let alias = makeAlias(random: Array(repeating: 0xfb, count: 32))
        #expect(try AliasTable([(name: "n", token: bytes(alias))]).match(bytes(alias).span) == 0)
    }
}
