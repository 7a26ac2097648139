internal import AccessPolicy
internal import Glibc

/// Where aliases come from; loaded at start, on SIGHUP and when the file has changed.
struct AliasSettings {
    private let list: Given?
    private let file: Given?
    private let rights: RightsSettings

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
    var files: [String] { [file, rights.file].compactMap { $0?.value } }

    /// What makes aliases easier to come by than they should be, one line each.
    func weaknesses() throws(Failure) -> [String] {
        var found = file.map { FileAccess.weaknesses($0.value, named: $0.name) } ?? []
        for (given, entries) in try entries() {
            found += entries.filter(\.isShort).map {
                "\(given.name): \($0.origin): the alias of '\($0.name)' is shorter than \(AliasEntry.leastBytes) bytes: make one with 'sentry-api-proxy alias new'"
            }
        }
        return found
    }

    /// What to say of the rights, one line each.
    func notes(_ aliases: AliasTable?) throws(Failure) -> [String] { try aliases.map(rights.notes) ?? [] }

    /// Those of each source.
    private func entries() throws(Failure) -> [(Given, [AliasEntry])] {
        var sources: [(Given, [AliasEntry])] = []
        if let list {
            sources.append((list, try Self.naming(list) { () throws(AliasError) in try parseAliasList(list.value) }))
        }
        if let file {
            let text = try TextFile.read(file.value, mostBytes: 16_777_216, named: file.name)
            // What is in a file is no matter of the flag that names it.
            let content = Given(value: file.value, name: file.name, status: .configuration)
            sources.append((content, try Self.naming(content) { () throws(AliasError) in try parseAliasFile(text) }))
        }
        return sources
    }
    /// Some source of aliases is named: with none, every client is elevated.
    var areConfigured: Bool { list != nil || file != nil }

    /// Reads and checks all of them.
    /// - Returns: nil when none is configured.
    func load() throws(Failure) -> AliasTable? {
        let rules = try rights.load()
        guard list != nil || file != nil else {
            // Rights of an alias that nobody has are a slip here too.
            if let policy = rights.file {
                _ = try named(policy) { () throws(AliasError) in try AliasTable([], rules: rules) }
            }
            return nil
        }
        let sources = try entries()
        // A source that is configured and holds no alias is refused by its reader.
        return try named(sources.last!.0) { () throws(AliasError) in
            try AliasTable(sources.flatMap(\.1), rules: rules)
        }
    }

    /// As `naming`, but a line of the policy file is that file's.
    private func named<Value>(_ given: Given, _ body: () throws(AliasError) -> Value) throws(Failure) -> Value {
        do throws(AliasError) {
            return try body()
        } catch {
            let place: (given: Given, isPolicy: Bool) =
                if case .policyLine = error.origin, let policy = rights.file { (policy, true) } else { (given, false) }
            throw Failure(
                place.isPolicy ? .configuration : place.given.status,
                "\(place.given.name): \(place.isPolicy ? "'\(place.given.value)', " : "")\(error.description)")
        }
    }

    private static func naming<Value>(_ given: Given, _ body: () throws(AliasError) -> Value) throws(Failure) -> Value {
        do throws(AliasError) {
            return try body()
        } catch {
            throw Failure(given.status, "\(given.name): \(error.description)")
        }
    }
}
