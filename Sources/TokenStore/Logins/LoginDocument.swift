internal import FoundationEssentials

/// Stored logins by the origin of their upstream, in the form in which they are kept: JSON with a version number.
///
/// Tokens are strings of JSON for the time of an encoding or a decoding; those copies cannot be wiped.
package struct LoginDocument: Sendable, Equatable {
    static let version = 1

    package var logins: [String: Login]

    package init(logins: [String: Login] = [:]) {
        self.logins = logins
    }

    package func encode() -> [UInt8] {
        let stored = StoredDocument(version: Self.version, logins: logins.mapValues(StoredLogin.init))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Strings, numbers and arrays of them: nothing that JSON cannot hold.
        return (try? encoder.encode(stored)).map { Array($0) + [0x0a] } ?? []
    }

    package static func decode(_ bytes: [UInt8]) throws(LoginStoreError) -> LoginDocument {
        let decoder = JSONDecoder()
        let data = Data(bytes)
        guard let head = try? decoder.decode(StoredVersion.self, from: data), head.version >= 1 else { throw .corrupt }
        guard head.version <= version else { throw .newerVersion(head.version) }
        guard let stored = try? decoder.decode(StoredDocument.self, from: data) else { throw .corrupt }
        var document = LoginDocument()
        for (origin, login) in stored.logins {
            guard let login = login.login else { throw .corrupt }
            document.logins[origin] = login
        }
        return document
    }
}

private struct StoredVersion: Decodable {
    let version: Int
}

private struct StoredDocument: Codable {
    let version: Int
    let logins: [String: StoredLogin]
}

private struct StoredLogin: Codable {
    let clientID: String?
    let accessToken: String
    let refreshToken: String?
    let scopes: [String]
    let user: Login.User?
    let obtainedAtMilliseconds: Int64
    let expiresAtMilliseconds: Int64?
    let refused: Bool?

    private enum CodingKeys: String, CodingKey {
        case clientID = "client_id"
        case accessToken = "access_token"
        case refreshToken = "refresh_token"
        case scopes, user, refused
        case obtainedAtMilliseconds = "obtained_at_ms"
        case expiresAtMilliseconds = "expires_at_ms"
    }

    init(_ login: Login) {
        clientID = login.clientID
        accessToken = plainText(login.accessToken)
        refreshToken = login.refreshToken.map(plainText)
        scopes = login.scopes
        user = login.user
        obtainedAtMilliseconds = login.obtainedAt
        expiresAtMilliseconds = login.expiresAt
        refused = login.isRefused ? true : nil
    }

    /// nil when a token could not be one.
    var login: Login? {
        guard let access = try? TokenText.check(Array(accessToken.utf8).span) else { return nil }
        var refresh: Secret?
        if let refreshToken {
            refresh = try? TokenText.check(Array(refreshToken.utf8).span)
            guard refresh != nil else { return nil }
        }
        return Login(
            clientID: clientID, accessToken: access, refreshToken: refresh, scopes: scopes, user: user,
            obtainedAt: obtainedAtMilliseconds, expiresAt: expiresAtMilliseconds, isRefused: refused ?? false)
    }
}

/// A token as text, for JSON alone.
private func plainText(_ secret: Secret) -> String {
    secret.withBytes { bytes in
        String(unsafeUninitializedCapacity: bytes.count) { buffer in
            for index in 0..<bytes.count { buffer[index] = bytes[index] }
            return bytes.count
        }
    }
}
