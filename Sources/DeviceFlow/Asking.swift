internal import AccessPolicy
internal import System
internal import TokenStore

/// `POST /oauth/device/code/`: a client asks for a code (RFC 8628 §3.1), and what approving it comes to.
extension DeviceAuthorizer {
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

    func code(_ form: FormParameters, _ call: DeviceCall) -> DeviceAnswer {
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
        if let wait = asks.spend(call.client, now: doors.instant()) { return slowDown(wait) }
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
            switch try store.add(code, most: DeviceFlowSettings.mostWaiting, now: now) {
            case .added: break
            case .full: return slowDown(.seconds(60))
            case .denied:
                note(.refused, [("client_addr", address), ("reason", "denied")])
                return .error("access_denied", status: 403)
            }
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

    private func slowDown(_ wait: Duration) -> DeviceAnswer {
        .error("slow_down", status: 429, fields: "Retry-After: \(wait.secondsRoundedUp)\r\n")
    }

    var unavailable: DeviceAnswer {
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

    /// - Parameter taken: names of grants that are not known here yet.
    func freeName(_ wanted: String, besides taken: Set<String> = []) -> String {
        var name = wanted
        var number = 2
        while taken.contains(name) || isNameTaken(name) {
            name = "\(wanted)-\(number)"
            number += 1
        }
        return name
    }
}
