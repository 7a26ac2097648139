internal import ArgumentParser
internal import Glibc
internal import System

@main
struct SentryAPIProxy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sentry-api-proxy",
        abstract: "A credential gateway for the Sentry API.",
        version: Version.lines,
        subcommands: [
            ServeCommand.self, AuthCommand.self, AliasCommand.self, DeviceCommand.self, PolicyCommand.self,
            HealthcheckCommand.self,
        ],
        defaultSubcommand: ServeCommand.self)

    /// Flags and variables whose values are secrets, or may hold one.
    private static let secretFlags = ["--token", "--alias-token", "--pgx-conn"]
    private static let secretVariables = [
        "SENTRY_TOKEN", "SENTRY_AUTH_TOKEN", "ALIAS_TOKENS", "PGX_CONN", "PGPASSWORD",
    ]

    /// Help, versions and completions are printed as usual; a mistake is one line.
    static func main() {
        let words = protectedWords()
        if let serve = plainServe(words) { return serve.run() }
        WholeCommand.answer(words)
        if let mistake = CommandWords.mistake(in: words, of: Self.self) { Failure(.usage, mistake).exitProcess() }
        do {
            var command = try parseAsRoot(words)
            try command.run()
        } catch {
            let code = exitCode(for: error)
            guard code == .validationFailure || code == .failure else { exit(withError: error) }
            let message = Self.message(for: error)
            let line = message.split(whereSeparator: \.isNewline).first.map(String.init) ?? "wrong arguments"
            Failure(.usage, "\(line) (see --help)").exitProcess()
        }
    }

    /// Almost every start: `serve`, named or not, with nothing but its flags.
    private static func plainServe(_ words: [String]) -> ServeCommand? {
        let isNamed = words.first == ServeCommand.configuration.commandName
        return PlainFlags.read(words.dropFirst(isNamed ? 1 : 0), as: ServeCommand.self)
    }

    /// The command line, once neither it nor the environment shows a secret to others any more.
    private static func protectedWords() -> [String] {
        ProcessLimits.refuseCoreDumps()
        MemoryLimits.shareHeapInLimitedAddressSpace()
        guard let words = ProcessArguments.words else {
            // To go on with defaults would be to serve everybody whatever was asked for.
            Failure(.system, "the command line was not handed over to the program; nothing is started").exitProcess()
        }
        ProcessArguments.conceal(flags: secretFlags)
        do throws(SystemError) {
            try ProcessArguments.conceal(variables: secretVariables)
        } catch {
            Failure(.system, "environment: \(error.summary)").exitProcess()
        }
        return words
    }
}
