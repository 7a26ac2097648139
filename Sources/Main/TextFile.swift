internal import Glibc
internal import System

/// Small files, read whole.
enum TextFile {
    /// Aliases and rights.
    static let mostBytes = 16_777_216

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
        guard let file = fopen(path, "re") else {
            throw Failure(.configuration, "\(name): cannot read '\(path)': \(SystemError(code: errno).summary)")
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= mostBytes else {
                throw Failure(.configuration, "\(name): '\(path)' is larger than \(mostBytes) bytes")
            }
            if count < chunk.count { break }
        }
        if ferror(file) != 0 {
            throw Failure(.configuration, "\(name): cannot read '\(path)': \(SystemError(code: errno).summary)")
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
