package import System

/// Logins in one file of one user: `logins.json` of the state directory.
package struct FileLoginStore: LoginStore {
    static let mostBytes = StateFile.mostBytes
    static let reservedBytes = StateFile.reservedBytes

    private let file: StateFile
    package var folder: String { file.folder }
    package var place: String { file.path }

    /// - Parameter folder: made when something is stored.
    package init(folder: String, isDefault: Bool = false) {
        file = StateFile(folder: folder, name: "logins.json", isDefault: isDefault)
    }

    package func read() throws(LoginStoreError) -> StoredLogins {
        try Self.logins(try file.read())
    }

    private static func logins(_ stored: StateFile.Stored?) throws(LoginStoreError) -> StoredLogins {
        guard var stored else { return StoredLogins(document: LoginDocument(), stamp: .nothing) }
        defer { wipe(&stored.bytes) }
        return StoredLogins(document: try LoginDocument.decode(stored.bytes), stamp: stored.stamp)
    }

    package func change<R>(
        _ origin: String, deadline: Instant, _ body: (inout Login?) -> R
    ) throws(LoginStoreError) -> (R, LoginStamp) {
        try file.change(
            deadline: deadline,
            check: Self.check
        ) { stored throws(LoginStoreError) in
            let before = try Self.logins(stored).document
            var document = before
            let result = body(&document.logins[origin])
            return (result, document == before ? nil : document.encode())
        }
    }

    private static func check(_ bytes: [UInt8]) throws(LoginStoreError) { _ = try LoginDocument.decode(bytes) }

    package func hasChanged(since stamp: LoginStamp, _ origin: String) async -> Bool { file.stamp != stamp }
}
