internal import Glibc

/// Who else may get at a file that holds secrets or decides about rights.
enum FileAccess {
    /// One line for each way in that others than its owner and group have; none for a file that is not there.
    /// - Parameter isSecret: whether reading it is a way in, too.
    static func weaknesses(_ path: String, named name: String, isSecret: Bool = true) -> [String] {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return [] }
        let ways = isSecret ? [(S_IROTH, "read"), (S_IWOTH, "write")] : [(S_IWOTH, "write")]
        let open = ways.filter { status.st_mode & $0.0 != 0 }.map(\.1)
        guard !open.isEmpty else { return [] }
        return [
            "\(name): everybody on this host may \(open.joined(separator: " and ")) '\(path)': fix it with: chmod \(isSecret ? "o-rwx" : "o-w") '\(path)'"
        ]
    }
}
