internal import ArgumentParser
internal import Glibc
internal import System

/// The flags that say where settings come from, and that ask about them instead of serving.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: "A file of settings, one 'name value' per line; flags and variables override it. [CONFIG_FILE]")
    var config: String?
    @Flag(
        help:
            "Read everything that a start reads, print every mistake or what would be in force, and exit with 0 or 78.")
    var checkConfig = false
    @Flag(help: "Print each setting, its value and where it comes from, and exit; secrets are not shown.")
    var printConfig = false

    /// Their own names, which no file of settings may hold.
    static let flags = ["--config", "--check-config", "--print-config"]
}

extension ConfigurationOptions {
    /// Nothing is to be started.
    var asksOnly: Bool { checkConfig || printConfig }

    /// Prints what was asked for and ends the process: 0, or 78 when something is wrong.
    func answer(_ options: ServeOptions) throws(Failure) {
        do throws(Failure) {
            try SettingSources.read(self)
        } catch {
            // A check tells all of them.
            guard checkConfig else { throw error }
        }
        if printConfig {
            print(SettingsListing(ProcessArguments.words ?? []).text, terminator: checkConfig ? "\n" : "")
        }
        if checkConfig { ConfigurationCheck(options, now: Int(time(nil))).end() }
        Glibc.exit(0)
    }
}
