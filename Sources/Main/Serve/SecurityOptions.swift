internal import ArgumentParser

/// The flags that tighten what is let through.
struct SecurityOptions: ParsableArguments {
    @Flag(
        help:
            "Refuse to start where a warning would do: a short alias, a token or alias file open to everybody. [STRICT=true]"
    )
    var strict = false
    @Option(
        help:
            "Names by which the admin listener may be asked, separated by commas. [ADMIN_HOST; addresses, localhost, the host's name]"
    )
    var adminHost: String?
}
