internal import Glibc

/// The environment as values: trimmed, and unset when empty.
enum Environment {
    static func value(_ name: String) -> String? {
        getenv(name).flatMap { trimmed(String(cString: $0)) }
    }

    /// Whether it is set and holds nothing, as an unset `${VAR}` of a template leaves it.
    static func isBlank(_ name: String) -> Bool {
        getenv(name).map { trimmed(String(cString: $0)) == nil } ?? false
    }

    static func trimmed(_ text: String) -> String? {
        let isBlank: (Character) -> Bool = { $0.isWhitespace }
        guard let start = text.firstIndex(where: { !isBlank($0) }), let end = text.lastIndex(where: { !isBlank($0) })
        else { return nil }
        return String(text[start...end])
    }
}
