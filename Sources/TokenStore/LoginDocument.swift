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
    let client_id: String?
    let access_token: String
    let refresh_token: String?
    let scopes: [String]
    let user: Login.User?
    let obtained_at_ms: Int64
    let expires_at_ms: Int64?
    let refused: Bool?

    init(_ login: Login) {
        client_id = login.clientID
        access_token = plainText(login.accessToken)
        refresh_token = login.refreshToken.map(plainText)
        scopes = login.scopes
        user = login.user
        obtained_at_ms = login.obtainedAt
        expires_at_ms = login.expiresAt
        refused = login.isRefused ? true : nil
    }

    /// nil when a token could not be one.
    var login: Login? {
        guard let access = try? TokenText.check(Array(access_token.utf8).span) else { return nil }
        var refresh: Secret?
        if let refresh_token {
            refresh = try? TokenText.check(Array(refresh_token.utf8).span)
            guard refresh != nil else { return nil }
        }
        return Login(
            clientID: client_id, accessToken: access, refreshToken: refresh, scopes: scopes, user: user,
            obtainedAt: obtained_at_ms, expiresAt: expires_at_ms, isRefused: refused ?? false)
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
