internal import AccessPolicy
internal import Glibc

/// Where aliases come from; loaded at start and again on SIGHUP.
struct AliasSettings {
    private let list: Given?
    private let file: Given?

    init(_ options: ServeOptions) throws(Failure) {
        list = Setting("--alias-token", "ALIAS_TOKENS").given(options.aliasToken)
        file = Setting("--alias-file", "ALIAS_FILE").given(options.aliasFile)
    }

    /// Reads and checks all of them.
    /// - Returns: nil when none is configured.
    func load() throws(Failure) -> AliasTable? {
        guard list != nil || file != nil else { return nil }
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
        return try Self.naming(file ?? list!) { () throws(AliasError) in try AliasTable(entries) }
    }

    private static func naming<Value>(_ given: Given, _ body: () throws(AliasError) -> Value) throws(Failure) -> Value {
        do throws(AliasError) {
            return try body()
        } catch {
            throw Failure(given.status, "\(given.name): \(error.description)")
        }
    }
}
