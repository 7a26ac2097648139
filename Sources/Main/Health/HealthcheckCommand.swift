internal import ArgumentParser
internal import Glibc

struct HealthcheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "healthcheck", abstract: "Checks whether a running proxy is healthy.",
        discussion: "Prints one line and exits with 0 if it is, or 1 if not. For containers without a shell."
    )

    @Option(help: "The proxy's admin listener: addr:port or unix:PATH. [ADMIN_LISTEN; 127.0.0.1:9090]")
    var adminListen: String?
    @Flag(help: "Ask whether it can serve requests (/readyz), not only whether it is alive (/healthz).")
    var ready = false

    func run() throws {
        let result: AdminClient.Result
        do throws(Failure) {
            result = try AdminClient(AdminAddress(flag: adminListen)).ask(ready ? "/readyz" : "/healthz")
        } catch {
            error.exitProcess()
        }
        print(result.line)
        Glibc.exit(result.isHealthy ? 0 : 1)
    }
}
