internal import Glibc
internal import TokenStore

/// Which store holds the logins: `--state-dir` / `STATE_DIR`, a folder or the word `postgres`.
enum LoginStoreSetting {
    case folder(FileLoginStore)
    case postgres
    /// Neither a folder is named nor a home is known.
    case none

    init(_ flagValue: String?) {
        let setting = Setting("--state-dir", "STATE_DIR")
        let given = setting.given(flagValue)
        SettingSources.note("stored logins", of: setting.flag)
        guard !SettingSources.isSetAside(setting.flag) else {
            self = .none
            return
        }
        switch given?.value {
        case "postgres"?: self = .postgres
        case let folder?: self = .folder(FileLoginStore(folder: folder))
        case nil:
            // XDG Base Directory Specification: a relative path is to be ignored.
            if let state = Environment.value("XDG_STATE_HOME"), state.hasPrefix("/") {
                self = .folder(FileLoginStore(folder: state + "/sentry-api-proxy", isDefault: true))
            } else if let home = Environment.value("HOME") {
                self = .folder(FileLoginStore(folder: home + "/.local/state/sentry-api-proxy", isDefault: true))
            } else {
                self = .none
            }
        }
    }

    var isPostgres: Bool {
        if case .postgres = self { true } else { false }
    }

    /// - Parameter connection: for a store in PostgreSQL.
    func store(_ connection: ConnectionString?) -> (any LoginStore)? {
        switch self {
        case .folder(let store): store
        case .postgres: connection.map { PostgresLoginStore(connectionString: $0) }
        case .none: nil
        }
    }
}

extension Failure {
    /// A store that cannot be used; says how to mend what can be mended.
    init(_ error: LoginStoreError, _ store: any LoginStore) {
        let status: Status =
            switch error {
            case .corrupt, .notRegular: .data
            case .newerVersion, .tableMissing: .configuration
            case .fileTooOpen, .folderTooOpen, .foreignOwner, .tableDenied: .noPermission
            case .notReadable(let code), .notWritable(let code):
                code == EACCES || code == EPERM ? .noPermission : .unavailable
            case .locked, .database: .unavailable
            }
        var message = "stored logins, \(store.place): \(error.message)"
        if let file = store as? FileLoginStore {
            switch error {
            case .fileTooOpen: message += "; fix it with: chmod 600 '\(file.place)'"
            case .folderTooOpen: message += "; fix it with: chmod 700 '\(file.folder)'"
            case .foreignOwner: message += "; run as that user, or name another folder with --state-dir"
            default: break
            }
        }
        self.init(status, message)
    }
}
