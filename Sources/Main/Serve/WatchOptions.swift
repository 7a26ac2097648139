internal import ArgumentParser

/// The flag that makes changed files be picked up without a signal.
struct WatchOptions: ParsableArguments {
    @Option(help: "Pick up changed alias, policy and TLS files without a signal: on or off. [WATCH_FILES; on]")
    var watchFiles: String?
}

extension WatchOptions {
    /// Whether files are watched.
    func isOn() throws(Failure) -> Bool {
        try Setting("--watch-files", "WATCH_FILES")
            .parsed(watchFiles, expected: "on or off") { ["on": true, "off": false][$0.lowercased()] } ?? true
    }
}
