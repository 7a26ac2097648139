internal import System

/// What an alias may do, in words for people. It holds no alias.
package struct AliasSummary: Sendable {
    package let name: String
    package let may: String
    /// In words; empty when there are none.
    package let limits: [String]

    package init(_ aliases: AliasTable, at index: Int) {
        name = aliases.name(at: index)
        guard let rights = aliases.rights else {
            (may, limits) = (Self.everything, [])
            return
        }
        let record = rights.aliases[index]
        may = record.isNarrowed ? rights.string(rights.rights[Int(record.rights)].words) : Self.everything
        limits = record.limits.words
    }

    private static let everything = "all that the token may"
}

extension AliasLimits {
    /// Each in words.
    var words: [String] {
        var words: [String] = []
        if let expires { words.append("until \(Timestamp.text(expires))") }
        if let rate { words.append(rate.words) }
        if let concurrency { words.append("\(concurrency) at a time") }
        if isShadow {
            words.append(
                shadowUntil.map { "refuses nothing until \(Timestamp.text($0))" } ?? "refuses nothing (shadow)")
        }
        return words
    }
}

extension RateLimit {
    /// Such as `10 a second, 20 at once`.
    package var words: String {
        let (second, interval) = (Duration.seconds(1).nanoseconds, interval.nanoseconds)
        let rate =
            interval <= second && second % interval == 0
            ? "\(second / interval) a second" : "\((60 * second + interval / 2) / interval) a minute"
        return "\(rate), \(burst) at once"
    }
}
