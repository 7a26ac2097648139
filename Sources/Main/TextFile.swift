internal import Glibc
internal import System

/// Small files, read whole.
enum TextFile {
    /// Aliases and rights.
    static let mostBytes = 16_777_216
    /// For the writer of a pipe: whoever reads may have to see a signal.
    private static let longestWait: Duration = .seconds(10)

    /// `text` with these lines blank; the others keep their numbers.
    static func text(_ text: String, of path: String, without lines: Set<Failure.FileLine>) -> String {
        guard !lines.isEmpty else { return text }
        let kept = text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map { index, line in
            lines.contains(Failure.FileLine(path: path, number: index + 1)) ? "" : String(line)
        }
        return kept.joined(separator: "\n")
    }

    /// - Parameter named: the flag or variable to blame.
    static func read(_ path: String, mostBytes: Int, named name: String) throws(Failure) -> String {
        func refused(_ why: String) -> Failure { Failure(.configuration, "\(name): cannot read '\(path)': \(why)") }
        // O_NONBLOCK: opening a FIFO must not wait for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw refused(SystemError(code: errno).summary) }
        defer { close(descriptor) }
        let end = Clock.now + longestWait
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            // A pipe is ready when its writer has come, and has written or gone; a file always is.
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let wait = CInt(clamping: (end - Clock.now).millisecondsRoundedUp)
            let polled = poll(&ready, 1, wait)
            if polled == 0 { throw refused("it is a pipe, and its end did not come within \(longestWait.seconds) s") }
            let count = polled < 0 ? -1 : Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count >= 0 else { throw refused(SystemError(code: errno).summary) }
            if count == 0 { break }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= mostBytes else {
                throw Failure(.configuration, "\(name): '\(path)' is larger than \(mostBytes) bytes")
            }
        }
        // Editors on Windows put a byte order mark in front, which is no part of the first line.
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes.removeFirst(3) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            let isWide = bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff])
            throw Failure(
                .configuration, "\(name): '\(path)' is not UTF-8 text\(isWide ? " but UTF-16: save it as UTF-8" : "")")
        }
        return text
    }
}
