internal import CEpoll

/// The command line and the environment as the process was started with them.
package enum ProcessArguments {
    /// The words behind the program's name; nil when they were not handed over. `CommandLine.arguments` reads them from
    /// /proc in a static build, and is empty without a word where that fails.
    package static var words: [String]? {
        let count = cepoll_argument_count()
        guard count > 0 else { return nil }
        // Argument vector and strings live as long as the process, and the index is below the count.
        return (1..<max(1, count)).map { String(cString: cepoll_argument($0)) }
    }

    /// Overwrites the values of these flags (`--token VALUE`, `--token=VALUE`) where ps(1) shows them; `words` must have
    /// been read before.
    package static func conceal(flags: [String]) {
        guard let words else { return }
        var isValue = false
        for (index, word) in words.enumerated() {
            if isValue {
                cepoll_conceal_argument(CInt(index + 1), 0)
                isValue = false
            } else if let flag = flags.first(where: { word.hasPrefix("\($0)=") }) {
                cepoll_conceal_argument(CInt(index + 1), flag.utf8.count + 1)
            } else {
                isValue = flags.contains(word)
            }
        }
    }

    /// Overwrites the values of these variables where /proc/PID/environ shows them; getenv(3) goes on giving them. To be
    /// called before there are other threads.
    package static func conceal(variables: [String]) throws(SystemError) {
        for name in variables { _ = try checked(cepoll_conceal_variable(name)) }
    }
}
