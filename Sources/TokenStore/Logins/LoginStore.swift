package import System

/// Where logins are kept: a file of one user, or a table that replicas share. Its calls block.
package protocol LoginStore: Sendable {
    /// What to call it in a message: a path, or the table.
    var place: String { get }

    /// All that is stored; nothing stored is an empty document.
    func read() throws(LoginStoreError) -> StoredLogins

    /// Runs `body` on the login of `origin` with every other process kept out, and stores what it leaves: nil removes it.
    /// When this returns, the change outlives a loss of power.
    /// - Parameter deadline: on the monotonic clock, for the wait for others. `body` has its own.
    func change<R>(
        _ origin: String, deadline: Instant, _ body: (inout Login?) -> R
    ) throws(LoginStoreError) -> (R, LoginStamp)

    /// Does all that a change needs, and changes nothing.
    func checkWritable(_ origin: String, deadline: Instant) throws(LoginStoreError)

    /// Whether there may be something newer than `stamp`.
    func hasChanged(since stamp: LoginStamp, _ origin: String) async -> Bool
}

extension LoginStore {
    package func checkWritable(_ origin: String, deadline: Instant) throws(LoginStoreError) {
        // Lock, room on the disk and all: only the last step is left out.
        _ = try change(origin, deadline: deadline) { _ in }
    }
}

/// What was stored, and when as it were.
package struct StoredLogins: Sendable {
    package let document: LoginDocument
    package let stamp: LoginStamp
}

/// One state of a store; two that are equal hold the same.
package struct LoginStamp: Sendable, Equatable {
    package let parts: [Int64]
    static let nothing = LoginStamp(parts: [])
}

/// Why stored logins cannot be used or changed. The place is the store's.
package enum LoginStoreError: Error, Sendable, Equatable {
    /// Not what this program writes.
    case corrupt
    case newerVersion(Int)
    /// Others than the owner may get at the file.
    case fileTooOpen
    case folderTooOpen
    case foreignOwner
    case notRegular
    /// The value is `errno`.
    case notReadable(CInt)
    case notWritable(CInt)
    /// Another process held the lock until the deadline.
    case locked
    case database(DatabaseError)
    case tableMissing
    case tableDenied

    /// One line, to follow the place.
    package var message: String {
        switch self {
        case .corrupt: "it is not a file of stored logins; move it away and sign in again"
        case .newerVersion(let version):
            "it has version \(version), this program knows \(LoginDocument.version); use the newer program"
        case .fileTooOpen: "others than its owner may read it"
        case .folderTooOpen: "others than its owner may use the folder"
        case .foreignOwner: "it belongs to another user"
        case .notRegular: "it is not a regular file"
        case .notReadable(let code): "it cannot be read (\(SystemError(code: code).summary))"
        case .notWritable(let code): "it cannot be written (\(SystemError(code: code).summary))"
        case .locked: "another process holds its lock"
        case .database(let error): error.message
        case .tableDenied:
            "the user may not read and write it: GRANT SELECT, INSERT, UPDATE, DELETE ON \(PostgresLoginStore.table)"
        case .tableMissing: "the table does not exist; create it with `sentry-api-proxy auth init-db`"
        }
    }
}
