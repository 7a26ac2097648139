package import System

/// The words after an alias: sets and limits.
package struct AliasWords: Sendable, Equatable {
    /// An organization or a project as it was typed, with the number that was pinned by hand, if any.
    package struct Name: Sendable, Hashable {
        package var slug: String
        package var id: UInt64?
    }

    /// The only set is `full`: everything, as without words.
    package private(set) var isFull = false
    package private(set) var sets: [String] = []
    package private(set) var withoutSets: [String] = []
    /// Only operations that are also in each of these lists.
    package private(set) var cuts: [[String]] = []
    /// What the sets come to is cut to what Sentry takes one of these scopes for; nil is no cut.
    package private(set) var scopes: ScopeSet?
    package private(set) var organizations: [Name] = []
    package private(set) var projects: [Name] = []
    package private(set) var limits = AliasLimits()

    /// What was wrong with a word. The word itself is in the message only when it cannot be a secret.
    package struct Problem: Error, Sendable, Equatable {
        package let message: String

        package init(_ message: String) { self.message = message }
    }

    private static let keys = [
        "org", "project", "within", "scopes", "expires", "rate", "concurrency", "mode", "shadow-until",
    ]

    /// - Parameter now: seconds since 1970, to refuse what has expired.
    package init(_ words: [String], sets known: PolicySets, now: Int64) throws(Problem) {
        var given: Set<String> = []
        for (index, word) in words.enumerated() {
            let place = Self.shown(word) ?? "word \(index + 1) behind the alias"
            guard let equals = word.firstIndex(of: "=") else {
                try readSet(word, place, known, &given)
                continue
            }
            let key = String(word[..<equals])
            guard Self.keys.contains(key) else {
                throw Problem("\(place): expected a set or \(Self.keys.joined(separator: "=, "))=")
            }
            let value = String(word[word.index(after: equals)...])
            if key == "within" {
                // One for each who may narrow: it stands as often as it likes.
                cuts.append(try Self.cut(value, known))
                continue
            }
            guard given.insert(key).inserted else { throw Problem("\(key)= was given before") }
            try read(key, value, now)
        }
        try check(given)
    }

    private mutating func readSet(
        _ word: String, _ place: String, _ known: PolicySets, _ given: inout Set<String>
    ) throws(Problem) {
        let isTakenAway = word.hasPrefix("-")
        let name = isTakenAway ? String(word.dropFirst()) : word
        guard name == "full" && !isTakenAway || known.expanded(name) != nil else {
            throw Problem("\(place): there is no such set; see sentry-api-proxy policy table --sets")
        }
        guard known.named[name]?.operations.isEmpty != true else {
            throw Problem(
                "\(place): no operation of this set is in the table (--endpoint-table); see policy table --sets")
        }
        guard given.insert(name).inserted else { throw Problem("\(name) was given before") }
        if name == "full" {
            isFull = true
        } else if isTakenAway {
            withoutSets.append(name)
        } else {
            sets.append(name)
        }
    }

    private mutating func read(_ key: String, _ value: String, _ now: Int64) throws(Problem) {
        switch key {
        case "org": organizations = try Self.names(value, key)
        case "project": projects = try Self.names(value, key)
        case "scopes":
            var held: ScopeSet = []
            for name in value.split(separator: ",", omittingEmptySubsequences: false) {
                guard let scope = ScopeSet(closedUnder: String(name)) else {
                    throw Problem("scopes='\(value.prefix(40))': expected scopes of Sentry, with commas between them")
                }
                held.formUnion(scope)
            }
            scopes = held
        case "expires":
            guard let time = Timestamp.seconds(value) else {
                throw Problem("expires='\(value.prefix(40))': expected a day such as 2027-01-31, or RFC 3339 time")
            }
            guard time > now else { throw Problem("expires=\(value): that time has passed") }
            limits.expires = time
        case "rate":
            guard let rate = RateLimit(value) else {
                throw Problem(
                    "rate='\(value.prefix(40))': expected N/s or N/m with N from 1, and perhaps :BURST from 1")
            }
            limits.rate = rate
        case "concurrency":
            guard let number = Int32(value), number > 0, value.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else {
                throw Problem("concurrency='\(value.prefix(40))': expected a number from 1")
            }
            limits.concurrency = number
        case "mode":
            guard value == "enforce" || value == "shadow" else {
                throw Problem("mode='\(value.prefix(40))': expected enforce or shadow")
            }
            limits.isShadow = value == "shadow"
        default:
            guard let time = Timestamp.seconds(value) else {
                throw Problem("shadow-until='\(value.prefix(40))': expected a day such as 2027-01-31, or RFC 3339 time")
            }
            limits.shadowUntil = time
        }
    }

    private func check(_ given: Set<String>) throws(Problem) {
        if isFull, !sets.isEmpty || !withoutSets.isEmpty { throw Problem("'full' can be combined only with limits") }
        guard isFull || !sets.isEmpty else { throw Problem("limits alone need a set, or the word full") }
        if !projects.isEmpty, organizations.count != 1 { throw Problem("project= needs exactly one org=") }
        if limits.shadowUntil != nil, !limits.isShadow { throw Problem("shadow-until= needs mode=shadow") }
    }

    private static func cut(_ value: String, _ known: PolicySets) throws(Problem) -> [String] {
        let names = value.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        for name in names where known.expanded(name) == nil {
            throw Problem("within='\(value.prefix(40))': expected sets, with commas between them")
        }
        return names
    }

    private static func names(_ value: String, _ key: String) throws(Problem) -> [Name] {
        var names: [Name] = []
        for item in value.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = item.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let slug = String(parts[0])
            var id: UInt64?
            if parts.count == 2 {
                guard let number = UInt64(parts[1]), number > 0, String(number) == parts[1] else {
                    throw Problem("\(key)=: expected SLUG:NUMBER")
                }
                id = number
            }
            guard isSlug(slug) else {
                throw Problem(
                    "\(key)=: expected slugs of letters, digits, - and _, separated by commas, and no id in place of a slug"
                )
            }
            guard !names.contains(where: { $0.slug == slug }) else {
                throw Problem("\(key)=: \(slug) was given before")
            }
            names.append(Name(slug: slug, id: id))
        }
        return names
    }

    static func isSlug(_ text: String) -> Bool {
        let isMade = text.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        return isMade && 1...100 ~= text.utf8.count && !text.utf8.allSatisfy { 0x30...0x39 ~= $0 }
    }

    /// The word, quoted, unless it might be an alias or a token that stands in the wrong place.
    private static func shown(_ word: String) -> String? {
        let isHarmless = word.utf8.allSatisfy {
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ":")
                || $0 == UInt8(ascii: "=")
        }
        return isHarmless && word.utf8.count <= 24 ? "'\(word)'" : nil
    }
}

/// What bounds an alias besides its operations.
package struct AliasLimits: Sendable, Equatable {
    /// When the alias expires, in seconds since 1970.
    package var expires: Int64?
    package var rate: RateLimit?
    /// Requests in flight.
    package var concurrency: Int32?
    /// Requests that would be refused are counted and logged, but forwarded.
    package var isShadow = false
    /// Seconds since 1970 from which on refusals are enforced.
    package var shadowUntil: Int64?

    package init() {}

    /// Whether refusals are still forwarded.
    /// - Parameter now: seconds since 1970.
    package func isShadowing(at now: Int64) -> Bool { isShadow && now < shadowUntil ?? .max }
}

/// `rate=N/s:BURST`: one request each `interval` in the long run, `burst` at once.
package struct RateLimit: Sendable, Equatable {
    package let interval: Duration
    package let burst: UInt32

    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard 1...2 ~= parts.count else { return nil }
        let rate = parts[0].split(separator: "/", omittingEmptySubsequences: false)
        guard rate.count == 2, let count = Self.number(rate[0]) else { return nil }
        let unit: Duration
        switch rate[1] {
        case "s": unit = .seconds(1)
        case "m": unit = .minutes(1)
        default: return nil
        }
        interval = unit / Int(count)
        if parts.count == 2 {
            guard let given = Self.number(parts[1]) else { return nil }
            burst = given
        } else {
            burst = count
        }
    }

    private static func number(_ text: Substring) -> UInt32? {
        guard text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let number = UInt32(text), 1...1_000_000 ~= number else {
            return nil
        }
        return number
    }
}
