internal import Glibc

/// Who else may get at a file that holds secrets.
enum FileAccess {
    /// One line for each way in that others than its owner and group have; none for a file that is not there.
    static func weaknesses(_ path: String, named name: String) -> [String] {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return [] }
        let open = [(S_IROTH, "read"), (S_IWOTH, "write")].filter { status.st_mode & $0.0 != 0 }.map(\.1)
        guard !open.isEmpty else { return [] }
        let ways = open.joined(separator: " and ")
        return ["\(name): everybody on this host may \(ways) '\(path)': fix it with: chmod o-rwx '\(path)'"]
    }
}
