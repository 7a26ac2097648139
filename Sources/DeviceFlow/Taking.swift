internal import AccessPolicy
internal import System
internal import TokenStore

/// `POST /oauth/token/` with a device code: a client polls, and takes what was approved (RFC 8628 §3.4).
extension DeviceAuthorizer {
    struct Token: Encodable {
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

    func token(_ form: FormParameters) -> DeviceAnswer? {
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
            // Other processes poll by a shared store: their one clock in common is that of the wall.
            let clock = store.isShared ? .seconds(UInt64(now)) : doors.instant() - .distantPast
            let polled = try store.change(.device(TokenDigest(of: device.span)), now: now) {
                code, taken -> (Polled, GrantEdit) in
                switch code.poll(client: String(client.prefix(64)), now: now, clock: clock) {
                case .pending: (.answer(.error("authorization_pending")), .none)
                case .slowDown: (.answer(.error("slow_down")), .none)
                case .denied: (.answer(.error("access_denied")), .none)
                case .expired: (.answer(.error("expired_token")), .none)
                case .invalid: (.answer(.error("invalid_grant")), .none)
                case .takenTwice(let name, let made): (.withdrawn(name), .withdraw(name, made: made))
                case .take(let plan): take(plan, &code, besides: taken, secrets, now)
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
        _ plan: WaitingCode.Plan, _ code: inout WaitingCode, besides taken: Set<String>,
        _ secrets: (alias: String, refresh: String), _ now: Int64
    ) -> (Polled, GrantEdit) {
        let aliasEnds =
            settings.hasRefresh ? min(plan.lifetime, DeviceFlowSettings.refreshedAliasSeconds) : plan.lifetime
        // Somebody else may have got the name since it was chosen.
        let name = freeName(plan.name, besides: taken)
        var grant = Grant(
            name: name, words: plan.words, scopes: plan.scopes, client: code.client, approver: plan.approver,
            address: code.address, made: now, ends: now + plan.lifetime,
            aliases: [
                Grant.Alias(digest: TokenDigest(of: secrets.alias.utf8.span).hexadecimal, ends: now + aliasEnds)
            ])
        if settings.hasRefresh {
            grant.refresh = [Grant.Refresh(digest: TokenDigest(of: secrets.refresh.utf8.span).hexadecimal, made: now)]
        }
        code.state = .taken(name, made: now)
        return (.taken(grant, alias: secrets.alias, refresh: settings.hasRefresh ? secrets.refresh : nil), .add(grant))
    }

    func token(_ grant: Grant, _ alias: String, _ refresh: String?, _ now: Int64) -> Token {
        let ends = grant.aliases.last?.ends ?? grant.ends
        return Token(
            accessToken: alias, refreshToken: refresh, expiresIn: ends - now, expiresAt: UTCTime.text(ends),
            scope: grant.scopes.joined(separator: " "), user: Token.User(name: "alias \(grant.name)"))
    }

    func newSecrets() throws(DeviceStoreFailure) -> (alias: String, refresh: String) {
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
}
