internal import ArgumentParser

/// The flags that tighten what is let through.
struct SecurityOptions: ParsableArguments {
    @Flag(
        help:
            "Refuse to start where a warning would do: a short alias, a token or alias file open to everybody. [STRICT=true]"
    )
    var strict = false
}
