/// `postgres://user:password@host:port/dbname?name=value&…`, cut up as libpq's `conninfo_uri_parse_options` does.
enum URLForm {
    private static let schemes = ["postgres://", "postgresql://"]

    static func begins(_ text: [UInt8]) -> Bool {
        schemes.contains { text.starts(with: $0.utf8) }
    }

    /// The parameters of the query part; the rest of the URL is libpq's business.
    static func parameters(_ text: [UInt8]) throws(ConnectionStringError) -> [ConnectionParameter] {
        guard let query = queryStart(text) else { return [] }
        var parameters: [ConnectionParameter] = []
        var start = query
        while start < text.count {
            let end = text[start...].firstIndex(of: UInt8(ascii: "&")) ?? text.count
            guard let equals = text[start..<end].firstIndex(of: UInt8(ascii: "=")) else {
                throw .syntax("parameter \(parameters.count + 1) of its query has no '='")
            }
            guard let name = percentDecoded(text[start..<equals]),
                let value = percentDecoded(text[(equals + 1)..<end])
            else { throw .syntax("parameter \(parameters.count + 1) of its query has a bad percent-encoding") }
            parameters.append(
                ConnectionParameter(
                    name: String(decoding: name, as: UTF8.self), value: value, range: start..<end))
            start = end + 1
        }
        return parameters
    }

    /// The URL with only those parameters that are for libpq, each as it was written.
    static func rebuilt(_ text: [UInt8], _ parameters: [ConnectionParameter]) -> [UInt8] {
        guard let query = queryStart(text) else { return text }
        var kept: [UInt8] = []
        kept.reserveCapacity(text.count)
        kept.append(contentsOf: text[..<(query - 1)])
        var separator = UInt8(ascii: "?")
        for parameter in parameters where parameter.isForLibpq {
            kept.append(separator)
            kept.append(contentsOf: text[parameter.range])
            separator = UInt8(ascii: "&")
        }
        return kept
    }

    /// Where the query begins, after its question mark. One within user or password does not count: those end at the
    /// first `@` that comes before a `/`.
    private static func queryStart(_ text: [UInt8]) -> Int? {
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        var start = colon + 3
        if let stop = text[start...].firstIndex(where: { $0 == UInt8(ascii: "@") || $0 == UInt8(ascii: "/") }),
            text[stop] == UInt8(ascii: "@")
        {
            start = stop + 1
        }
        return text[start...].firstIndex(of: UInt8(ascii: "?")).map { $0 + 1 }
    }

    private static func percentDecoded(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] != UInt8(ascii: "%") {
                decoded.append(text[index])
                index += 1
                continue
            }
            guard index + 2 < text.endIndex, let high = hexDigit(text[index + 1]), let low = hexDigit(text[index + 2]),
                high << 4 | low != 0
            else { return nil }
            decoded.append(high << 4 | low)
            index += 3
        }
        return decoded
    }
}

/// `name=value name = 'quoted \' value'`, cut up as libpq's `conninfo_parse` does.
enum KeyValueForm {
    static func parameters(_ text: [UInt8]) throws(ConnectionStringError) -> [ConnectionParameter] {
        var parameters: [ConnectionParameter] = []
        var index = 0
        while true {
            while index < text.count, TokenText.isBlank(text[index]) { index += 1 }
            guard index < text.count else { return parameters }
            let start = index
            while index < text.count, text[index] != UInt8(ascii: "="), !TokenText.isBlank(text[index]) { index += 1 }
            let name = text[start..<index]
            while index < text.count, TokenText.isBlank(text[index]) { index += 1 }
            guard index < text.count, text[index] == UInt8(ascii: "="), !name.isEmpty else {
                throw .syntax("expected name=value or a URL, but item \(parameters.count + 1) is neither")
            }
            index += 1
            while index < text.count, TokenText.isBlank(text[index]) { index += 1 }
            let value = try value(text, &index, item: parameters.count + 1)
            // pgx knows the database by both names.
            let spelled = String(decoding: name, as: UTF8.self)
            parameters.append(
                ConnectionParameter(
                    name: spelled == "database" ? "dbname" : spelled, value: value, range: start..<index))
        }
    }

    private static func value(
        _ text: [UInt8], _ index: inout Int, item: Int
    ) throws(ConnectionStringError) -> [UInt8] {
        var value: [UInt8] = []
        let isQuoted = index < text.count && text[index] == UInt8(ascii: "'")
        if isQuoted { index += 1 }
        while index < text.count {
            let byte = text[index]
            if isQuoted ? byte == UInt8(ascii: "'") : TokenText.isBlank(byte) {
                if isQuoted { index += 1 }
                return value
            }
            index += 1
            if byte == UInt8(ascii: "\\") {
                // A backslash makes the next byte an ordinary one; at the very end it stands for nothing.
                if index < text.count {
                    value.append(text[index])
                    index += 1
                }
            } else {
                value.append(byte)
            }
        }
        if isQuoted { throw .syntax("item \(item) has no closing quote") }
        return value
    }

    /// The parameters that are for libpq, each value in quotes.
    static func rebuilt(_ parameters: [ConnectionParameter]) -> [UInt8] {
        var text: [UInt8] = []
        for parameter in parameters where parameter.isForLibpq {
            if !text.isEmpty { text.append(UInt8(ascii: " ")) }
            text.append(contentsOf: parameter.name.utf8)
            text.append(contentsOf: "='".utf8)
            for byte in parameter.value {
                if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\\") { text.append(UInt8(ascii: "\\")) }
                text.append(byte)
            }
            text.append(UInt8(ascii: "'"))
        }
        return text
    }
}
