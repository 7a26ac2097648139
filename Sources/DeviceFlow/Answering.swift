internal import AccessPolicy
internal import EventLoop
internal import FoundationEssentials
internal import HTTP1
internal import TokenStore

/// The answers to clients.
extension DeviceAuthorizer {
    /// - Returns: nil when the connection is to be closed without an answer.
    func answer(_ call: DeviceCall) -> DeviceAnswer? {
        switch call.place {
        case .metadata: return metadata(call)
        case .page: return page(call)
        case .code, .token, .revoke, .decision: break
        }
        let form: FormParameters
        do throws(FormParameters.Malformed) {
            form = try call.form.withBytes { bytes throws(FormParameters.Malformed) in try FormParameters(bytes) }
        } catch {
            return call.place == .decision ? Pages.message(400, "The form is malformed.") : .error("invalid_request")
        }
        switch call.place {
        case .code: return code(form, call)
        case .token: return token(form)
        case .revoke: return revoke(form)
        case .decision: return decide(form, call)
        case .metadata, .page: return nil
        }
    }

    private struct Metadata: Encodable {
        var issuer: String
        var deviceAuthorizationEndpoint: String
        var tokenEndpoint: String
        var revocationEndpoint: String
        var grantTypesSupported: [String]
        var responseTypesSupported: [String] = []
        var tokenEndpointAuthMethodsSupported = ["none"]
        var revocationEndpointAuthMethodsSupported = ["none"]
    }

    private func metadata(_ call: DeviceCall) -> DeviceAnswer {
        let base = settings.base(host: call.host, isSecure: call.isSecure)
        var grants = [Self.deviceGrant]
        if settings.hasRefresh { grants.append("refresh_token") }
        return json(
            Metadata(
                issuer: base, deviceAuthorizationEndpoint: base + "/oauth/device/code/",
                tokenEndpoint: base + "/oauth/token/", revocationEndpoint: base + "/oauth/revoke/",
                grantTypesSupported: grants))
    }

    static let deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

    // MARK: Asking for a code

    private struct Codes: Encodable {
        var deviceCode: String
        var userCode: String
        var verificationUri: String
        var verificationUriComplete: String
        var expiresIn: Int64
        var interval: Int64
    }

    /// The scopes of a client that names none: to read. Sentry would take all for that.
    static let readingScopes = ["alerts:read", "event:read", "member:read", "org:read", "project:read", "team:read"]

    private func code(_ form: FormParameters, _ call: DeviceCall) -> DeviceAnswer {
        let now = doors.now()
        guard let client = form.text("client_id") else { return .error("invalid_request") }
        var asked = Self.readingScopes
        if form.bytes("scope") != nil {
            guard let text = form.text("scope") else { return .error("invalid_scope") }
            asked = Array(Set(text.split(separator: " ").map(String.init))).sorted()
            guard !asked.isEmpty, asked.allSatisfy(GrantCeiling.isScope) else { return .error("invalid_scope") }
        }
        let address = Self.text(call.client)
        if !settings.from.isEmpty, !settings.from.contains(ClientAddress(ip: call.client)) {
            note(.refused, [("client_addr", address), ("reason", "address")])
            return .error("access_denied", status: 403)
        }
        if let wait = asks.spend(call.client, now: now) { return slowDown(wait) }
        do throws(DeviceStoreFailure) {
            let (device, user) = try newCodes()
            var code = WaitingCode(
                deviceDigest: TokenDigest(of: device.utf8.span).hexadecimal,
                userDigest: UserCode.digest(user).hexadecimal, shown: String(decoding: user[..<4], as: UTF8.self),
                client: String(client.prefix(64)), asked: asked, address: address,
                userAgent: Self.plain(call.userAgent), made: now, ends: now + WaitingCode.lifetime)
            if settings.approval == .none {
                do throws(AliasWords.Problem) {
                    code.state = .approved(try plan(for: code, name: nil, choice: [], lifetime: nil, approver: "none"))
                } catch {
                    return .error("invalid_scope")
                }
            }
            guard try store.add(code, most: DeviceFlowSettings.mostWaiting, now: now) else { return slowDown(60) }
            note(
                .asked,
                [
                    ("code", code.shown), ("client", code.client), ("client_addr", address),
                    ("scopes", asked.joined(separator: " ")),
                ])
            let shown = UserCode.shown(user)
            let page = settings.base(host: call.host, isSecure: call.isSecure) + "/oauth/device/"
            return json(
                Codes(
                    deviceCode: device, userCode: shown, verificationUri: page,
                    verificationUriComplete: "\(page)?user_code=\(shown)", expiresIn: WaitingCode.lifetime,
                    interval: WaitingCode.firstInterval))
        } catch {
            failed(error)
            return unavailable
        }
    }

    private func newCodes() throws(DeviceStoreFailure) -> (device: String, user: [UInt8]) {
        do throws(SystemError) {
            while true {
                let device = try Entropy.bytes(32).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                if let user = UserCode.make(try Entropy.bytes(32)) { return (device, user) }
            }
        } catch {
            throw DeviceStoreFailure("random bytes: \(error.summary)")
        }
    }

    private func slowDown(_ seconds: Int64) -> DeviceAnswer {
        .error("slow_down", status: 429, fields: "Retry-After: \(seconds)\r\n")
    }

    private var unavailable: DeviceAnswer {
        .error("temporarily_unavailable", status: 503, fields: "Retry-After: 5\r\n")
    }

    /// What approving a code comes to.
    func plan(
        for code: WaitingCode, name: String?, choice: [String], lifetime: Int64?, approver: String
    ) throws(AliasWords.Problem) -> WaitingCode.Plan {
        let granted = try doors.ceiling().grant(asked: code.asked, choice: choice)
        return WaitingCode.Plan(
            name: name ?? freeName(defaultName(code)), words: granted.words, scopes: granted.scopes,
            lifetime: min(lifetime ?? settings.lifetime, settings.lifetime), approver: approver)
    }

    /// Another proxy may have granted something to a code with the same letters a moment ago.
    private func defaultName(_ code: WaitingCode) -> String {
        "device-\(code.shown)" + (store.isShared ? "-\(code.deviceDigest.prefix(4))" : "")
    }

    func isNameTaken(_ name: String) -> Bool {
        doors.isNameTaken(name) || grants.contains { $0.name == name }
    }

    func freeName(_ wanted: String) -> String {
        var name = wanted
        var number = 2
        while isNameTaken(name) {
            name = "\(wanted)-\(number)"
            number += 1
        }
        return name
    }

    // MARK: Tokens

    private struct Token: Encodable {
        struct User: Encodable {
            var id = "0"
            var name: String
            var email: String?

            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: Key.self)
                try container.encode(id, forKey: .id)
                try container.encode(name, forKey: .name)
                try container.encodeNil(forKey: .email)
            }
            private enum Key: String, CodingKey { case id, name, email }
        }
        var accessToken: String
        var refreshToken: String?
        var tokenType = "Bearer"
        var expiresIn: Int64
        var expiresAt: String
        var scope: String
        var user: User
    }

    private func token(_ form: FormParameters) -> DeviceAnswer? {
        switch form.text("grant_type") {
        case Self.deviceGrant?: return poll(form)
        case "refresh_token"? where settings.hasRefresh: return renew(form)
        case nil: return .error("invalid_request")
        default: return .error("unsupported_grant_type")
        }
    }

    private enum Polled {
        case answer(DeviceAnswer)
        case taken(Grant, alias: String, refresh: String?)
        case withdrawn(String)
    }

    private func poll(_ form: FormParameters) -> DeviceAnswer? {
        countPoll()
        guard let device = form.bytes("device_code"), let client = form.text("client_id") else {
            return .error("invalid_request")
        }
        guard Self.isDeviceCode(device) else { return .error("invalid_grant") }
        let now = doors.now()
        do throws(DeviceStoreFailure) {
            // Made before, since nothing may fail once the code is taken.
            let secrets = try newSecrets()
            let clock = store.isShared ? now * 1_000 : doors.milliseconds()
            let polled = try store.change(.device(TokenDigest(of: device.span))) { code -> (Polled, GrantEdit) in
                switch code.poll(client: String(client.prefix(64)), now: now, milliseconds: clock) {
                case .pending: (.answer(.error("authorization_pending")), .none)
                case .slowDown: (.answer(.error("slow_down")), .none)
                case .denied: (.answer(.error("access_denied")), .none)
                case .expired: (.answer(.error("expired_token")), .none)
                case .invalid: (.answer(.error("invalid_grant")), .none)
                case .takenTwice(let name): (.withdrawn(name), .withdraw(name))
                case .take(let plan): take(plan, &code, secrets, now)
                }
            }
            switch polled {
            case nil:
                // What waited when the process ended is over; which codes those were is not known any more.
                let mayBeForgotten = !store.isShared && now < startedAt + WaitingCode.lifetime
                return .error(mayBeForgotten ? "expired_token" : "invalid_grant")
            case .answer(let answer)?: return answer
            case .withdrawn(let name)?:
                try refresh()
                note(.replayed, [("alias", name), ("reason", "a code was taken twice")])
                return .error("invalid_grant")
            case .taken(let grant, let alias, let refreshToken)?:
                try refresh()
                note(
                    .taken,
                    [
                        ("alias", grant.name), ("client", grant.client), ("client_addr", grant.address),
                        ("rights", grant.words.joined(separator: " ")), ("expires", UTCTime.text(grant.ends)),
                    ])
                return json(token(grant, alias, refreshToken, now))
            }
        } catch {
            failed(error)
            return unavailable
        }
    }

    private func take(
        _ plan: WaitingCode.Plan, _ code: inout WaitingCode, _ secrets: (alias: String, refresh: String), _ now: Int64
    ) -> (Polled, GrantEdit) {
        let aliasEnds =
            settings.hasRefresh ? min(plan.lifetime, DeviceFlowSettings.refreshedAliasSeconds) : plan.lifetime
        // Somebody else may have got the name since it was chosen.
        let name = freeName(plan.name)
        var grant = Grant(
            name: name, words: plan.words, scopes: plan.scopes, client: code.client, approver: plan.approver,
            address: code.address, made: now, ends: now + plan.lifetime,
            aliases: [
                Grant.Alias(digest: TokenDigest(of: secrets.alias.utf8.span).hexadecimal, ends: now + aliasEnds)
            ])
        if settings.hasRefresh {
            grant.refresh = [Grant.Refresh(digest: TokenDigest(of: secrets.refresh.utf8.span).hexadecimal, made: now)]
        }
        code.state = .taken(name)
        return (.taken(grant, alias: secrets.alias, refresh: settings.hasRefresh ? secrets.refresh : nil), .add(grant))
    }

    private func token(_ grant: Grant, _ alias: String, _ refresh: String?, _ now: Int64) -> Token {
        let ends = grant.aliases.last?.ends ?? grant.ends
        return Token(
            accessToken: alias, refreshToken: refresh, expiresIn: ends - now, expiresAt: UTCTime.text(ends),
            scope: grant.scopes.joined(separator: " "), user: Token.User(name: "alias \(grant.name)"))
    }

    private func newSecrets() throws(DeviceStoreFailure) -> (alias: String, refresh: String) {
        do throws(SystemError) {
            let alias = makeAlias(random: try Entropy.bytes(32))
            return (alias, "sapr_" + makeAlias(random: try Entropy.bytes(32)).dropFirst(4))
        } catch {
            throw DeviceStoreFailure("random bytes: \(error.summary)")
        }
    }

    private static func isDeviceCode(_ code: [UInt8]) -> Bool {
        code.count == 64 && code.allSatisfy { 0x30...0x39 ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0 }
    }

    // MARK: Refreshing

    private enum Renewed {
        case invalid
        case scope
        case replayed(String)
        case renewed(Grant, refresh: String)
    }

    /// A 400 makes the client forget its login, so it is said only of what has really ended; everything else closes the
    /// connection without an answer.
    private func renew(_ form: FormParameters) -> DeviceAnswer? {
        guard let shown = form.bytes("refresh_token"), let client = form.text("client_id") else {
            return .error("invalid_request")
        }
        let now = doors.now()
        do throws(DeviceStoreFailure) {
            let secrets = try newSecrets()
            let scope = form.text("scope")?.split(separator: " ").map(String.init)
            let digest = TokenDigest(of: shown.span)
            let renewed = try store.changeGrant(.refresh(digest)) { grant in
                self.renew(&grant, digest, client: client, scope: scope, shown: shown, secrets, now)
            }
            switch renewed {
            case nil, .invalid?: return .error("invalid_grant")
            case .scope?: return .error("invalid_scope")
            case .replayed(let name)?:
                try refresh()
                note(.replayed, [("alias", name), ("reason", "an old refresh token came back")])
                return .error("invalid_grant")
            case .renewed(let grant, let refreshToken)?:
                try refresh()
                note(.refreshed, [("alias", grant.name)])
                return json(token(grant, secrets.alias, refreshToken, now))
            }
        } catch {
            failed(error)
            return nil
        }
    }

    private func renew(
        _ held: inout Grant?, _ digest: TokenDigest, client: String, scope: [String]?, shown: [UInt8],
        _ secrets: (alias: String, refresh: String), _ now: Int64
    ) -> Renewed {
        guard var grant = held, let index = grant.refresh.firstIndex(where: { $0.digest == digest.hexadecimal }),
            !grant.isOver(now), String(client.prefix(64)) == grant.client
        else { return .invalid }
        // What the alias may do is the grant's, whatever is named; more than that is refused.
        if let scope, !Set(scope).isSubset(of: grant.scopes) { return .scope }
        let token = grant.refresh[index]
        if let replaced = token.replaced, now - replaced > DeviceFlowSettings.overlapSeconds {
            held = nil
            return .replayed(grant.name)
        }
        var refreshToken = String(decoding: shown, as: UTF8.self)
        if token.replaced != nil || now - token.made >= DeviceFlowSettings.overlapSeconds {
            if token.replaced == nil { grant.refresh[index].replaced = now }
            refreshToken = secrets.refresh
            grant.refresh.append(
                Grant.Refresh(digest: TokenDigest(of: secrets.refresh.utf8.span).hexadecimal, made: now))
            if grant.refresh.count > Grant.mostRefresh { grant.refresh.removeFirst() }
        }
        grant.aliases.removeAll { $0.ends <= now }
        if grant.aliases.count == Grant.mostAliases { grant.aliases.removeFirst() }
        let ends = min(grant.ends, now + DeviceFlowSettings.refreshedAliasSeconds)
        grant.aliases.append(
            Grant.Alias(digest: TokenDigest(of: secrets.alias.utf8.span).hexadecimal, ends: ends))
        held = grant
        return .renewed(grant, refresh: refreshToken)
    }

    // MARK: Revoking

    /// RFC 7009 §2.2: 200 also for a token that is not known.
    private func revoke(_ form: FormParameters) -> DeviceAnswer {
        guard let shown = form.bytes("token") else { return .error("invalid_request") }
        let digest = TokenDigest(of: shown.span)
        do throws(DeviceStoreFailure) {
            for key in [GrantKey.alias(digest), .refresh(digest)] {
                guard let name = try withdraw(key) else { continue }
                note(.revoked, [("alias", name), ("by", "client")])
                break
            }
            return DeviceAnswer(status: 200, body: Secret(Array("{}".utf8)))
        } catch {
            failed(error)
            return unavailable
        }
    }

    /// - Returns: the name of the grant that was withdrawn, for all who hold an alias of it.
    func withdraw(_ key: GrantKey) throws(DeviceStoreFailure) -> String? {
        let name = try store.changeGrant(key) { grant -> String? in
            defer { grant = nil }
            return grant?.name
        }
        guard let name, let name else { return nil }
        try refresh()
        return name
    }

    // MARK: Text

    private func json(_ value: some Encodable) -> DeviceAnswer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        // Strings and numbers: nothing that JSON cannot hold.
        return DeviceAnswer(status: 200, body: Secret((try? encoder.encode(value)).map { Array($0) } ?? []))
    }

    static func text(_ address: IPAddress?) -> String {
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = buffer.withUnsafeMutableBytes { bytes in
            var writer = HeadWriter(bytes)
            ClientAddress(ip: address).write(into: &writer)
            return writer.count
        }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// What a client says of itself: printable ASCII.
    static func plain(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.prefix(128).map { 0x20...0x7e ~= $0 ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
