/// What a user gave, before any of it is opened or checked.
package struct TokenInputs: Sendable {
    /// `--token`
    package var tokenFlag: String?
    /// `--token-file`
    package var tokenFileFlag: String?
    /// `SENTRY_TOKEN_FILE`
    package var tokenFileVariable: String?
    /// `SENTRY_AUTH_TOKEN`
    package var authTokenVariable: String?
    /// `SENTRY_TOKEN`
    package var tokenVariable: String?
    /// `token-file` in a file of settings
    package var tokenFileLine: String?
    /// `token` in a file of settings
    package var tokenLine: String?
    /// Whether there is a stored login for this upstream's origin.
    package var hasStoredLogin: Bool

    package init(
        tokenFlag: String? = nil,
        tokenFileFlag: String? = nil,
        tokenFileVariable: String? = nil,
        authTokenVariable: String? = nil,
        tokenVariable: String? = nil,
        tokenFileLine: String? = nil,
        tokenLine: String? = nil,
        hasStoredLogin: Bool = false
    ) {
        self.tokenFlag = tokenFlag
        self.tokenFileFlag = tokenFileFlag
        self.tokenFileVariable = tokenFileVariable
        self.authTokenVariable = authTokenVariable
        self.tokenVariable = tokenVariable
        self.tokenFileLine = tokenFileLine
        self.tokenLine = tokenLine
        self.hasStoredLogin = hasStoredLogin
    }
}

/// Where the token is to come from.
package enum TokenChoice: Sendable, Equatable {
    case given(Secret)
    /// The path, trimmed.
    case file(String)
    case storedLogin
    case system
}

/// Which of several tokens wins. A pure function; the table in docs/reference/tokens.md is this one.
///
/// First match: `--token`, `--token-file`, `SENTRY_TOKEN_FILE`, `SENTRY_AUTH_TOKEN`, `SENTRY_TOKEN`, `token-file` and
/// `token` in a file of settings, a stored login, the system token. White space around a value is trimmed, an empty value counts as unset.
///
/// The word `system` as `--token` or `SENTRY_TOKEN` chooses the system token at that place in the order, over a stored
/// login too. `SENTRY_AUTH_TOKEN` is every Sentry tool's name and has no such word there: `system` is a token like another.
package struct TokenPrecedence: Sendable, Equatable {
    package let choice: TokenChoice
    /// The flag or variable that won; `.postgreSQL` when nothing was given.
    package let winner: TokenOrigin
    /// What was given as well and is not used, in order; for the log at start. Never holds `.postgreSQL`: the default
    /// is always there and nobody misses it.
    package let shadowed: [TokenOrigin]

    /// - Throws: when the token that wins cannot go into a header field; one that is shadowed is not looked at.
    package static func decide(_ inputs: TokenInputs) throws(TokenPrecedenceError) -> TokenPrecedence {
        let values: [(origin: TokenOrigin, value: String?)] = [
            (.tokenFlag, trimmed(inputs.tokenFlag)),
            (.tokenFileFlag, trimmed(inputs.tokenFileFlag)),
            (.tokenFileVariable, trimmed(inputs.tokenFileVariable)),
            (.authTokenVariable, trimmed(inputs.authTokenVariable)),
            (.tokenVariable, trimmed(inputs.tokenVariable)),
            (.tokenFileLine, trimmed(inputs.tokenFileLine)),
            (.tokenLine, trimmed(inputs.tokenLine)),
            (.storedLogin, inputs.hasStoredLogin ? "" : nil),
        ]
        var given = values.filter { $0.value != nil }
        guard !given.isEmpty else {
            return TokenPrecedence(choice: .system, winner: .postgreSQL, shadowed: [])
        }
        let first = given.removeFirst()
        return TokenPrecedence(
            choice: try choice(first.origin, first.value ?? ""),
            winner: first.origin,
            shadowed: given.map(\.origin)
        )
    }

    private static func choice(_ origin: TokenOrigin, _ value: String) throws(TokenPrecedenceError) -> TokenChoice {
        switch origin {
        case .tokenFlag, .tokenVariable, .tokenLine:
            if value == "system" { return .system }
            return .given(try token(value, origin))
        case .authTokenVariable:
            return .given(try token(value, origin))
        case .tokenFileFlag, .tokenFileVariable, .tokenFileLine:
            return .file(value)
        case .storedLogin:
            return .storedLogin
        case .postgreSQL:
            return .system
        }
    }

    private static func token(_ value: String, _ origin: TokenOrigin) throws(TokenPrecedenceError) -> Secret {
        do {
            return try TokenText.parse(value)
        } catch {
            throw TokenPrecedenceError(origin: origin, cause: error)
        }
    }

    /// Without the white space around it; `nil` when nothing is left.
    private static func trimmed(_ value: String?) -> String? {
        guard let value else { return nil }
        let bytes = value.utf8
        guard let start = bytes.firstIndex(where: { !TokenText.isBlank($0) }),
            let end = bytes.lastIndex(where: { !TokenText.isBlank($0) })
        else { return nil }
        return String(value[start...end])
    }
}

/// A token that was given cannot be used.
package struct TokenPrecedenceError: Error, Sendable, Equatable {
    package let origin: TokenOrigin
    package let cause: TokenTextError

    /// One line; names the flag or variable, never the value.
    package var message: String { message(naming: nil) }

    /// The same with a better name for the origin, such as a line of a file.
    package func message(naming name: String?) -> String {
        "\(name ?? origin.rawValue): expected a Sentry token, but \(cause.message)"
    }
}
