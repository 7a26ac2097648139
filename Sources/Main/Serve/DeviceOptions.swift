internal import ArgumentParser

/// The flags of the device flow (RFC 8628) that the proxy answers itself.
struct DeviceOptions: ParsableArguments {
    @Option(help: "Serve the OAuth device flow, which hands out narrowed aliases: on or off. [DEVICE_FLOW; off]")
    var deviceFlow: String?
    @Option(
        help:
            "The most that the device flow grants: sets, org=, project=, rate=, as on the line of an alias. [DEVICE_POLICY; read-only]"
    )
    var devicePolicy: String?
    @Option(help: "How long a grant lasts, at most 30d. [DEVICE_LIFETIME; 12h]")
    var deviceLifetime: String?
    @Option(
        help:
            "Who approves: admin (over the admin listener), code (on the page, with an approval code) or none. [DEVICE_APPROVAL; admin]"
    )
    var deviceApproval: String?
    @Option(
        help:
            "Who may request a code: addresses and networks, separated by commas; --device-approval none needs it. [DEVICE_FROM; everybody]"
    )
    var deviceFrom: String?
    @Option(help: "Issue one-hour aliases with refresh tokens until the grant ends: on or off. [DEVICE_REFRESH; off]")
    var deviceRefresh: String?
    @Option(help: "A file of people with their own approval codes, one 'name sha256:…' per line. [APPROVERS_FILE]")
    var approversFile: String?
    @Option(
        help:
            "A file with a secret that device and alias commands must present; the admin listener may then be off loopback. [ADMIN_TOKEN_FILE]"
    )
    var adminTokenFile: String?
}
