import TLS
import Testing

@testable import Main

/// Files of settings, without a disk.
@Suite struct ConfigurationFileTests {
    private func read(_ files: [String: String]) -> ConfigurationFile {
        ConfigurationFile("/etc/a", named: "--config", names: ["listen", "threads"]) { path, name throws(Failure) in
            guard let text = files[path] else { throw Failure(.configuration, "\(name): cannot read '\(path)'") }
            return text
        }
    }

    @Test func namesValuesAndCommentsAreTakenFromTheLines() {
        let file = read(["/etc/a": "# a comment\r\n\n  listen\t :80 # no comment \nthreads 2"])
        #expect(file.mistakes.isEmpty)
        #expect(file.entries["listen"] == ConfigurationFile.Entry(value: ":80 # no comment", path: "/etc/a", line: 3))
        #expect(file.entries["threads"]?.value == "2")
    }

    @Test func aRelativeIncludeStartsAtTheFolderOfItsFile() {
        let file = read([
            "/etc/a": "include sub/b", "/etc/sub/b": "include c\nthreads 1", "/etc/sub/c": "include /d",
            "/d": "listen :1",
        ])
        #expect(file.mistakes.isEmpty)
        #expect(file.paths == ["/etc/a", "/etc/sub/b", "/etc/sub/c", "/d"])
        #expect(file.entries["listen"]?.place == "/d:1" && file.entries["threads"]?.place == "/etc/sub/b:2")
    }

    @Test func filesThatIncludeEachOtherEnd() {
        let file = read(["/etc/a": "include b", "/etc/b": "include a"])
        #expect(file.paths.count == ConfigurationFile.mostDepth + 1)
        #expect(file.mistakes.count == 1)
        let wide = read(["/etc/a": String(repeating: "include b\n", count: 100), "/etc/b": "# nothing"])
        #expect(wide.paths.count == 64 && !wide.mistakes.isEmpty)
    }

    @Test func everyMistakeIsKeptAndWhatIsRightIsReadAllTheSame() {
        let file = read(["/etc/a": "listn :1\nlisten\nthreads 1\nthreads 2\ninclude none\nlisten :2"])
        #expect(
            file.mistakes.map(\.message) == [
                "/etc/a:1: there is no setting 'listn': did you mean 'listen'?",
                "/etc/a:2: listen: expected a value behind it",
                "/etc/a:4: threads: it was given before, at /etc/a:3",
                "/etc/a:5: include: cannot read '/etc/none'",
            ])
        #expect(file.entries["listen"]?.value == ":2" && file.entries["threads"]?.value == "1")
    }

    @Test func theNamesOfSettingsAreThoseOfTheHelp() throws {
        let threads = try #require(SettingName.all.first { $0.flag == "--threads" })
        #expect(threads.variable == "THREADS" && threads.takesValue && threads.name == "threads")
        let strict = try #require(SettingName.all.first { $0.flag == "--strict" })
        #expect(strict.variable == "STRICT" && !strict.takesValue)
        #expect(SettingName.all.count > 50)
        #expect(Set(SettingName.secrets).isSubset(of: SettingName.all.map(\.flag)))
    }

    @Test func certificatesAreJudgedByTheDay() {
        let validity = TLSValidity(startSeconds: 1_000_000, endSeconds: 2_000_000 + 40 * 86_400)
        func judge(_ now: Int) -> (mistake: Failure?, note: String?) {
            CertificateDates.judge(validity, "--tls-cert", now: now)
        }
        #expect(judge(999_999).mistake?.message.contains("begins at 1970-01-12T13:46:40Z") == true)
        #expect(judge(2_000_000).mistake == nil && judge(2_000_000).note == nil)
        #expect(judge(2_000_000 + 15 * 86_400).note?.contains("expires in 25 days, at 1970-03-05T03:33:20Z") == true)
        #expect(judge(2_000_000 + 40 * 86_400).mistake != nil)
    }
}
