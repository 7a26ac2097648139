internal import ArgumentParser

/// The flags of `serve` that say which route a request takes.
struct RouteOptions: ParsableArguments {
    @Option(
        help:
            "The only paths that are elevated, separated by semicolons, such as /api/0/. [ELEVATE_PATHS; every path in plain form]"
    )
    var elevatePaths: String?
}
