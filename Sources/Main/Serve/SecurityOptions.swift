internal import ArgumentParser

/// The flags that tighten what is let through.
struct SecurityOptions: ParsableArguments {
    @Flag(
        help:
            "Refuse to start instead of warning: about a short alias, or a file of tokens, aliases or rights open to everybody. [STRICT=true]"
    )
    var strict = false
    @Option(
        help:
            "Names that the admin listener accepts in Host, separated by commas. [ADMIN_HOST; addresses, localhost, the host's name]"
    )
    var adminHost: String?
}
