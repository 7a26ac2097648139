internal import AccessPolicy

/// Which route a request takes, as the operator set it.
struct RouteSettings {
    let elevatedPaths: ElevatedPaths

    /// - Parameter uri: the upstream, whose path is a part of every path.
    init(_ options: RouteOptions, _ uri: SentryURI) throws(Failure) {
        let chosen = try Setting("--elevate-paths", "ELEVATE_PATHS")
            .parsed(
                options.elevatePaths,
                expected: "a list of paths such as /api/0/, each with a slash at both ends and in plain form"
            ) { text in
                let paths = text.split(separator: ";", omittingEmptySubsequences: false)
                    .map { Array((Environment.trimmed(String($0)) ?? "").utf8) }
                return paths.allSatisfy(ElevatedPaths.isChoice) ? paths : nil
            }
        elevatedPaths = ElevatedPaths(upstreamPrefix: Array(uri.pathPrefix.utf8), chosen: chosen ?? [])
    }
}

extension ServePlan {
    /// What requests are judged by, with these aliases.
    /// - Parameter old: the rights that these take the place of.
    func policy(_ aliases: AliasTable?, after old: RightsInForce? = nil) -> PolicyConfiguration {
        PolicyConfiguration(
            aliases: aliases, maxBodyBytes: maxBody, elevatedPaths: routes.elevatedPaths, after: old)
    }
}
