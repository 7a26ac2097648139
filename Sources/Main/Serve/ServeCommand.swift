internal import AccessPolicy
internal import ArgumentParser
internal import EventLoop
internal import Glibc
internal import Logging
internal import ProxyServer
internal import TokenStore

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Starts the proxy.",
        discussion:
            "Each flag has an environment variable and a default, in brackets. A flag wins over its variable, and that over --config."
    )

    @OptionGroup var options: ServeOptions

    func run() {
        do throws(Failure) {
            if options.configuration.asksOnly { try options.configuration.answer(options) }
            let signals = try SignalInbox.start()
            try SettingSources.read(options.configuration)
            try Service(ServePlan(options)).run(signals)
        } catch {
            error.exitProcess()
        }
    }
}
