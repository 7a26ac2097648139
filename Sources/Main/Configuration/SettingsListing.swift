/// `--print-config`: each setting, its value and where it is from. No secret is shown.
struct SettingsListing {
    private struct Row {
        let name: String
        let value: String
        let source: String

        init(name: String, value: String, source: String) {
            (self.name, self.value, self.source) = (name, value, source)
        }

        init(_ setting: SettingName, _ value: String, from source: String) {
            // A URI that was mistyped may hold a password before an @.
            let shown = value.contains("@") ? "set, not shown: it has an @" : value
            self.init(name: setting.name, value: setting.isSecret ? "set" : shown, source: source)
        }
    }

    private let rows: [Row]

    /// - Parameter words: the command line.
    init(_ words: [String]) {
        var rows: [Row] = []
        for setting in SettingName.all {
            rows.append(Self.row(setting, words))
            guard setting.flag == "--token" else { continue }
            let isSet = Environment.value("SENTRY_AUTH_TOKEN") != nil
            rows.append(
                Row(
                    name: "SENTRY_AUTH_TOKEN", value: isSet ? "set" : "unset", source: isSet ? "environment" : "default"
                ))
        }
        self.rows = rows
    }

    private static func row(_ setting: SettingName, _ words: [String]) -> Row {
        if let value = flagValue(setting, words) { return Row(setting, value, from: setting.flag) }
        if let value = Environment.value(setting.variable) { return Row(setting, value, from: setting.variable) }
        if let entry = SettingSources.file?.entries[setting.name] {
            return Row(setting, entry.value, from: entry.place)
        }
        let standard = setting.standard ?? (setting.takesValue ? "unset" : "off")
        return Row(name: setting.name, value: setting.isSecret ? "unset" : standard, source: "default")
    }

    /// The last one counts, as for the parser.
    private static func flagValue(_ setting: SettingName, _ words: [String]) -> String? {
        var found: String?
        for (index, word) in words.enumerated() {
            if word == setting.flag {
                found = setting.takesValue ? index + 1 < words.count ? words[index + 1] : nil : "on"
            } else if word.hasPrefix("\(setting.flag)=") {
                found = String(word.dropFirst(setting.flag.count + 1))
            }
        }
        return found.flatMap(Environment.trimmed)
    }

    var text: String {
        let (nameWidth, valueWidth) = (rows.map(\.name.count).max() ?? 0, min(rows.map(\.value.count).max() ?? 0, 48))
        return rows.map { row in
            "\(Report.padded(row.name, nameWidth))  \(Report.padded(row.value, valueWidth))  \(row.source)\n"
        }.joined()
    }
}
