package import AccessPolicy
package import TokenStore

/// The places of the device flow on the proxy's listener.
package enum DevicePlace: UInt8, Sendable, CaseIterable {
    /// `POST /oauth/device/code/` (RFC 8628 §3.1).
    case code
    /// `POST /oauth/token/` (RFC 8628 §3.4, RFC 6749 §6).
    case token
    /// `POST /oauth/revoke/` (RFC 7009).
    case revoke
    /// `GET /oauth/device/`: the page for people.
    case page
    /// `POST /oauth/device/`: its form.
    case decision
    /// `GET /.well-known/oauth-authorization-server` (RFC 8414).
    case metadata
}

/// One request to the device flow, taken out of HTTP.
package struct DeviceCall: Sendable {
    package var place: DevicePlace
    /// The form, as it came: it may hold a code or a token.
    package var form: Secret
    /// The target's query.
    package var query: [UInt8] = []
    package var client: IPAddress?
    /// The values of fields, cut; empty when they are not there.
    package var userAgent: [UInt8] = []
    package var host: [UInt8] = []
    package var origin: [UInt8] = []
    package var fetchSite: [UInt8] = []
    /// The client came over TLS.
    package var isSecure: Bool

    package init(place: DevicePlace, form: Secret, client: IPAddress?, isSecure: Bool) {
        self.place = place
        self.form = form
        self.client = client
        self.isSecure = isSecure
    }
}

/// What the exchange writes.
package struct DeviceAnswer: Sendable {
    package var status: Int
    package var type: StaticString
    /// Whole field lines besides those that each of these answers has.
    package var fields: String
    /// It may hold an alias.
    package var body: Secret

    package init(status: Int, type: StaticString = "application/json", fields: String = "", body: Secret) {
        self.status = status
        self.type = type
        self.fields = fields
        self.body = body
    }

    /// An error of RFC 6749 §5.2.
    package static func error(_ code: StaticString, status: Int = 400, fields: String = "") -> DeviceAnswer {
        DeviceAnswer(status: status, fields: fields, body: Secret(Array("{\"error\": \"\(code)\"}".utf8)))
    }
}
