internal import Glibc

/// The parameters that pgx takes for itself, in its versions 4 and 5, and libpq does not.
enum PgxParameters {
    enum Kind: Equatable {
        case execMode
        /// 0 or more.
        case count
        /// 1 or more.
        case positiveCount
        /// As Go writes one: `1h30m`, `500ms`.
        case duration
        /// As Go's `strconv.ParseBool`.
        case boolean
        case statementCacheMode

        var expected: String {
            switch self {
            case .execMode: "one of " + QueryExecMode.allCases.map(\.rawValue).joined(separator: ", ")
            case .count: "a number, 0 or more"
            case .positiveCount: "a number, 1 or more"
            case .duration: "a duration such as 1h30m or 500ms"
            case .boolean: "true or false"
            case .statementCacheMode: "prepare or describe"
            }
        }

        func accepts(_ value: String) -> Bool {
            switch self {
            case .execMode: QueryExecMode(rawValue: value) != nil
            case .count: (Int32(value) ?? -1) >= 0
            case .positiveCount: (Int32(value) ?? -1) >= 1
            case .duration: isGoDuration(value)
            case .boolean:
                ["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"].contains(value)
            case .statementCacheMode: value == "prepare" || value == "describe"
            }
        }
    }

    /// pgx `ParseConfig` and pgxpool `ParseConfig`.
    static let table: [String: Kind] = [
        "default_query_exec_mode": .execMode,
        "statement_cache_capacity": .count,
        "description_cache_capacity": .count,
        "statement_cache_mode": .statementCacheMode,
        "prefer_simple_protocol": .boolean,
        "min_read_buffer_size": .count,
        "pool_max_conns": .positiveCount,
        "pool_min_conns": .count,
        "pool_min_idle_conns": .count,
        "pool_max_conn_lifetime": .duration,
        "pool_max_conn_lifetime_jitter": .duration,
        "pool_max_conn_idle_time": .duration,
        "pool_health_check_period": .duration,
        "pool_ping_timeout": .duration,
        "connect_recover_timeout": .duration,
    ]

    /// Names that look right: what to write instead.
    static func hint(_ name: String) -> String? {
        name == "servicefile" ? "set the variable PGSERVICEFILE instead" : nil
    }

    /// `time.ParseDuration`: an optional sign, then numbers each with its unit, or a lone 0.
    static func isGoDuration(_ value: String) -> Bool {
        var rest = Substring(value)
        if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
        if rest == "0" { return true }
        guard !rest.isEmpty else { return false }
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard number.contains(where: \.isNumber), number.filter({ $0 == "." }).count <= 1 else { return false }
            rest = rest.dropFirst(number.count)
            guard let unit = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"].first(where: { rest.hasPrefix($0) }) else {
                return false
            }
            rest = rest.dropFirst(unit.count)
        }
        return true
    }
}

/// Values that libpq itself checks only when it connects; a wrong one must end the program before that.
enum LibpqValues {
    struct Rule {
        let expected: String
        let accepts: @Sendable (String) -> Bool

        static func oneOf(_ words: String...) -> Rule {
            Rule(expected: "one of " + words.joined(separator: ", ")) { $0.isEmpty || words.contains($0) }
        }
    }

    static let table: [String: Rule] = [
        "sslmode": .oneOf("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
        "gssencmode": .oneOf("disable", "prefer", "require"),
        "channel_binding": .oneOf("disable", "prefer", "require"),
        "target_session_attrs": .oneOf("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
        "connect_timeout": Rule(expected: "a number of seconds, 0 or more") { Int32($0).map { $0 >= 0 } ?? false },
        "port": Rule(expected: "ports from 1 to 65535, separated by commas") { value in
            value.split(separator: ",", omittingEmptySubsequences: false).allSatisfy {
                $0.utf8.allSatisfy(isDigit) && UInt16($0).map { $0 > 0 } ?? false
            }
        },
        "hostaddr": Rule(expected: "numeric addresses, separated by commas") { value in
            value.split(separator: ",", omittingEmptySubsequences: false).allSatisfy {
                $0.isEmpty || NumericAddress.isOne(Array($0.utf8))
            }
        },
        "ssl_min_protocol_version": tlsVersion,
        "ssl_max_protocol_version": tlsVersion,
        "sslsni": .oneOf("0", "1"),
        "sslcompression": .oneOf("0", "1"),
        "keepalives": number,
        "keepalives_idle": number,
        "keepalives_interval": number,
        "keepalives_count": number,
        "tcp_user_timeout": number,
        "replication": .oneOf("true", "on", "yes", "1", "false", "off", "no", "0", "database"),
    ]

    private static let tlsVersion = Rule.oneOf("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
    private static let number = Rule(expected: "a number") { Int32($0) != nil }
}

/// Addresses as they are written in numbers.
enum NumericAddress {
    /// Whether inet_pton(3) takes it, of either family.
    static func isOne(_ text: [UInt8]) -> Bool {
        guard !text.isEmpty, !text.contains(0) else { return false }
        let string = String(decoding: text, as: UTF8.self)
        var v4 = in_addr()
        var v6 = in6_addr()
        return inet_pton(AF_INET, string, &v4) == 1 || inet_pton(AF_INET6, string, &v6) == 1
    }
}
