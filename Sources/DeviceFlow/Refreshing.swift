internal import AccessPolicy
internal import TokenStore

/// `POST /oauth/token/` with a refresh token (RFC 6749 §6).
extension DeviceAuthorizer {
    private enum Renewed {
        case invalid
        case scope
        case replayed(String)
        case renewed(Grant, refresh: String)
    }

    /// A 400 makes the client forget its login, so it is said only of what has really ended; everything else closes the
    /// connection without an answer.
    func renew(_ form: FormParameters) -> DeviceAnswer? {
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
}
