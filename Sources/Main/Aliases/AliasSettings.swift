internal import AccessPolicy
internal import Glibc

/// What the files of aliases and rights say, read at one moment.
struct LoadedAliases {
    /// Nil when none is configured.
    let aliases: AliasTable?
    /// What their words were read by.
    let rules: AliasRules

    var policy: Policy { rules.policy ?? .builtIn }
    /// The version of the table of operations; the built-in one is not made for it.
    var endpointsVersion: String { rules.policy?.table.version ?? EndpointTable.builtInVersion }
}

/// Where aliases come from; loaded at start, on SIGHUP and when the file has changed.
struct AliasSettings {
    private let list: Given?
    private let file: Given?
    private var rights: RightsSettings
    /// Lines that count as blank: a check has told what is wrong with them.
    private var blankLines: Set<Failure.FileLine> = []

    init(_ options: ServeOptions) throws(Failure) {
        rights = try RightsSettings(options.rights)
        list = try Self.given(Setting("--alias-token", "ALIAS_TOKENS"), options.aliasToken)
        file = try Self.given(Setting("--alias-file", "ALIAS_FILE"), options.aliasFile)
    }

    /// Unlike other settings, an empty one does not count as unset: without aliases every client would be elevated.
    private static func given(_ setting: Setting, _ flagValue: String?) throws(Failure) -> Given? {
        if let blank = setting.blank(flagValue) {
            throw Failure(
                blank.status,
                "\(blank.name): it is set, but empty, and without an alias every client gets the token; unset it, or fill it"
            )
        }
        return setting.given(flagValue)
    }

    /// What to watch.
    var files: [String] { (file.map { [$0.value] } ?? []) + rights.files.paths }

    /// The table in place of the built-in one, and who named it.
    var endpointTable: Given? { rights.files.table }

    /// What makes aliases easier to come by than they should be, one line each.
    func weaknesses(_ aliases: AliasTable?) -> [String] {
        let found = file.map { FileAccess.weaknesses($0.value, named: $0.name) } ?? []
        return found + rights.files.weaknesses
            + (aliases?.short ?? []).map { name, origin in
                var given = file
                if case .item = origin { given = list }
                return
                    "\(given!.name): \(origin): the alias of '\(name)' is shorter than \(AliasEntry.leastBytes) bytes: make one with 'sentry-api-proxy alias new'"
            }
    }

    /// What to say of the rights, one line each.
    func notes(_ loaded: LoadedAliases) -> [RightsSettings.Note] { rights.notes(loaded) }

    /// Those of each source.
    private func entries() throws(Failure) -> [(Given, [AliasEntry])] {
        var sources: [(Given, [AliasEntry])] = []
        if let list {
            sources.append((list, try Self.naming(list) { () throws(AliasError) in try parseAliasList(list.value) }))
        }
        if let file {
            let read = try TextFile.read(file.value, mostBytes: TextFile.mostBytes, named: file.name)
            let text = TextFile.text(read, of: file.value, without: blankLines)
            // What is in a file is no matter of the flag that names it.
            let content = Given(value: file.value, name: file.name, status: .configuration)
            sources.append((content, try Self.naming(content) { () throws(AliasError) in try parseAliasFile(text) }))
        }
        return sources
    }

    /// Some source of aliases is named: with none, every client is elevated.
    var areConfigured: Bool { list != nil || file != nil }

    /// Reads and checks all of them.
    func load() throws(Failure) -> LoadedAliases {
        let rules = try rights.load()
        guard list != nil || file != nil else {
            // Rights of an alias that nobody has are a slip here too.
            if let policy = rights.files.policy {
                _ = try named(policy) { () throws(AliasError) in try AliasTable([], rules: rules) }
            }
            return LoadedAliases(aliases: nil, rules: rules)
        }
        let sources = try entries()
        // A source that is configured and holds no alias is refused by its reader.
        let aliases = try named(sources.last!.0) { () throws(AliasError) in
            try AliasTable(sources.flatMap(\.1), rules: rules)
        }
        return LoadedAliases(aliases: aliases, rules: rules)
    }

    /// As `naming`, but a line of the policy file is that file's.
    private func named<Value>(_ given: Given, _ body: () throws(AliasError) -> Value) throws(Failure) -> Value {
        do throws(AliasError) {
            return try body()
        } catch {
            let place: (given: Given, isPolicy: Bool) =
                if case .policyLine = error.origin, let policy = rights.files.policy { (policy, true) } else {
                    (given, false)
                }
            throw Failure(
                place.isPolicy ? .configuration : place.given.status,
                Self.message(error, in: place.given), line: Self.line(error, of: place.given))
        }
    }

    private static func naming<Value>(_ given: Given, _ body: () throws(AliasError) -> Value) throws(Failure) -> Value {
        do throws(AliasError) {
            return try body()
        } catch {
            throw Failure(given.status, message(error, in: given), line: line(error, of: given))
        }
    }

    /// A list is full of aliases, so it is not repeated; the path of a file is.
    private static func message(_ error: AliasError, in given: Given) -> String {
        if case .item = error.origin { return "\(given.name): \(error.description)" }
        return "\(given.name): '\(given.value)', \(error.description)"
    }

    private static func line(_ error: AliasError, of given: Given) -> Failure.FileLine? {
        switch error.origin {
        case .line(let number), .policyLine(let number): Failure.FileLine(path: given.value, number: number)
        case .item: nil
        }
    }

    /// As `load`, for a check: with every mistake, each line that is wrong counting as blank from then on.
    /// - Returns: nil when they cannot be read at all.
    func load(noting mistakes: inout Mistakes) -> LoadedAliases? {
        var reading = self
        reading.rights.files.checkTable(noting: &mistakes)
        while reading.blankLines.count < Self.mostMistakes {
            do throws(Failure) {
                return try reading.load()
            } catch {
                // Without its broken lines a file may hold no alias, which is no mistake of its own.
                if !reading.blankLines.isEmpty, error.message.hasSuffix("\(AliasProblem.noAliases)") { return nil }
                mistakes.note(error)
                guard let line = error.line, reading.blankLines.insert(line).inserted else { return nil }
                reading.rights.files.blankLines = reading.blankLines
            }
        }
        return nil
    }

    /// Lines of which a check tells what is wrong.
    private static let mostMistakes = 100
}
