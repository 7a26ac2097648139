internal import AccessPolicy
internal import Glibc

/// Where aliases come from; loaded at start, on SIGHUP and when the file has changed.
struct AliasSettings {
    private let list: Given?
    private let file: Given?
    private let rights: RightsSettings

    init(_ options: ServeOptions) throws(Failure) {
        rights = try RightsSettings(options.rights)
        list = Setting("--alias-token", "ALIAS_TOKENS").given(options.aliasToken)
        file = Setting("--alias-file", "ALIAS_FILE").given(options.aliasFile)
    }

    /// What to watch.
    var files: [String] { [file, rights.file].compactMap { $0?.value } }

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
        var entries: [AliasEntry] = []
        if let list {
            entries += try Self.naming(list) { () throws(AliasError) in try parseAliasList(list.value) }
        }
        if let file {
            let text = try TextFile.read(file.value, mostBytes: 16_777_216, named: file.name)
            entries += try Self.naming(file) { () throws(AliasError) in try parseAliasFile(text) }
        }
        // A configured source that is empty is a mistake: without aliases every client would be elevated.
        guard !entries.isEmpty else {
            let given = file ?? list!
            throw Failure(
                given.status, "\(given.name): there is no alias in it, and without one every client gets the token")
        }
        return try named(file ?? list!) { () throws(AliasError) in try AliasTable(entries, rules: rules) }
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
