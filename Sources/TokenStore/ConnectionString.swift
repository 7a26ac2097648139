internal import CPostgres

/// How pgx was told to run queries. Sentry's token is read with one simple query (`PQsendQuery`) whatever the mode is:
///
/// | `default_query_exec_mode` | what pgx does | here |
/// |---|---|---|
/// | `cache_statement` (its default) | prepares, and keeps the named statement | simple query; nothing is prepared, so there is nothing to keep |
/// | `cache_describe` | describes with the unnamed statement, keeps that | the same |
/// | `describe_exec` | describes on every execution | the same |
/// | `exec` | extended protocol, one round trip, no description | the same |
/// | `simple_protocol` | simple query | the same |
///
/// The first two only make repeated queries faster, the last two exist for poolers such as PgBouncer in transaction
/// mode. One query without parameters on a fresh connection meets what each of them promises.
package enum QueryExecMode: String, Sendable, CaseIterable {
    case cacheStatement = "cache_statement"
    case cacheDescribe = "cache_describe"
    case describeExec = "describe_exec"
    case exec
    case simpleProtocol = "simple_protocol"
}

/// A PostgreSQL connection string that libpq will take: pgx's own parameters are out of it, names are known and the
/// values that can be checked without a connection are good. Holds a password, perhaps: never prints.
package struct ConnectionString: Sendable {
    /// What libpq gets; not NUL-terminated.
    package let forLibpq: Secret
    package let execMode: QueryExecMode
    /// pgx's other parameters that were there: taken out and without effect, since there is no pool and no cache.
    package let ignored: [String]

    /// Takes the URL form, the key=value form, or nothing at all: then libpq's `PG*` variables, service file and
    /// passfile say everything.
    package init(_ text: String) throws(ConnectionStringError) {
        var bytes = Array(text.utf8)
        defer { wipe(&bytes) }
        guard !bytes.contains(0) else { throw .syntax("it holds a NUL byte") }
        let known = Self.libpqKeywords()
        let isURL = URLForm.begins(bytes)
        var parameters = try isURL ? URLForm.parameters(bytes) : KeyValueForm.parameters(bytes)

        var mode = QueryExecMode.cacheStatement
        var ignored: [String] = []
        for (index, parameter) in parameters.enumerated() {
            let name = parameter.name
            if let kind = PgxParameters.table[name] {
                parameters[index].isForLibpq = false
                let value = String(decoding: parameter.value, as: UTF8.self)
                guard kind.accepts(value) else { throw .badValue(name: name, expected: kind.expected) }
                if kind == .execMode { mode = QueryExecMode(rawValue: value) ?? mode } else { ignored.append(name) }
            } else if !known.contains(name), !(isURL && name == "ssl") {
                throw .unknownParameter(name: printable(name), hint: PgxParameters.hint(name))
            }
        }
        if isURL { try Self.refuseDifferentTwice(parameters) }

        var kept = isURL ? URLForm.rebuilt(bytes, parameters) : KeyValueForm.rebuilt(parameters)
        defer { wipe(&kept) }
        execMode = mode
        self.ignored = ignored
        forLibpq = Secret(kept)
        try Self.parseByLibpq(forLibpq)
    }

    /// In a URL, the last of several wins with libpq and the first with pgx: two that differ are a mistake in either. In
    /// the key=value form both take the last.
    private static func refuseDifferentTwice(_ parameters: [ConnectionParameter]) throws(ConnectionStringError) {
        for (index, parameter) in parameters.enumerated() {
            for earlier in parameters[..<index] where earlier.name == parameter.name {
                guard earlier.value == parameter.value else { throw .differentTwice(name: parameter.name) }
            }
        }
    }

    /// Gives `body` the string as C wants it, and wipes that copy.
    func withCString<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
        var copy: [UInt8] = []
        copy.reserveCapacity(forLibpq.count + 1)
        forLibpq.withBytes { bytes in
            for index in 0..<bytes.count { copy.append(bytes[index]) }
        }
        copy.append(0)
        defer { wipe(&copy) }
        return copy.withUnsafeBytes { body($0.baseAddress!.assumingMemoryBound(to: CChar.self)) }
    }

    private static func parseByLibpq(_ text: Secret) throws(ConnectionStringError) {
        var message: UnsafeMutablePointer<CChar>?
        let options = ConnectionString(checked: text).withCString { PQconninfoParse($0, &message) }
        defer { if let message { PQfreemem(message) } }
        guard let options else {
            throw .refusedByLibpq(message.map { withoutQuotedText(String(cString: $0)) } ?? "out of memory")
        }
        defer { PQconninfoFree(options) }
        // Looked at here, because a URL may hold a host or a port before its query as well.
        for (name, value) in Self.entries(options) {
            guard let value, let rule = LibpqValues.table[name] else { continue }
            guard rule.accepts(String(cString: value)) else { throw .badValue(name: name, expected: rule.expected) }
        }
    }

    private init(checked text: Secret) {
        forLibpq = text
        execMode = .cacheStatement
        ignored = []
    }

    /// Every keyword that this libpq knows.
    private static func libpqKeywords() -> Set<String> {
        guard let options = PQconninfoParse("", nil) else { return [] }
        defer { PQconninfoFree(options) }
        return Set(entries(options).map(\.name))
    }

    /// The array's names and values; it ends with an entry whose keyword is NULL (libpq-fe.h).
    private static func entries(
        _ options: UnsafeMutablePointer<PQconninfoOption>
    ) -> [(name: String, value: UnsafeMutablePointer<CChar>?)] {
        var entries: [(name: String, value: UnsafeMutablePointer<CChar>?)] = []
        var option = options
        while let keyword = option.pointee.keyword {
            entries.append((String(cString: keyword), option.pointee.val))
            option += 1
        }
        return entries
    }
}

/// Why a connection string is refused. Names parameters, never values: a password may be among them.
package enum ConnectionStringError: Error, Sendable, Equatable {
    case unknownParameter(name: String, hint: String?)
    case badValue(name: String, expected: String)
    case differentTwice(name: String)
    case syntax(String)
    /// libpq's own words, without what it quotes.
    case refusedByLibpq(String)

    /// One line, to follow the flag's name.
    package var message: String {
        switch self {
        case .unknownParameter(let name, let hint):
            "unknown parameter '\(name)'" + (hint.map { "; \($0)" } ?? "; expected a parameter of libpq or pgx")
        case .badValue(let name, let expected): "parameter '\(name)': expected \(expected)"
        case .differentTwice(let name): "parameter '\(name)' is given twice with different values"
        case .syntax(let what): "not a connection string: \(what)"
        case .refusedByLibpq(let message): message
        }
    }
}

/// One name and its value, in the order of the string.
struct ConnectionParameter {
    let name: String
    let value: [UInt8]
    /// Where it stands in a URL, separators not counted.
    let range: Range<Int>
    var isForLibpq = true
}

/// A name fit for a message: a misplaced part of a password must not get there whole.
private func printable(_ name: String) -> String {
    let isName = name.utf8.allSatisfy {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "_")
            || $0 == UInt8(ascii: ".")
    }
    return isName && !name.isEmpty && name.utf8.count <= 40 ? name : "…"
}

/// libpq puts the offending piece between double quotes, and that piece may be a password: one line, quotes emptied.
func withoutQuotedText(_ message: String) -> String {
    let line = message.prefix { $0 != "\n" }
    guard let first = line.firstIndex(of: "\""), let last = line.lastIndex(of: "\""), first < last else {
        return String(line)
    }
    return String(line[...first]) + "…" + String(line[last...])
}
