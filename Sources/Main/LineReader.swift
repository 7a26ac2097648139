internal import Glibc
internal import System

/// Reads a file or standard input line by line, of whatever size.
enum LineReader {
    /// Longer lines are none of this program's own; they are passed over.
    private static let mostBytes = 65_536

    /// - Parameters:
    ///   - path: `-` is standard input.
    ///   - name: the flag to blame.
    ///   - body: is given each line without its end.
    static func forEachLine(of path: String, named name: String, _ body: (Span<UInt8>) -> Void) throws(Failure) {
        guard let file = path == "-" ? fdopen(dup(STDIN_FILENO), "r") : fopen(path, "re") else {
            throw Failure(.configuration, "\(name): cannot read '\(path)': \(SystemError(code: errno).summary)")
        }
        defer { fclose(file) }
        var line: [UInt8] = []
        var isTooLong = false
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            for byte in chunk[..<count] {
                guard byte == UInt8(ascii: "\n") else {
                    if line.count < mostBytes { line.append(byte) } else { isTooLong = true }
                    continue
                }
                if !isTooLong { body(line.span) }
                line.removeAll(keepingCapacity: true)
                isTooLong = false
            }
            if count < chunk.count { break }
        }
        guard ferror(file) == 0 else {
            throw Failure(.configuration, "\(name): cannot read '\(path)': \(SystemError(code: errno).summary)")
        }
        if !isTooLong, !line.isEmpty { body(line.span) }
    }
}
