internal import FoundationEssentials
package import System

/// What carries the messages to the authorization server; blocks.
package typealias OAuthTransport =
    @Sendable (_ path: String, _ form: Secret) -> Result<OAuthReply, OAuthTransportFailure>

package struct OAuthReply: Sendable {
    package let status: Int
    package let body: [UInt8]
    /// Scheme and authority of a redirect.
    package let redirectBase: String?

    package init(status: Int, body: [UInt8], redirectBase: String? = nil) {
        self.status = status
        self.body = body
        self.redirectBase = redirectBase
    }
}

/// The server was not reached, or gave no answer.
package struct OAuthTransportFailure: Error, Sendable, Equatable {
    /// One line for the operator.
    package let summary: String

    package init(summary: String) {
        self.summary = summary
    }
}

/// The error codes of RFC 6749 §5.2 and RFC 8628 §3.5.
package enum OAuthErrorCode: String, Sendable {
    case authorizationPending = "authorization_pending"
    case slowDown = "slow_down"
    case expiredToken = "expired_token"
    case accessDenied = "access_denied"
    case invalidClient = "invalid_client"
    case invalidGrant = "invalid_grant"
    case invalidRequest = "invalid_request"
    case invalidScope = "invalid_scope"
    case unauthorizedClient = "unauthorized_client"
    case unsupportedGrantType = "unsupported_grant_type"
}

package enum OAuthError: Error, Sendable, Equatable {
    case unreachable(OAuthTransportFailure)
    /// An error of the protocol.
    case refused(OAuthErrorCode)
    /// 429 or 5xx: asking later may help.
    case serverTrouble(status: Int)
    /// A redirect to what should be the server's base.
    case redirected(base: String)
    /// No answer of an authorization server.
    case unexpected(status: Int)
    /// A 200 that breaks the protocol.
    case malformedAnswer
}

/// The answer to a device authorization request (RFC 8628 §3.2).
package struct DeviceAuthorization: Sendable {
    package let deviceCode: Secret
    /// Visible ASCII: it goes to a terminal.
    package let userCode: String
    package let verificationURI: String
    /// With the code in it, when the server gives one.
    package let verificationURIComplete: String?
    package let expiresIn: Duration
    package let interval: Duration
}

/// A successful token answer (RFC 6749 §5.1).
package struct TokenGrant: Sendable {
    package let accessToken: Secret
    package let refreshToken: Secret?
    /// nil when the server does not say.
    package let expiresInMilliseconds: Int64?
    /// nil when the server does not say: then what was asked for was granted.
    package let scopes: [String]?
    package let user: Login.User?
}

/// Speaks OAuth 2.0 with Sentry; every call blocks for as long as its transport does.
package struct OAuthClient: Sendable {
    package static let devicePath = "/oauth/device/code/"
    package static let tokenPath = "/oauth/token/"

    private let transport: OAuthTransport

    package init(transport: @escaping OAuthTransport) {
        self.transport = transport
    }

    /// RFC 8628 §3.1.
    package func authorizeDevice(clientID: String, scopes: [String]) throws(OAuthError) -> DeviceAuthorization {
        var form = FormBody()
        form.add("client_id", clientID)
        form.add("scope", scopes.joined(separator: " "))
        let answer: DeviceAnswer = try call(Self.devicePath, form.finish())
        guard let code = try? TokenText.check(Array(answer.deviceCode.utf8).span),
            Self.isPrintable(answer.userCode, most: 64), Self.isPrintable(answer.verificationURI, most: 1024),
            let lifetime = Self.duration(answer.expiresIn), let interval = Self.duration(answer.interval ?? 5)
        else { throw .malformedAnswer }
        return DeviceAuthorization(
            deviceCode: code, userCode: answer.userCode, verificationURI: answer.verificationURI,
            verificationURIComplete: answer.verificationURIComplete.flatMap {
                Self.isPrintable($0, most: 1024) ? $0 : nil
            },
            expiresIn: lifetime, interval: interval)
    }

    /// RFC 8628 §3.4.
    package func redeem(deviceCode: Secret, clientID: String) throws(OAuthError) -> TokenGrant {
        var form = FormBody()
        form.add("grant_type", "urn:ietf:params:oauth:grant-type:device_code")
        form.add("device_code", deviceCode)
        form.add("client_id", clientID)
        return try grant(form.finish())
    }

    /// RFC 6749 §6. No `scope`: Sentry refuses one here.
    package func refresh(_ refreshToken: Secret, clientID: String) throws(OAuthError) -> TokenGrant {
        var form = FormBody()
        form.add("grant_type", "refresh_token")
        form.add("refresh_token", refreshToken)
        form.add("client_id", clientID)
        return try grant(form.finish())
    }

    private func grant(_ form: Secret) throws(OAuthError) -> TokenGrant {
        let answer: TokenAnswer = try call(Self.tokenPath, form)
        guard (answer.tokenType ?? "bearer").lowercased() == "bearer",
            let access = try? TokenText.check(Array(answer.accessToken.utf8).span)
        else { throw .malformedAnswer }
        var refresh: Secret?
        if let text = answer.refreshToken, !text.isEmpty {
            refresh = try? TokenText.check(Array(text.utf8).span)
            guard refresh != nil else { throw .malformedAnswer }
        }
        return TokenGrant(
            accessToken: access, refreshToken: refresh,
            expiresInMilliseconds: answer.expiresIn.flatMap(Self.duration).map { Int64($0.milliseconds) },
            scopes: answer.scope?.names, user: answer.user?.user)
    }

    private func call<Answer: Decodable>(_ path: String, _ form: Secret) throws(OAuthError) -> Answer {
        let reply: OAuthReply
        switch transport(path, form) {
        case .success(let answered): reply = answered
        case .failure(let failure): throw .unreachable(failure)
        }
        let decoder = JSONDecoder()
        let data = Data(reply.body)
        if reply.status == 200 {
            guard let answer = try? decoder.decode(Answer.self, from: data) else { throw .malformedAnswer }
            return answer
        }
        if reply.status == 429 || reply.status >= 500 { throw .serverTrouble(status: reply.status) }
        if let base = reply.redirectBase { throw .redirected(base: base) }
        guard let refusal = try? decoder.decode(ErrorAnswer.self, from: data),
            let code = OAuthErrorCode(rawValue: refusal.error)
        else { throw .unexpected(status: reply.status) }
        throw .refused(code)
    }

    /// Seconds of an answer, from a millisecond up to a hundred years.
    private static func duration(_ seconds: Double) -> Duration? {
        guard seconds >= 0.001, seconds <= 3.2e9 else { return nil }
        return .nanoseconds(UInt64(seconds * 1e9))
    }

    /// Fit for a terminal: no control byte that could move its cursor or write elsewhere.
    private static func isPrintable(_ text: String, most: Int) -> Bool {
        !text.isEmpty && text.utf8.count <= most && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }
}

// MARK: - JSON

private struct DeviceAnswer: Decodable {
    let deviceCode: String
    let userCode: String
    let verificationURI: String
    let verificationURIComplete: String?
    let expiresIn: Double
    let interval: Double?

    private enum CodingKeys: String, CodingKey {
        case deviceCode = "device_code"
        case userCode = "user_code"
        case verificationURI = "verification_uri"
        case verificationURIComplete = "verification_uri_complete"
        case expiresIn = "expires_in"
        case interval
    }
}

private struct ErrorAnswer: Decodable {
    let error: String
}

private struct TokenAnswer: Decodable {
    let accessToken: String
    let refreshToken: String?
    let tokenType: String?
    let expiresIn: Double?
    let scope: Scope?
    let user: UserAnswer?

    private enum CodingKeys: String, CodingKey {
        case accessToken = "access_token"
        case refreshToken = "refresh_token"
        case tokenType = "token_type"
        case expiresIn = "expires_in"
        case scope, user
    }

    /// RFC 6749 §3.3 separates by blanks; an array is taken as well.
    struct Scope: Decodable {
        let names: [String]

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                names = text.split(whereSeparator: { $0 == " " || $0 == "," }).map(String.init)
            } else {
                names = try container.decode([String].self)
            }
        }
    }

    struct UserAnswer: Decodable {
        let user: Login.User

        private enum Key: String, CodingKey { case id, name, email }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            let text = try? container.decode(String.self, forKey: .id)
            let number = try? container.decode(Int64.self, forKey: .id)
            func printable(_ key: Key) -> String? {
                guard let value = try? container.decode(String.self, forKey: key), !value.isEmpty else { return nil }
                // It is shown on a terminal.
                return String(value.unicodeScalars.filter { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
            }
            user = Login.User(
                id: text ?? number.map(String.init) ?? "", name: printable(.name), email: printable(.email))
        }
    }
}
