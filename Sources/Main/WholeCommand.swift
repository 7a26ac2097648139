internal import ArgumentParser

/// The command line as people see it: the flags of `serve` stand beside the commands, because its name may be left out.
///
/// Only help and completions come from it. To parse by it would let a flag of `serve` pass in front of another command.
struct WholeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sentry-api-proxy",
        abstract: SentryAPIProxy.configuration.abstract,
        discussion:
            "Without a command, it starts the proxy with the options below. Brackets show each option's variable and default. A flag overrides its variable.",
        version: Version.text,
        subcommands: SentryAPIProxy.configuration.subcommands)

    @OptionGroup var options: ServeOptions

    private static let requests = ["--help", "-h", "help", "--generate-completion-script"]

    /// Answers a request for help or completions of the whole, and ends the process then.
    static func answer(_ words: [String]) {
        guard let first = words.first,
            let request = requests.first(where: { first == $0 || first.hasPrefix("\($0)=") }),
            request != "help" || words.count == 1
        else { return }
        do {
            var command = try parseAsRoot(request == "help" ? ["--help"] : words)
            try command.run()
            exit()
        } catch {
            exit(withError: error)
        }
    }
}
