package import AccessPolicy

/// Who approves a client's request.
package enum DeviceApproval: String, Sendable, CaseIterable {
    /// An operator, over the admin listener.
    case admin
    /// Who has the user code and an approval code, on the page.
    case code
    /// Nobody: to be let through by `--device-from` is enough.
    case none
}

/// Somebody with a long approval code of his own.
package struct Approver: Sendable, Equatable {
    package var name: String
    package var digest: TokenDigest

    package init(name: String, digest: TokenDigest) {
        self.name = name
        self.digest = digest
    }
}

/// What the flow is set to.
package struct DeviceFlowSettings: Sendable {
    package var approval: DeviceApproval
    /// Seconds that a grant lasts.
    package var lifetime: Int64
    package var hasRefresh: Bool
    /// Who may ask; empty is everybody.
    package var from: TrustedProxies
    /// `--public-url`; nil: the base is the client's Host, when that is this machine, else `listenBase`.
    package var publicURL: String?
    /// The listener's own address as a base.
    package var listenBase: String

    package init(
        approval: DeviceApproval, lifetime: Int64, hasRefresh: Bool, from: TrustedProxies, publicURL: String?,
        listenBase: String
    ) {
        self.approval = approval
        self.lifetime = lifetime
        self.hasRefresh = hasRefresh
        self.from = from
        self.publicURL = publicURL
        self.listenBase = listenBase
    }

    /// Codes that may wait at once, and that one address may ask for in a minute.
    static let mostWaiting = 64
    static let mostAsked = 5
    /// Wrong user or approval codes of one address in a minute.
    static let mostWrong = 10
    /// Those of all addresses: 64 codes of 25 billion are not found by so many tries in ten minutes, whoever makes them.
    static let mostWrongTogether = 40_960
    /// An alias lasts so long when there are refresh tokens.
    static let refreshedAliasSeconds: Int64 = 3_600
    /// How long a refresh token is good after another one took its place, and before one does: several processes of one
    /// client refresh at once, each for itself.
    static let overlapSeconds: Int64 = 600
    static let passcodeSeconds: Int64 = 600
    /// How long `device deny --client` holds.
    static let denialSeconds: Int64 = 3_600

    /// The base of the URLs that people are told. A Host that a client chose is no base unless it is this machine's: it
    /// would send a person to somebody else's page.
    func base(host: [UInt8], isSecure: Bool) -> String {
        if let publicURL { return publicURL }
        guard Self.isLoopback(host) else { return listenBase }
        return (isSecure ? "https://" : "http://") + String(decoding: host, as: UTF8.self)
    }

    static func isLoopback(_ host: [UInt8]) -> Bool {
        var name = host[...]
        if let colon = name.lastIndex(of: UInt8(ascii: ":")), name.last != UInt8(ascii: "]") {
            guard 1...5 ~= name.count - (colon - name.startIndex) - 1,
                name[(colon + 1)...].allSatisfy({ 0x30...0x39 ~= $0 })
            else { return false }
            name = name[..<colon]
        }
        let text = String(decoding: name, as: UTF8.self).lowercased()
        if text == "localhost" || text == "[::1]" { return true }
        return text.hasPrefix("127.") && IPAddress(Array(name).span) != nil
    }
}
