/// The parameters that pgx v5 takes and libpq does not.
enum PgxParameters {
    enum Kind: Equatable {
        case execMode
        /// 0 or more.
        case count
        /// 1 or more.
        case positiveCount
        /// As Go writes one: `1h30m`, `500ms`.
        case duration

        var expected: String {
            switch self {
            case .execMode: "one of " + QueryExecMode.allCases.map(\.rawValue).joined(separator: ", ")
            case .count: "a number, 0 or more"
            case .positiveCount: "a number, 1 or more"
            case .duration: "a duration such as 1h30m or 500ms"
            }
        }

        func accepts(_ value: String) -> Bool {
            switch self {
            case .execMode: QueryExecMode(rawValue: value) != nil
            case .count: (Int32(value) ?? -1) >= 0
            case .positiveCount: (Int32(value) ?? -1) >= 1
            case .duration: isGoDuration(value)
            }
        }
    }

    /// pgx `ParseConfig` and pgxpool `ParseConfig`.
    static let table: [String: Kind] = [
        "default_query_exec_mode": .execMode,
        "statement_cache_capacity": .count,
        "description_cache_capacity": .count,
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
        switch name.lowercased() {
        case "servicefile": "set the variable PGSERVICEFILE instead"
        case "search_path", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "timezone",
            "role", "datestyle", "intervalstyle":
            "a setting of the server goes into options='-c \(name)=VALUE'"
        case "database": "libpq calls it dbname"
        case "statement_cache_mode": "pgx v5 calls it default_query_exec_mode"
        case "prefer_simple_protocol": "use default_query_exec_mode=simple_protocol"
        default: nil
        }
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
        "connect_timeout": Rule(expected: "a number of seconds") { $0.isEmpty || Int32($0) != nil },
        "port": Rule(expected: "ports from 1 to 65535, separated by commas") { value in
            value.split(separator: ",", omittingEmptySubsequences: false).allSatisfy {
                $0.isEmpty || UInt16($0).map { $0 > 0 } ?? false
            }
        },
    ]
}
