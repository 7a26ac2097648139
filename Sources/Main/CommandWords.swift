internal import ArgumentParser

/// The names of commands on the command line.
enum CommandWords {
    /// What to say of a word in a command's place that is none; nil when all is well.
    static func mistake(in words: [String], of root: any ParsableCommand.Type) -> String? {
        var command = root
        for word in words {
            let subcommands = command.configuration.subcommands
            guard !subcommands.isEmpty, !word.hasPrefix("-"), word != "help" else { return nil }
            if let next = subcommands.first(where: { name($0) == word }) {
                command = next
                continue
            }
            let names = subcommands.map(name)
            let nearest = names.min { distance(word, $0) < distance(word, $1) }
            guard let nearest, distance(word, nearest) <= max(2, nearest.count / 3) else {
                return "there is no command '\(word)': the commands are \(names.joined(separator: ", "))"
            }
            return "there is no command '\(word)': did you mean '\(nearest)'?"
        }
        return nil
    }

    static func name(_ command: any ParsableCommand.Type) -> String { command._commandName }

    /// Letters to put in, take out or replace to make one of the other (Levenshtein).
    static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right.utf8)
        var row = Array(0...right.count)
        for (i, byte) in left.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in right.indices {
                let replaced = diagonal + (byte == right[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, diagonal + 1, row[j] + 1)
            }
        }
        return row[right.count]
    }
}
