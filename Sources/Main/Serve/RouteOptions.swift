internal import ArgumentParser

/// The flags of `serve` that say which route a request takes.
struct RouteOptions: ParsableArguments {
    @Option(
        help:
            "The only paths that are elevated, separated by semicolons, such as /api/0/. [ELEVATE_PATHS; every path in plain form]"
    )
    var elevatePaths: String?
    @Option(help: "Whether requests without an alias go upstream unchanged: on, or off (401). [BYPASS; on]")
    var bypass: String?
    @Option(help: "On the bypass, send the client's address as X-Forwarded-For: on or off. [BYPASS_FORWARDED_FOR; off]")
    var bypassForwardedFor: String?
    @Option(
        help: "Without aliases: origins that a request may have, separated by semicolons. [ALLOW_ORIGIN; none]")
    var allowOrigin: String?
    @Option(
        help:
            "Without aliases: more names that Host may have, or .domain for all under it, separated by semicolons. [ALLOW_HOST; none]"
    )
    var allowHost: String?
}
