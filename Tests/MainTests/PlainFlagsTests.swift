import Testing

@testable import Main

/// What is read without ArgumentParser's model is what ArgumentParser reads; the rest is left to it.
@Suite struct PlainFlagsTests {
    private func plain(_ words: [String]) -> String? {
        PlainFlags.read(words[...], as: ServeCommand.self).map { String(reflecting: $0.options) }
    }

    private func parsed(_ words: [String]) throws -> String {
        String(reflecting: try #require(try ServeCommand.parseAsRoot(words) as? ServeCommand).options)
    }

    /// Every flag of `serve`; a value behind those that take one.
    private var flags: [(flag: String, takesValue: Bool)] {
        SettingName.all.map { ($0.flag, $0.takesValue) }
            + ConfigurationOptions.flags.map { ($0, $0 == "--config") }
    }

    @Test func everyFlagIsReadAlike() throws {
        try #require(flags.count > 50)
        let nothing = try #require(plain([]))
        #expect(try nothing == parsed([]))
        for value: (String) -> [String] in [{ [$0, "of=\($0)"] }, { ["\($0)=of=\($0)"] }, { [$0, ""] }] {
            let each = flags.map { flag, takesValue in takesValue ? value(flag) : [flag] }
            #expect(try plain(Array(each.joined())) == parsed(Array(each.joined())))
            for words in each { #expect(![nil, nothing].contains(plain(words)), "\(words)") }
        }
    }

    @Test(arguments: [
        "--no-such-flag", "--help", "-h", "--version", "--listen", "--strict=true", "--strict true",
        "--strict --strict",
        "--listen a --listen b", "--listen -a", "--listen --strict", "a", "--strict a", "--", "--strict -- a",
        "-listen a", "--adminListen a", "--admin--listen a", "--admin-Listen a", "--admin-listen- a", "---listen a",
        "--=a", "--listen=", "--config", "healthcheck", "serve --strict", "--generate-completion-script bash",
        "--options a", "--bodies",
    ])
    func whatIsNotPlainIsLeft(_ line: String) {
        #expect(plain(line.split(separator: " ").map(String.init)) == nil)
    }
}
