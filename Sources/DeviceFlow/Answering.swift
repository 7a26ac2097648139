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

    func json(_ value: some Encodable) -> DeviceAnswer {
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
