/// One name and its value, `dbname` in libpq's spelling.
struct ConnectionParameter {
    let name: String
    let value: [UInt8]
    /// Which item of the string it is, from 1.
    let item: Int
    /// Whether the name may be a piece of a password that was not quoted or encoded: then no message repeats it.
    let mayBePassword: Bool
}

/// A connection string cut up by the rules of pgx v4 (pgconn 1.11).
struct ParsedConnectionString {
    /// Each name once: the one that counts with pgx.
    private(set) var parameters: [ConnectionParameter] = []
    /// What libpq would have read in another way, each in one line and without a value.
    private(set) var notes: [String] = []

    mutating func note(_ text: String) {
        if !notes.contains(text) { notes.append(text) }
    }

    /// A later one replaces an earlier one of the same name.
    mutating func set(_ name: String, _ value: [UInt8], item: Int = 0, mayBePassword: Bool = false) {
        // pgx calls the database so.
        let name = name == "database" ? "dbname" : name
        parameters.removeAll { $0.name == name }
        parameters.append(ConnectionParameter(name: name, value: value, item: item, mayBePassword: mayBePassword))
    }
}

/// `postgres://user:password@host:port/dbname?name=value&…`, cut up as Go's `url.Parse` and pgx do.
enum URLForm {
    private static let schemes = ["postgres://", "postgresql://"]

    static func begins(_ text: [UInt8]) -> Bool {
        schemes.contains { text.starts(with: $0.utf8) }
    }

    static func parse(_ text: [UInt8]) throws(ConnectionStringError) -> ParsedConnectionString {
        guard text.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { throw .syntax("it contains a control character") }
        var parsed = ParsedConnectionString()
        var rest = text[...]
        if let hash = rest.firstIndex(of: UInt8(ascii: "#")) {
            // With an `@` in it, it is no fragment but the rest of a password, and the host is a piece of one.
            guard !rest[hash...].contains(UInt8(ascii: "@")) else { throw .malformedUser }
            parsed.note("what follows '#' is dropped")
            rest = rest[..<hash]
        }
        var query = text[text.endIndex...]
        if let mark = rest.firstIndex(of: UInt8(ascii: "?")) {
            query = rest[(mark + 1)...]
            rest = rest[..<mark]
        }
        let begin = text.firstIndex(of: UInt8(ascii: ":")).map { $0 + 3 } ?? 0
        let slash = rest[begin...].firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
        let path = rest[slash...]
        let authority = rest[begin..<slash]
        try parseAuthority(authority, &parsed)

        guard !path.contains(UInt8(ascii: "@")) else { throw .malformedUser }
        guard let database = percentDecoded(path.drop { $0 == UInt8(ascii: "/") }) else {
            throw .syntax("its database name has a bad percent-encoding")
        }
        if !database.isEmpty { parsed.set("dbname", database) }
        try parseQuery(query, hasUser: authority.contains(UInt8(ascii: "@")), &parsed)
        return parsed
    }

    // MARK: user:password@host:port,host:port

    private static func parseAuthority(
        _ authority: ArraySlice<UInt8>, _ parsed: inout ParsedConnectionString
    ) throws(ConnectionStringError) {
        var hosts = authority
        if let at = authority.lastIndex(of: UInt8(ascii: "@")) {
            let user = authority[..<at]
            hosts = authority[(at + 1)...]
            guard user.allSatisfy(isOfUserinfo) else { throw .malformedUser }
            let colon = user.firstIndex(of: UInt8(ascii: ":")) ?? user.endIndex
            guard let name = percentDecoded(user[..<colon]), let password = percentDecoded(user[colon...].dropFirst())
            else { throw .malformedUser }
            if user.contains(UInt8(ascii: "@")) { parsed.note("the user's part ends at its last '@'") }
            parsed.set("user", name)
            if colon < user.endIndex { parsed.set("password", password) }
        }
        try checkHosts(hosts)
        var names: [[UInt8]] = []
        var ports: [[UInt8]] = []
        var lacksPort = false
        for element in hosts.split(separator: UInt8(ascii: ",")) {
            let (name, port) = try hostAndPort(element)
            if !name.isEmpty { names.append(name) }
            if !port.isEmpty { ports.append(port) } else { lacksPort = true }
        }
        if !names.isEmpty { parsed.set("host", joined(names)) }
        if !ports.isEmpty { parsed.set("port", joined(ports)) }
        if names.count > 1, ports.count == 1, lacksPort { parsed.note("its one port holds for all its hosts") }
    }

    /// RFC 3986 §3.2.1, and an `@`: the last one ends the user's part.
    private static func isOfUserinfo(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || "-._:~!$&'()*+,;=%@".utf8.contains(byte)
    }

    /// What `url.Parse` refuses in a host. A piece of a password may stand here, so nothing is quoted.
    private static func checkHosts(_ hosts: ArraySlice<UInt8>) throws(ConnectionStringError) {
        let isHost: (UInt8) -> Bool = { $0 >= 0x80 || isAlphanumeric($0) || "-._~!$&'()*+,;=:[]<>\"".utf8.contains($0) }
        guard hosts.allSatisfy(isHost) else { throw .malformedHost }
        var tail = hosts
        if hosts.first == UInt8(ascii: "[") {
            guard let bracket = hosts.lastIndex(of: UInt8(ascii: "]")) else { throw .malformedHost }
            tail = hosts[(bracket + 1)...]
            guard tail.isEmpty || tail.first == UInt8(ascii: ":") else { throw .malformedHost }
        } else if let colon = hosts.lastIndex(of: UInt8(ascii: ":")) {
            tail = hosts[colon...]
        } else {
            return
        }
        guard tail.dropFirst().allSatisfy(isDigit) else { throw .malformedHost }
    }

    private static func hostAndPort(
        _ element: ArraySlice<UInt8>
    ) throws(ConnectionStringError) -> (name: [UInt8], port: [UInt8]) {
        let bare = element.filter { $0 != UInt8(ascii: "[") && $0 != UInt8(ascii: "]") }
        if !element.contains(UInt8(ascii: ":")) || NumericAddress.isOne(bare) { return (bare, []) }
        // net.SplitHostPort
        if element.first == UInt8(ascii: "[") {
            guard let end = element.firstIndex(of: UInt8(ascii: "]")),
                element[end...].dropFirst().first == UInt8(ascii: ":")
            else { throw .malformedHost }
            return (Array(element[..<end].dropFirst()), Array(element[(end + 2)...]))
        }
        let parts = element.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw .malformedHost }
        return (Array(parts[0]), Array(parts[1]))
    }

    // MARK: name=value&…

    private static func parseQuery(
        _ query: ArraySlice<UInt8>, hasUser: Bool, _ parsed: inout ParsedConnectionString
    ) throws(ConnectionStringError) {
        // `user:piece@piece?piece@host`: then nothing of it is repeated.
        let mayBePassword = hasUser && query.contains(UInt8(ascii: "@"))
        var seen: [String: [UInt8]] = [:]
        for (index, piece) in query.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: true).enumerated() {
            let item = index + 1
            let equals = piece.firstIndex(of: UInt8(ascii: "=")) ?? piece.endIndex
            let valueText = piece[equals...].dropFirst()
            guard !piece.contains(UInt8(ascii: ";")), let name = percentDecoded(piece[..<equals], plusIsBlank: true),
                let value = percentDecoded(valueText, plusIsBlank: true)
            else {
                parsed.note("parameter \(item) of its query is dropped: it has a ';' or a bad percent-encoding")
                continue
            }
            let text = String(decoding: name, as: UTF8.self)
            let canonical = text == "database" ? "dbname" : text
            if text == "database" { parsed.note("'database' is read as 'dbname'") }
            if piece.contains(UInt8(ascii: "+")) { parsed.note("'+' in its query is a blank") }
            if let first = seen[canonical] {
                if first != value {
                    guard !mayBePassword else { throw .malformedUser }
                    parsed.note(
                        "of a parameter that is given twice in its query, the first counts (\(printable(text)))")
                }
                continue
            }
            seen[canonical] = value
            parsed.set(text, value, item: item, mayBePassword: mayBePassword)
        }
    }

    private static func joined(_ parts: [[UInt8]]) -> [UInt8] { Array(parts.joined(separator: [UInt8(ascii: ",")])) }
}

/// `name=value name = 'quoted \' value'`, cut up as pgx's `parseDSNSettings` does.
enum KeyValueForm {
    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    static func parse(_ text: [UInt8]) throws(ConnectionStringError) -> ParsedConnectionString {
        var parsed = ParsedConnectionString()
        var rest = text[...].drop(while: isBlank)
        var item = 0
        var followsPassword = false
        while !rest.isEmpty {
            item += 1
            guard let equals = rest.firstIndex(of: UInt8(ascii: "=")) else {
                if rest.allSatisfy(isBlank) { return parsed }
                throw item == 1 ? notAString(text) : .notAPair(item: item, followsPassword: followsPassword)
            }
            var key = rest[..<equals].drop(while: isBlank)
            while let last = key.last, isBlank(last) { key.removeLast() }
            guard !key.isEmpty else { throw .notAPair(item: item, followsPassword: followsPassword) }
            if item == 1, key.contains(UInt8(ascii: "/")) { throw notAString(text) }
            rest = rest[(equals + 1)...].drop(while: isBlank)
            let raw = try takeValue(&rest, item: item)
            let value = unescaped(raw)
            if value != unescapedByLibpq(raw) {
                parsed.note("a backslash counts only before another one or a quote; others stay in the value")
            }
            let name = String(decoding: key, as: UTF8.self)
            parsed.set(name, value, item: item, mayBePassword: followsPassword)
            if name == "password" || name == "sslpassword" { followsPassword = true }
        }
        return parsed
    }

    private static func notAString(_ text: [UInt8]) -> ConnectionStringError {
        .syntax("expected name=value or a URL that begins with postgres:// or postgresql://, but item 1 is neither")
    }

    /// The value as it is written, without its quotes; what follows it is left.
    private static func takeValue(
        _ rest: inout ArraySlice<UInt8>, item: Int
    ) throws(ConnectionStringError) -> ArraySlice<UInt8> {
        let isQuoted = rest.first == UInt8(ascii: "'")
        if isQuoted { rest = rest.dropFirst() }
        var end = rest.startIndex
        while end < rest.endIndex, isQuoted ? rest[end] != UInt8(ascii: "'") : !isBlank(rest[end]) {
            if rest[end] == UInt8(ascii: "\\") { end += 1 }
            end += 1
        }
        guard end <= rest.endIndex, !isQuoted || end < rest.endIndex else {
            throw .syntax(isQuoted ? "item \(item) has no closing quote" : "item \(item) ends with a backslash")
        }
        defer { rest = rest[end...].dropFirst() }
        return rest[..<end]
    }

    /// pgx replaces `\\` and then `\'`, each from the left; a backslash before anything else stays.
    private static func unescaped(_ text: ArraySlice<UInt8>) -> [UInt8] {
        replacing(replacing(Array(text), UInt8(ascii: "\\")), UInt8(ascii: "'"))
    }

    private static func replacing(_ text: [UInt8], _ escaped: UInt8) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "\\"), index + 1 < text.count, text[index + 1] == escaped { index += 1 }
            result.append(text[index])
            index += 1
        }
        return result
    }

    /// libpq takes the byte after a backslash, whatever it is.
    private static func unescapedByLibpq(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == UInt8(ascii: "\\"), index + 1 < text.endIndex { index += 1 }
            result.append(text[index])
            index += 1
        }
        return result
    }
}

/// A name fit for a message: a misplaced part of a password must not get there whole.
func printable(_ name: String) -> String {
    let isName = name.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") }
    return isName && !name.isEmpty && name.utf8.count <= 40 ? name : "…"
}

func isAlphanumeric(_ byte: UInt8) -> Bool {
    isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
}

/// - Returns: nil for an encoding that is none, and for that of NUL, which libpq cannot take.
private func percentDecoded(_ text: ArraySlice<UInt8>, plusIsBlank: Bool = false) -> [UInt8]? {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(text.count)
    var index = text.startIndex
    while index < text.endIndex {
        switch text[index] {
        case UInt8(ascii: "%"):
            guard index + 2 < text.endIndex, let high = hexDigit(text[index + 1]), let low = hexDigit(text[index + 2]),
                high << 4 | low != 0
            else { return nil }
            decoded.append(high << 4 | low)
            index += 3
        case UInt8(ascii: "+") where plusIsBlank:
            decoded.append(0x20)
            index += 1
        case let byte:
            decoded.append(byte)
            index += 1
        }
    }
    return decoded
}
