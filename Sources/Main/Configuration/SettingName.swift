internal import ArgumentParser

/// A setting of `serve` by its names, as the help shows it: flag, variable and default have one source.
struct SettingName {
    let flag: String
    let variable: String
    /// In words; nil when it is unset without.
    let standard: String?
    /// It takes a value; what does not is on or off.
    let takesValue: Bool

    /// In a file of settings.
    var name: String { String(flag.dropFirst(2)) }

    /// Its value is a secret, or may hold one.
    var isSecret: Bool { Self.secrets.contains(flag) }
    static let secrets = ["--token", "--alias-token", "--pgx-conn"]

    /// All of them, in the order of the help.
    static let all: [SettingName] = {
        var entries: [String] = []
        for line in ServeCommand.helpMessage(columns: 1_000).split(whereSeparator: \.isNewline) {
            let text = Environment.trimmed(String(line)) ?? ""
            if text.hasPrefix("-") {
                entries.append(text)
            } else if !entries.isEmpty {
                entries[entries.count - 1] += " \(text)"
            }
        }
        return entries.compactMap(SettingName.init)
    }()

    /// Reads `--flag <value>  Help. [VARIABLE; default]`; nil for what has no variable.
    init?(_ help: String) {
        let flag = String(help.prefix { $0 != " " && $0 != "," })
        guard flag.hasPrefix("--"), !ConfigurationOptions.flags.contains(flag),
            let open = help.lastIndex(of: "["), let close = help.lastIndex(of: "]"), open < close
        else { return nil }
        let brackets = help[help.index(after: open)..<close]
        self.flag = flag
        variable = String(brackets.prefix { $0 != ";" && $0 != "=" && $0 != "," })
        standard = brackets.firstIndex(of: ";").flatMap {
            Environment.trimmed(String(brackets[brackets.index(after: $0)...]))
        }
        takesValue = help.dropFirst(flag.count).hasPrefix(" <")
    }
}
