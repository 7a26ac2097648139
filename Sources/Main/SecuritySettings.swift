internal import Logging
internal import TokenStore

/// What weakens the guard over tokens and aliases, and what becomes of it.
struct SecuritySettings {
    /// What would be a warning ends the start.
    let isStrict: Bool

    init(_ options: SecurityOptions) throws(Failure) {
        let variable = try Setting("--strict", "STRICT").parsed(nil, expected: Quantities.truthForm, Quantities.truth)
        isStrict = options.strict || variable ?? false
    }

    /// Looks for weak spots.
    /// - Returns: what to warn of, one line each; none when strict.
    /// - Throws: the first of them, when strict.
    func weaknesses(_ aliases: AliasSettings, _ token: TokenPrecedence) throws(Failure) -> [String] {
        var found = try aliases.weaknesses()
        if case .file(let path) = token.choice {
            found += FileAccess.weaknesses(path, named: token.winner.rawValue)
        }
        if isStrict, let first = found.first { throw Failure(.configuration, "\(first) (--strict)") }
        return found
    }
}
