internal import Glibc

/// What commands say to people, on stderr; results go to stdout.
enum Terminal {
    /// Whether control codes may be written.
    static var isInteractive: Bool {
        isatty(STDERR_FILENO) == 1 && Environment.value("TERM").map { $0 != "dumb" } ?? false
    }

    static func note(_ text: String) {
        write("\(text)\n")
    }

    /// Shows `text` in place of the line before; on a terminal only.
    static func showLine(_ text: String) {
        write("\r\u{1b}[K\(text)")
    }

    static func clearLine() {
        write("\r\u{1b}[K")
    }

    /// On SIGINT, SIGTERM and SIGHUP wipes the waiting line before the signal does what it always does.
    static func clearLineOnSignals() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            // Only calls that signal-safety(7) allows; the text is so short that it needs no memory.
            signal(number) { number in
                _ = Glibc.write(STDERR_FILENO, "\r\u{1b}[K", 4)
                signal(number, SIG_DFL)
                raise(number)
            }
        }
    }

    static func defaultSignals() {
        for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_DFL) }
    }

    private static func write(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
