/// One sign-in at one authorization server.
package struct Login: Sendable, Equatable {
    /// Who signed in, as the server said.
    package struct User: Sendable, Equatable, Codable {
        package var id: String
        package var name: String?
        package var email: String?

        package init(id: String, name: String?, email: String?) {
            self.id = id
            self.name = name
            self.email = email
        }

        /// For people.
        package var label: String { email ?? name ?? id }
    }

    /// nil for a token that was given and not obtained.
    package var clientID: String?
    package var accessToken: Secret
    /// Good for one refresh; nil when there is none.
    package var refreshToken: Secret?
    package var scopes: [String]
    package var user: User?
    /// Milliseconds since 1970.
    package var obtainedAt: Int64
    /// Milliseconds since 1970; nil when the server named no end.
    package var expiresAt: Int64?
    /// The server has refused the refresh token: trying again is useless.
    package var isRefused: Bool

    package init(
        clientID: String?, accessToken: Secret, refreshToken: Secret?, scopes: [String], user: User?,
        obtainedAt: Int64, expiresAt: Int64?, isRefused: Bool = false
    ) {
        self.clientID = clientID
        self.accessToken = accessToken
        self.refreshToken = refreshToken
        self.scopes = scopes
        self.user = user
        self.obtainedAt = obtainedAt
        self.expiresAt = expiresAt
        self.isRefused = isRefused
    }

    package var canRefresh: Bool { refreshToken != nil && clientID != nil && !isRefused }

    /// When a tenth of the token's life is left, in milliseconds since 1970; nil for one that is not refreshed.
    package var dueAt: Int64? {
        guard canRefresh, let expiresAt else { return nil }
        return expiresAt - max(0, expiresAt - obtainedAt) / 10
    }

    package func isExpired(at now: Int64) -> Bool { expiresAt.map { now >= $0 } ?? false }

    /// Until when a 401 is not put down to the token's age: the tenth of its life, but at most 30 s. Without it an address
    /// that Sentry answers 401 to whatever the token is would use up one refresh token after the other.
    package var tooYoungToRefuse: Int64 {
        let life = expiresAt.map { max(0, $0 - obtainedAt) } ?? .max
        return obtainedAt + min(30_000, life / 10)
    }
}

/// The known scopes of Sentry (src/sentry/conf/server.py), without the internal one.
package enum SentryScopes {
    package static let known = [
        "org:read", "org:write", "org:admin", "org:integrations", "org:ci",
        "member:read", "member:invite", "member:write", "member:admin",
        "team:read", "team:write", "team:admin",
        "project:read", "project:write", "project:admin", "project:releases", "project:distribution",
        "event:read", "event:write", "event:admin",
        "alerts:read", "alerts:write",
        "openid", "profile", "email",
    ]
    /// Sentry's own definition of read-only; the default of a sign-in.
    package static let readOnly = [
        "org:read", "member:read", "team:read", "project:read", "event:read", "alerts:read",
    ]
    /// The scopes that Sentry's own command line requests.
    package static let full = [
        "project:read", "project:write", "project:admin", "org:read", "event:read", "event:write", "member:read",
        "team:read", "team:write", "team:admin", "alerts:read", "alerts:write",
    ]

    /// Reads scopes separated by commas or blanks: lower-cased, each once, in their order.
    /// - Throws: the first one that Sentry does not know.
    package static func parse(_ texts: [String]) throws(UnknownScope) -> [String] {
        var scopes: [String] = []
        for text in texts {
            for word in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
                let scope = word.lowercased()
                guard known.contains(scope) else { throw UnknownScope(scope: scope) }
                if !scopes.contains(scope) { scopes.append(scope) }
            }
        }
        return scopes
    }
}

package struct UnknownScope: Error, Equatable {
    package let scope: String
}
