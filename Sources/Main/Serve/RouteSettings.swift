internal import AccessPolicy

/// Which route a request takes, as the operator set it.
struct RouteSettings {
    let elevatedPaths: ElevatedPaths
    /// The only ones that are elevated; empty is every one in plain form.
    let chosenPaths: [String]
    let hasBypass: Bool
    let tellsClientOnBypass: Bool
    private let allowedOrigins: [String]
    private let allowedHosts: [String]

    /// - Parameter uri: the upstream, whose path is a part of every path.
    init(_ options: RouteOptions, _ uri: SentryURI) throws(Failure) {
        let chosen = try Setting("--elevate-paths", "ELEVATE_PATHS")
            .parsed(
                options.elevatePaths,
                expected: "a list of paths such as /api/0/, each with a slash at both ends and in plain form",
                Self.list { ElevatedPaths.isChoice(Array($0.utf8)) })
        chosenPaths = chosen ?? []
        elevatedPaths = ElevatedPaths(
            upstreamPrefix: Array(uri.pathPrefix.utf8), chosen: chosenPaths.map { Array($0.utf8) })
        hasBypass =
            try Setting("--bypass", "BYPASS").parsed(options.bypass, expected: "on or off", Quantities.switched) ?? true
        tellsClientOnBypass =
            try Setting("--bypass-forwarded-for", "BYPASS_FORWARDED_FOR")
            .parsed(options.bypassForwardedFor, expected: "on or off", Quantities.switched) ?? false
        allowedOrigins =
            try Setting("--allow-origin", "ALLOW_ORIGIN")
            .parsed(
                options.allowOrigin, expected: "a list of origins such as https://app.example",
                Self.list(OpenGuard.isOrigin)) ?? []
        allowedHosts =
            try Setting("--allow-host", "ALLOW_HOST")
            .parsed(
                options.allowHost, expected: "a list of names such as proxy.example or .example, without ports",
                Self.list(OpenGuard.isHost)) ?? []
    }

    /// Reads `a;b`, of which each must be so.
    private static func list(_ isElement: @escaping (String) -> Bool) -> (String) -> [String]? {
        { text in
            let parts = text.split(separator: ";", omittingEmptySubsequences: false)
                .map { Environment.trimmed(String($0)) ?? "" }
            return parts.allSatisfy(isElement) ? parts : nil
        }
    }

    func openGuard(_ publicURL: PublicURL?) -> OpenGuard {
        OpenGuard(origins: allowedOrigins, hosts: allowedHosts, publicURL: publicURL)
    }
}

extension ServePlan {
    /// What requests are judged by, with these aliases.
    /// - Parameter old: the rights that these take the place of.
    func policy(
        _ aliases: AliasTable?, endpoints version: String, after old: RightsInForce? = nil
    ) -> PolicyConfiguration {
        PolicyConfiguration(
            aliases: aliases, endpointsVersion: version, maxBodyBytes: maxBody, elevatedPaths: routes.elevatedPaths,
            hasBypass: routes.hasBypass,
            openGuard: routes.openGuard(publicURL), after: old)
    }
}
