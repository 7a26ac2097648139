/// Why there is no new token. Contains no secret, so it may be logged; never shown to a client.
package enum TokenSourceError: Error, Sendable, Equatable {
    /// The broker has not fetched yet.
    case notReadYet
    /// PostgreSQL answers, but Sentry has no system token in it.
    case rowAbsent
    /// PostgreSQL has a value that is not a token.
    case undecodable(StoredValueError)
    case database(DatabaseError)
    case file(TokenFileError)
    /// The authorization server refused the stored login; the token that is in use has not ended yet.
    case signInAgain
    /// There is no login, or it has ended: the token that is in use is no good any more.
    case signedOut
    case loginStore(LoginStoreError)
    /// The authorization server could not be asked.
    case loginUnavailable
    /// The upstream answers 401 to the token itself, and its source has no other.
    case refused(TokenKind)

    /// Whether only a person can fix it, so that asking often is useless.
    package var needsOperator: Bool {
        switch self {
        case .undecodable, .signInAgain, .signedOut, .refused, .database(.authentication), .database(.permission): true
        case .notReadYet, .rowAbsent, .database, .file, .loginUnavailable, .loginStore: false
        }
    }

    /// Whether the last good token must be discarded.
    package var endsToken: Bool { self == .signedOut }

    /// One line for the log: what is wrong and what to do.
    package var logMessage: String {
        switch self {
        case .notReadYet:
            "the token has not been read yet"
        case .rowAbsent:
            "PostgreSQL has no row 'sentry:system-token', and Sentry wrote none when asked with a bearer token: is the token set in Sentry's settings? then pass it with --token-file"
        case .undecodable(let error):
            "the row 'sentry:system-token' contains no token: \(error.message)"
        case .database(let error):
            error.logMessage
        case .file(let error):
            "token file: \(error.message)"
        case .signInAgain:
            "the stored login was refused: sign in again with `sentry-api-proxy auth login`"
        case .signedOut:
            "there is no login for this upstream, or it has expired: sign in with `sentry-api-proxy auth login`"
        case .loginStore(let error):
            "stored logins: \(error.message)"
        case .loginUnavailable:
            "the authorization server cannot be reached to refresh the login"
        case .refused(.static):
            "the upstream answers 401 to the token itself: has it been revoked, or is it for another Sentry? give a new one"
        case .refused(.system):
            "the upstream answers 401 to the system token: is this proxy's address in INTERNAL_SYSTEM_IPS?"
        case .refused(.login):
            "the upstream answers 401 to the login's token: sign in again with `sentry-api-proxy auth login`"
        }
    }

    /// What a client may read in a 503: what is missing, no inner detail.
    package var clientMessage: String {
        switch self {
        case .notReadYet: "The proxy has no Sentry token yet: it has just started."
        case .rowAbsent: "The proxy has no Sentry token: Sentry has not stored its system token."
        case .undecodable: "The proxy has no Sentry token: the stored system token cannot be read."
        case .database: "The proxy has no Sentry token: its database cannot be read."
        case .file: "The proxy has no Sentry token: its token file cannot be used."
        case .signInAgain, .signedOut: "The proxy has no Sentry token: its operator must sign in again."
        case .loginStore: "The proxy has no Sentry token: its stored login cannot be used."
        case .refused: "The proxy has no Sentry token that Sentry accepts."
        case .loginUnavailable: "The proxy has no Sentry token: its login cannot be refreshed now."
        }
    }
}

/// Why a token file cannot be used; the path is left to the caller, who knows which flag or variable named it.
package enum TokenFileError: Error, Sendable, Equatable {
    case missing
    case notReadable
    case notRegular
    case unusable(TokenTextError)

    package var message: String {
        switch self {
        case .missing: "there is no such file"
        case .notReadable: "it cannot be read; check its owner and mode"
        case .notRegular: "it is not a regular file"
        case .unusable(let error): "expected one line with a Sentry token, but \(error.message)"
        }
    }
}

/// What was found in the row instead of a token; the kind of thing, never its content.
package enum StoredValueError: Error, Sendable, Equatable {
    case tooLong
    case json(StoredJSON)
    /// A JSON string that does not end, or holds a bad escape or a raw control character.
    case brokenJSONString
    /// Neither JSON nor base64.
    case unknownForm
    /// Base64 of something that does not begin like a pickle.
    case notPickle
    case picklePrematureEnd
    case pickleTrailingBytes
    case pickleOpcode(UInt8)
    case pickleProtocol(UInt8)
    case token(TokenTextError)

    package enum StoredJSON: String, Sendable {
        case number, object, array, boolean
    }

    package var message: String {
        switch self {
        case .tooLong: "the value is too long"
        case .json(let kind): "found a JSON \(kind.rawValue), expected a JSON string"
        case .brokenJSONString: "found a malformed JSON string"
        case .unknownForm: "found neither JSON nor a base64 pickle"
        case .notPickle: "found base64 text that is not a pickle"
        case .picklePrematureEnd: "found a pickle that is cut short"
        case .pickleTrailingBytes: "found bytes after the end of a pickle"
        case .pickleOpcode(let opcode): "found an unknown pickle opcode 0x\(hex(opcode))"
        case .pickleProtocol(let number): "found an unknown pickle protocol \(number)"
        case .token(let error): "found a string that is not a token: \(error.message)"
        }
    }
}

private func hex(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return digits.count == 1 ? "0" + digits : digits
}
