internal import AccessPolicy
internal import System
internal import TokenStore

/// What weakens the guard over tokens and aliases, and what becomes of it.
struct SecuritySettings {
    /// What would be a warning ends the start.
    let isStrict: Bool
    /// Names by which the admin listener may be asked, with the host's own.
    let adminHosts: [String]

    init(_ options: SecurityOptions) throws(Failure) {
        isStrict = try Setting("--strict", "STRICT").switchedOn(options.strict) != nil
        var hosts = ProcessLimits.hostName.map { [$0] } ?? []
        if let given = Setting("--admin-host", "ADMIN_HOST").given(options.adminHost) {
            for name in given.value.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
                guard name.utf8.allSatisfy(SentryURI.isHostByte) else {
                    throw Failure(given.status, "\(given.name): '\(name)' is not a host's name without a port")
                }
                hosts.append(String(name))
            }
        }
        adminHosts = hosts
    }

    /// Looks for weak spots.
    /// - Returns: what to warn of, one line each; none when strict.
    /// - Throws: the first of them, when strict.
    func weaknesses(
        _ settings: AliasSettings, _ aliases: AliasTable?, _ token: TokenPrecedence, _ device: DeviceSettings?
    ) throws(Failure) -> [String] {
        var found = settings.weaknesses(aliases) + SettingSources.weaknesses + (device?.weaknesses ?? [])
        if case .file(let path) = token.choice {
            found += FileAccess.weaknesses(path, named: token.winner.rawValue)
        }
        if isStrict, let first = found.first { throw Failure(.configuration, "\(first) (--strict)") }
        return found
    }
}
