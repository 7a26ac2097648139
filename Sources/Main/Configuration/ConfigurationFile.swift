internal import Glibc

/// A file of settings: one `name value` a line, with the names of the flags, `#` comments and `include PATH`.
///
/// The value is the rest of the line without the blanks around it; there is no quoting. A name may be given once, over all
/// files together. A relative path behind `include` starts at the folder of the file that includes.
struct ConfigurationFile: Sendable {
    /// One setting and where it stands.
    struct Entry: Sendable, Equatable {
        let value: String
        let path: String
        let line: Int

        var place: String { "\(path):\(line)" }
    }

    /// Files within files.
    static let mostDepth = 8
    static let mostBytes = 1_048_576
    private static let mostFiles = 64

    /// By name, without the dashes.
    private(set) var entries: [String: Entry] = [:]
    /// All that is wrong, in the order of the lines.
    private(set) var mistakes: [Failure] = []
    /// Every file that was read.
    private(set) var paths: [String] = []
    private let names: [String]
    private let read: @Sendable (String, String) throws(Failure) -> String

    /// - Parameters:
    ///   - named: the flag or variable that names the file.
    ///   - names: those that a file may hold.
    ///   - read: the text of a file; its second parameter is who to blame.
    init(
        _ path: String, named: String, names: [String],
        read: @escaping @Sendable (String, String) throws(Failure) -> String = { path, name throws(Failure) in
            try TextFile.read(path, mostBytes: ConfigurationFile.mostBytes, named: name)
        }
    ) {
        self.names = names
        self.read = read
        take(path, named: named, depth: 0)
    }

    private mutating func take(_ path: String, named: String, depth: Int) {
        guard depth <= Self.mostDepth, paths.count < Self.mostFiles else {
            return refuse("\(named): files include each other more than \(Self.mostDepth) deep, or they are too many")
        }
        paths.append(path)
        let text: String
        do throws(Failure) {
            text = try read(path, named)
        } catch {
            mistakes.append(error)
            return
        }
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            guard let line = Environment.trimmed(String(line)), !line.hasPrefix("#") else { continue }
            take(line, Entry(value: "", path: path, line: index + 1), depth: depth)
        }
    }

    private mutating func take(_ line: String, _ place: Entry, depth: Int) {
        let name = String(line.prefix { !$0.isWhitespace })
        guard name == "include" || names.contains(name) else {
            return refuse("\(place.place): \(complaint(name))")
        }
        guard let value = Environment.trimmed(String(line.dropFirst(name.count))) else {
            return refuse("\(place.place): \(name): expected a value behind it")
        }
        if name == "include" {
            let folder = place.path.lastIndex(of: "/").map { String(place.path[...$0]) } ?? ""
            return take(
                value.hasPrefix("/") ? value : folder + value, named: "\(place.place): include", depth: depth + 1)
        }
        if let first = entries[name] {
            return refuse("\(place.place): \(name): it was given before, at \(first.place)")
        }
        entries[name] = Entry(value: value, path: place.path, line: place.line)
    }

    private mutating func refuse(_ message: String) {
        mistakes.append(Failure(.configuration, message))
    }

    /// A word in a name's place may be a part of a secret: one that is like no name is not repeated.
    private func complaint(_ word: String) -> String {
        if word.hasPrefix("--"), names.contains(String(word.dropFirst(2))) {
            return "expected the name without dashes: \(word.dropFirst(2))"
        }
        if let equals = word.firstIndex(of: "="), names.contains(String(word[..<equals])) {
            return "expected a blank and not = behind \(word[..<equals])"
        }
        let nearest = names.min { CommandWords.distance(word, $0) < CommandWords.distance(word, $1) }
        guard let nearest, CommandWords.distance(word, nearest) <= 2 else {
            return "the line does not begin with a setting's name: see serve --help, without the dashes"
        }
        return "there is no setting '\(word)': did you mean '\(nearest)'?"
    }
}
