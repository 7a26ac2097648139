internal import Synchronization

/// What stands behind the flags besides the environment: the file of settings, and what a check has set aside.
///
/// Of the whole process, as the environment is. Written by the main thread before there are others.
enum SettingSources {
    private struct State {
        var file: ConfigurationFile?
        /// Flags whose settings count as unset: what is wrong with them is known.
        var setAside: Set<String> = []
        /// By the name that a message has, the flag of its setting.
        var flags: [String: String] = [:]
    }

    private static let state = Mutex(State())

    /// The file of settings, once it was read.
    static var file: ConfigurationFile? {
        get { state.withLock { $0.file } }
        set { state.withLock { $0.file = newValue } }
    }

    /// Reads the file that flag or variable names, if one does.
    /// - Throws: the first mistake in it.
    static func read(_ options: ConfigurationOptions) throws(Failure) {
        guard let given = Setting("--config", "CONFIG_FILE").given(options.config) else { return }
        let read = ConfigurationFile(given.value, named: given.name, names: SettingName.all.map(\.name))
        file = read
        if let first = read.mistakes.first { throw first }
    }

    /// What the file says of a flag.
    static func given(_ flag: String) -> Given? {
        let name = String(flag.dropFirst(2))
        return state.withLock { state in
            state.file?.entries[name].map {
                Given(value: $0.value, name: "\($0.place): \(name)", status: .configuration)
            }
        }
    }

    /// Who else may read a file that holds a secret, one line each.
    static var weaknesses: [String] {
        guard let file, SettingName.secrets.contains(where: { file.entries[String($0.dropFirst(2))] != nil }) else {
            return []
        }
        return file.paths.flatMap { FileAccess.weaknesses($0, named: "--config") }
    }

    // MARK: A check

    /// Notes by which name a message would blame a setting.
    static func note(_ name: String, of flag: String) {
        state.withLock { $0.flags[name] = flag }
    }

    /// A setting that counts as unset. `SENTRY_AUTH_TOKEN`, which has no flag, is asked for by that name.
    static func isSetAside(_ flag: String) -> Bool {
        state.withLock { $0.setAside.contains(flag) }
    }

    /// Has the setting that a message blames count as unset from now on.
    /// - Returns: false when it cannot be told which that is, or when it counts as unset already.
    static func setAside(blamedBy message: String) -> Bool {
        state.withLock { state in
            let blamed = state.flags.filter { name, _ in
                message.hasPrefix(name) && ":, ".contains(message.dropFirst(name.count).first ?? " ")
            }
            guard let flag = blamed.max(by: { $0.key.count < $1.key.count })?.value else { return false }
            return state.setAside.insert(flag).inserted
        }
    }
}
