internal import ArgumentParser
internal import Glibc

@main
struct SentryAPIProxy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sentry-api-proxy",
        abstract: "A credential gateway in front of the Sentry API.",
        version: Version.text,
        subcommands: [ServeCommand.self, AuthCommand.self, AliasCommand.self, HealthcheckCommand.self],
        defaultSubcommand: ServeCommand.self)

    /// Help, versions and completions are printed as usual; a mistake is one line.
    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            let code = exitCode(for: error)
            guard code == .validationFailure || code == .failure else { exit(withError: error) }
            let message = Self.message(for: error)
            let line = message.split(whereSeparator: \.isNewline).first.map(String.init) ?? "wrong arguments"
            Failure(.usage, "\(line) (see --help)").exitProcess()
        }
    }
}
