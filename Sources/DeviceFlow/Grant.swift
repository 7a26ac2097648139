package import AccessPolicy

/// What was granted: an alias, or one after the other, until the grant ends. Secrets are there as digests alone.
package struct Grant: Sendable, Equatable, Codable {
    /// An alias of the grant.
    package struct Alias: Sendable, Equatable, Codable {
        /// SHA-256, in hexadecimal digits.
        package var digest: String
        /// Seconds since 1970, as all times here.
        package var ends: Int64
    }

    /// A refresh token of the grant.
    package struct Refresh: Sendable, Equatable, Codable {
        package var digest: String
        package var made: Int64
        /// Another one took its place.
        package var replaced: Int64?
    }

    /// The name of its aliases in log, metrics and `alias list`.
    package var name: String
    /// As behind an alias.
    package var words: [String]
    /// In Sentry's words.
    package var scopes: [String]
    /// What the client claims to be; proves nothing.
    package var client: String
    package var approver: String
    package var address: String
    package var made: Int64
    package var ends: Int64
    package var aliases: [Alias]
    package var refresh: [Refresh] = []

    /// Aliases that several processes of one client hold at a time, at most.
    static let mostAliases = 16
    static let mostRefresh = 32

    func isOver(_ now: Int64) -> Bool { ends <= now }
}

extension Grant {
    /// What the table of aliases gets; expired aliases are left out.
    package func entries(_ now: Int64) -> [AliasEntry] {
        var entries: [AliasEntry] = []
        for alias in aliases where alias.ends > now {
            guard let digest = TokenDigest(hexadecimal: alias.digest) else { continue }
            entries.append(
                AliasEntry(
                    name: entries.isEmpty ? name : "\(name)~\(entries.count + 1)", token: digest.bytes, isHashed: true,
                    words: words + ["expires=\(UTCTime.text(alias.ends))"], origin: .item(1)))
        }
        return entries
    }
}

/// RFC 3339 times in UTC.
package enum UTCTime {
    /// - Parameter seconds: since 1970.
    package static func text(_ seconds: Int64) -> String {
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let rest = seconds - days * 86_400
        // Civil from days, with the year reckoned from March.
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let calendarMonth = month < 10 ? month + 3 : month - 9
        let year = yearOfEra + era * 400 + (calendarMonth <= 2 ? 1 : 0)
        func two(_ number: Int64) -> String { (number < 10 ? "0" : "") + "\(number)" }
        return
            "\(year)-\(two(calendarMonth))-\(two(day))T\(two(rest / 3_600)):\(two(rest / 60 % 60)):\(two(rest % 60))Z"
    }
}
