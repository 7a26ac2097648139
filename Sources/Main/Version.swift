internal import AccessPolicy

/// The version of this program (semver.org).
enum Version {
    static let text = "0.1.0"

    /// For `--version`: the program's in the first line, then that of its table of operations.
    static let lines = "\(text)\nendpoints \(EndpointTable.builtInVersion)"
}
