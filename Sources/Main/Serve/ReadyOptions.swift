internal import ArgumentParser

/// The flag that says what `/readyz` asks for.
struct ReadyOptions: ParsableArguments {
    @Option(help: "What /readyz requires: token, or upstream (also a recent answer from it). [READY_CHECK; token]")
    var readyCheck: String?
}

/// The same, checked.
struct ReadySettings {
    private enum Check: String { case token, upstream }

    let asksUpstream: Bool

    init(_ options: ReadyOptions) throws(Failure) {
        asksUpstream =
            try Setting("--ready-check", "READY_CHECK")
            .parsed(options.readyCheck, expected: "token or upstream", Quantities.word) == Check.upstream
    }
}
