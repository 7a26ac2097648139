internal import AccessPolicy
internal import ArgumentParser
internal import ProxyServer

/// Who may say where a request comes from, and how.
struct ClientAddressOptions: ParsableArguments {
    @Option(
        help:
            "Load balancers trusted to report a client's address: addresses, networks or unix, separated by commas. [TRUSTED_PROXIES]"
    )
    var trustedProxies: String?
    @Flag(help: "Connections of trusted proxies begin with a PROXY header, version 1 or 2. [PROXY_PROTOCOL=true]")
    var proxyProtocol = false
}

/// The same, checked.
struct ClientAddressSettings {
    private(set) var trusted = TrustedProxies()
    let proxyProtocol: Bool

    init(_ options: ClientAddressOptions) throws(Failure) {
        if let given = Setting("--trusted-proxies", "TRUSTED_PROXIES").given(options.trustedProxies) {
            for item in given.value.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
                guard trusted.add(String(item)) else {
                    throw Failure(
                        given.status,
                        "\(given.name): '\(item)' is not an address, a network such as 10.0.0.0/8 without bits beyond its prefix, or unix"
                    )
                }
            }
        }
        let switchedOn = try Setting("--proxy-protocol", "PROXY_PROTOCOL").switchedOn(options.proxyProtocol)
        proxyProtocol = switchedOn != nil
        if let switchedOn, trusted.isEmpty {
            throw Failure(
                switchedOn.status, "\(switchedOn.name): needs --trusted-proxies: anybody could send a header")
        }
    }
}
