internal import CPostgres
internal import Glibc

/// What this libpq knows and what it would do, asked without connecting.
enum Libpq {
    /// Why there is no libpq here, in the dynamic loader's words; nil once it is open. To be asked before anything else.
    static let missing: String? = cpostgres_open().map { String(cString: $0) }

    /// Every keyword of a connection string.
    static let keywords = Set(options { PQconninfoParse("", nil) }.map(\.name))

    /// The environment variables behind them, and those of the service file.
    static let variables: [String] =
        options { PQconninfoParse("", nil) }.compactMap(\.variable) + ["PGSERVICE", "PGSERVICEFILE", "PGSYSCONFDIR"]

    /// A file that cannot exist. libpq looks for a passfile silently, but writes to standard error about one that it
    /// finds and does not like.
    static let noPassfile = "/dev/null/none"

    struct Effective {
        /// Passwords left out.
        var values: [String: String] = [:]
        var password: Secret?
        /// What libpq says against the values.
        var problem: String?
    }

    /// The values in effect, as libpq merges the string, the service file, the variables and its defaults.
    ///
    /// The last thing that libpq looks at before it connects is the TLS version: one that does not exist ends the
    /// attempt there, with all before it checked and no socket opened.
    static func effective(_ keywords: [(name: String, value: Secret)]) -> Effective {
        let version = "ssl_min_protocol_version"
        let given = keywords.filter { $0.name != version && $0.name != "passfile" }
        let asked = given + [(version, Secret(Array("probe".utf8))), ("passfile", Secret(Array(noPassfile.utf8)))]
        guard let connection = start(asked) else { return Effective(problem: "out of memory") }
        defer { PQfinish(connection) }
        var found = Effective()
        for option in options({ PQconninfo(connection) }) {
            found.values[option.name] = option.value
            if let secret = option.secret { found.password = secret }
        }
        for name in [version, "passfile"] {
            found.values[name] = keywords.first { $0.name == name }.map { text($0.value) }
        }
        let said = PQerrorMessage(connection).map { String(cString: $0) } ?? ""
        if !said.contains(version) { found.problem = withoutQuotedText(said, names: ["service", "port", "host"]) }
        return found
    }

    /// Whether libpq misses a name for the user: then the user id has no entry in passwd(5).
    static func isAboutUser(_ problem: String) -> Bool { problem.contains("user") }

    /// PQconnectStartParams with these keywords.
    static func start(_ keywords: [(name: String, value: Secret)]) -> OpaquePointer? {
        let names = keywords.map { Array($0.name.utf8) + [0] }
        var values = keywords.map { keyword in
            keyword.value.withBytes { bytes in
                var value: [UInt8] = []
                value.reserveCapacity(bytes.count + 1)
                for index in 0..<bytes.count { value.append(bytes[index]) }
                value.append(0)
                return value
            }
        }
        defer { for index in values.indices { wipe(&values[index]) } }
        return withPointers(names[...]) { names in
            withPointers(values[...]) { values in PQconnectStartParams(names + [nil], values + [nil], 0) }
        }
    }

    private static func text(_ secret: Secret) -> String {
        secret.withBytes { bytes in String(decoding: (0..<bytes.count).map { bytes[$0] }, as: UTF8.self) }
    }

    /// Words with what is quoted taken out, unless they are about something that is no secret.
    private static func withoutQuotedText(_ said: String, names: [String]) -> String {
        let line = String(said.prefix { $0 != "\n" })
        return names.contains { line.contains($0) } ? line : TokenStore.withoutQuotedText(line)
    }

    private static func secret(_ text: UnsafeMutablePointer<CChar>) -> Secret? {
        var bytes = Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
        return bytes.isEmpty ? nil : Secret(wiping: &bytes)
    }

    private struct Option {
        let name: String
        let variable: String?
        let value: String?
        /// The value of `password`.
        let secret: Secret?
    }

    /// The array ends with an entry whose keyword is NULL (libpq-fe.h).
    private static func options(_ make: () -> UnsafeMutablePointer<PQconninfoOption>?) -> [Option] {
        guard let first = make() else { return [] }
        defer { PQconninfoFree(first) }
        var found: [Option] = []
        var option = first
        while let keyword = option.pointee.keyword {
            let name = String(cString: keyword)
            let isSecret = name == "password" || name == "sslpassword"
            let value = option.pointee.val
            found.append(
                Option(
                    name: name, variable: option.pointee.envvar.map { String(cString: $0) },
                    value: isSecret ? nil : value.map { String(cString: $0) },
                    secret: name == "password" ? value.flatMap(secret) : nil))
            option += 1
        }
        return found
    }
}

/// Calls `body` with a C string for each of `texts`, which end with a NUL; valid during the call.
func withPointers<R>(
    _ texts: ArraySlice<[UInt8]>, _ pointers: [UnsafePointer<CChar>?] = [], _ body: ([UnsafePointer<CChar>?]) -> R
) -> R {
    guard let first = texts.first else { return body(pointers) }
    return first.withUnsafeBytes { bytes in
        let pointer = bytes.baseAddress!.assumingMemoryBound(to: CChar.self)
        return withPointers(texts.dropFirst(), pointers + [pointer], body)
    }
}
