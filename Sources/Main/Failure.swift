internal import Glibc

/// Why a command ends, and with which status of sysexits(3).
struct Failure: Error {
    enum Status: Int32 {
        /// The command was used wrongly: a flag or its value.
        case usage = 64
        /// Input data was not right.
        case data = 65
        /// A host name is not known.
        case noHost = 68
        /// Something needed is unavailable now, such as a port.
        case unavailable = 69
        case system = 71
        /// Not allowed.
        case noPermission = 77
        /// What the environment or a file says is wrong.
        case configuration = 78
    }

    let status: Status
    /// One line: where, what was wrong, what to do.
    let message: String
    /// The line that is to blame, when it is one of a file of aliases or rights.
    let line: FileLine?

    /// A line of a file, counted from 1.
    struct FileLine: Hashable {
        let path: String
        let number: Int
    }

    init(_ status: Status, _ message: String, line: FileLine? = nil) {
        self.status = status
        self.message = message
        self.line = line
    }

    /// Says it on stderr and ends the process.
    func exitProcess() -> Never {
        Self.say(message)
        exit(status.rawValue)
    }

    /// Says one line on stderr.
    static func say(_ message: String) {
        let line = Array("sentry-api-proxy: \(message)\n".utf8)
        _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
