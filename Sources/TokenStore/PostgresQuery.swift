internal import CPostgres
internal import Glibc

/// What went wrong with a query, and what libpq said about it.
struct PostgresFailure: Error {
    let error: DatabaseError
    /// libpq's first line; may name hosts and users, never a password. For debugging only.
    let detail: String
}

/// One fresh connection, one simple query after another, closed at the end: no idle backend is kept, and no state that
/// a pooler in transaction mode could lose. Blocks its thread, up to the deadline and the time that a look-up of a host
/// name takes, so it runs on a thread of its own.
///
/// Several hosts or addresses are tried in turn as libpq does; one that swallows packets uses up the time of those after
/// it, since `PQconnectPoll` goes on only when a connection fails.
final class PostgresQuery {
    private let connection: OpaquePointer
    private var deadlineNanoseconds: UInt64

    /// Connects.
    /// - Parameter deadlineNanoseconds: on the monotonic clock; for connecting and all queries together.
    init(_ string: ConnectionString, deadlineNanoseconds: UInt64) throws(PostgresFailure) {
        guard let connection = string.withCString({ PQconnectStart($0) }) else {
            throw PostgresFailure(error: .other(sqlState: "?????"), detail: "out of memory")
        }
        self.connection = connection
        self.deadlineNanoseconds = deadlineNanoseconds
        // The SQLSTATE of an error while connecting can be had from the text alone, and stands there only in this mode.
        PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)
        PQsetNoticeProcessor(connection, { _, _ in }, nil)
        if PQstatus(connection) == CONNECTION_BAD { throw connectFailure(whileStarting: true) }
        let connectDeadline = min(deadlineNanoseconds, connectTimeoutEnd())
        // libpq-connect: after PQconnectStart, act as if PQconnectPoll had returned PGRES_POLLING_WRITING.
        var next = PGRES_POLLING_WRITING
        while true {
            switch next {
            case PGRES_POLLING_OK:
                PQsetnonblocking(connection, 1)
                return
            case PGRES_POLLING_READING: try wait(for: POLLIN, until: connectDeadline)
            case PGRES_POLLING_WRITING: try wait(for: POLLOUT, until: connectDeadline)
            default: throw connectFailure(whileStarting: false)
            }
            next = PQconnectPoll(connection)
        }
    }

    deinit { PQfinish(connection) }

    /// Runs `sql` by the simple protocol.
    /// - Returns: the first column of the first row; `nil` when there is no row or the column is NULL.
    func firstValue(_ sql: String) throws(PostgresFailure) -> [UInt8]? {
        guard PQsendQuery(connection, sql) == 1 else { throw lostConnection() }
        var value: [UInt8]?
        try results { value = Self.field($0, row: 0, column: 0) }
        return value
    }

    /// Runs `sql` with text parameters (`$1` …) by the extended protocol's unnamed statement, which no pooler has to keep.
    /// - Returns: every row, NULL as empty.
    func rows(_ sql: String, _ parameters: [Secret] = []) throws(PostgresFailure) -> [[[UInt8]]] {
        var texts: [[UInt8]] = parameters.map { parameter in
            parameter.withBytes { bytes in
                var text: [UInt8] = []
                text.reserveCapacity(bytes.count + 1)
                for index in 0..<bytes.count { text.append(bytes[index]) }
                text.append(0)
                return text
            }
        }
        // libpq copies the values into its own buffer before it returns.
        let sent = withPointers(texts[...], []) { pointers in
            PQsendQueryParams(connection, sql, CInt(pointers.count), nil, pointers, nil, nil, 0)
        }
        for index in texts.indices { wipe(&texts[index]) }
        guard sent == 1 else { throw lostConnection() }
        var rows: [[[UInt8]]] = []
        try results { result in
            for row in 0..<PQntuples(result) {
                rows.append((0..<PQnfields(result)).map { Self.field(result, row: row, column: $0) ?? [] })
            }
        }
        return rows
    }

    /// Moves the deadline, for a connection that is kept.
    func extendDeadline(to deadline: UInt64) {
        deadlineNanoseconds = deadline
    }

    /// Waits for a NOTIFY.
    /// - Returns: false when none came in time, or the connection failed, which the next query tells.
    func waitForNotification(nanoseconds: UInt64) -> Bool {
        extendDeadline(to: SystemClock().now().monotonicNanoseconds &+ nanoseconds)
        while true {
            guard PQconsumeInput(connection) == 1 else { return false }
            if let notification = PQnotifies(connection) {
                PQfreemem(notification)
                while let more = PQnotifies(connection) { PQfreemem(more) }
                return true
            }
            guard (try? wait(for: POLLIN, until: deadlineNanoseconds)) != nil else { return false }
        }
    }

    /// Sends what is queued and hands each result with rows to `use`.
    private func results(_ use: (OpaquePointer) -> Void) throws(PostgresFailure) {
        while true {
            let left = PQflush(connection)
            if left == 0 { break }
            guard left == 1 else { throw lostConnection() }
            try wait(for: POLLIN | POLLOUT, until: deadlineNanoseconds)
            guard PQconsumeInput(connection) == 1 else { throw lostConnection() }
        }
        var failure: PostgresFailure?
        while true {
            while PQisBusy(connection) == 1 {
                try wait(for: POLLIN, until: deadlineNanoseconds)
                guard PQconsumeInput(connection) == 1 else { throw lostConnection() }
            }
            guard let result = PQgetResult(connection) else { break }
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_TUPLES_OK: use(result)
            case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
            default: failure = Self.failure(of: result)
            }
        }
        if let failure { throw failure }
    }

    private static func field(_ result: OpaquePointer, row: CInt, column: CInt) -> [UInt8]? {
        guard row < PQntuples(result), column < PQnfields(result), PQgetisnull(result, row, column) == 0,
            let field = PQgetvalue(result, row, column)
        else { return nil }
        // libpq: a text value is PQgetlength bytes long and lives until PQclear.
        let bytes = UnsafeRawBufferPointer(start: field, count: Int(PQgetlength(result, row, column)))
        defer { explicit_bzero(field, bytes.count) }
        return Array(bytes)
    }

    /// `connect_timeout` in effect, from the string, the service file or the environment: `PQconnectPoll` leaves it to
    /// its caller. As in libpq, 0 and less are no limit, and 1 s counts as 2 s; here it is for all hosts together.
    private func connectTimeoutEnd() -> UInt64 {
        guard let options = PQconninfo(connection) else { return .max }
        defer { PQconninfoFree(options) }
        var option = options
        // The array ends with an entry whose keyword is NULL (libpq-fe.h).
        while let keyword = option.pointee.keyword {
            if strcmp(keyword, "connect_timeout") == 0, let value = option.pointee.val,
                let seconds = UInt64(String(cString: value)),
                seconds > 0
            {
                return SystemClock().now().monotonicNanoseconds &+ min(max(seconds, 2), 86_400) * 1_000_000_000
            }
            option += 1
        }
        return .max
    }

    private func wait(for events: CInt, until end: UInt64) throws(PostgresFailure) {
        while true {
            let now = SystemClock().now().monotonicNanoseconds
            guard now < end else { throw PostgresFailure(error: .timeout, detail: "deadline passed") }
            let milliseconds = (end - now + 999_999) / 1_000_000
            var descriptor = pollfd(fd: PQsocket(connection), events: CShort(events), revents: 0)
            let ready = poll(&descriptor, 1, CInt(min(milliseconds, 60_000)))
            if ready > 0 { return }
            if ready < 0, errno != EINTR {
                throw PostgresFailure(error: .unreachable, detail: "poll: errno \(errno)")
            }
        }
    }
}

/// Calls `body` with a C string for each of `texts`, which end with a NUL; valid during the call.
private func withPointers<R>(
    _ texts: ArraySlice<[UInt8]>, _ pointers: [UnsafePointer<CChar>?], _ body: ([UnsafePointer<CChar>?]) -> R
) -> R {
    guard let first = texts.first else { return body(pointers) }
    return first.withUnsafeBytes { bytes in
        let pointer = bytes.baseAddress!.assumingMemoryBound(to: CChar.self)
        return withPointers(texts.dropFirst(), pointers + [pointer], body)
    }
}

// MARK: - What libpq's failures mean

extension PostgresQuery {
    private func connectFailure(whileStarting: Bool) -> PostgresFailure {
        let text = message()
        let error: DatabaseError =
            if let sqlState = sqlState(in: text) {
                meaning(ofSQLState: sqlState)
            } else if PQconnectionNeedsPassword(connection) == 1 {
                .authentication
            } else if text.contains("SSL") || text.contains("certificate") || text.contains("private key file") {
                .tls
            } else if text.contains("authentication") || text.contains("SCRAM") {
                .authentication
            } else if whileStarting, !text.contains("translate host name"), !text.contains("connect") {
                .badConnectionString
            } else {
                .unreachable
            }
        return PostgresFailure(error: error, detail: firstLine(text))
    }

    private func lostConnection() -> PostgresFailure {
        let text = message()
        return PostgresFailure(
            error: sqlState(in: text).map(meaning(ofSQLState:)) ?? .unreachable, detail: firstLine(text))
    }

    private static func failure(of result: OpaquePointer) -> PostgresFailure {
        let text = PQresultErrorMessage(result).map { String(cString: $0) } ?? ""
        let sqlState = PQresultErrorField(result, CInt(UInt8(ascii: "C"))).map { String(cString: $0) }
        return PostgresFailure(
            error: sqlState.map(meaning(ofSQLState:)) ?? .unreachable, detail: firstLine(text))
    }

    private func message() -> String {
        PQerrorMessage(connection).map { String(cString: $0) } ?? ""
    }
}

private func firstLine(_ text: String) -> String {
    String(text.prefix { $0 != "\n" })
}

/// The five characters that stand after the severity in a verbose message: `FATAL:  28P01: …`.
func sqlState(in text: String) -> String? {
    // The last one: with several hosts the text tells of every attempt.
    var found: String?
    for line in text.split(separator: "\n") {
        let bytes = Array(line.utf8)
        for start in bytes.indices where start + 8 < bytes.count {
            guard bytes[start] == UInt8(ascii: ":"), bytes[start + 1] == 0x20, bytes[start + 2] == 0x20,
                bytes[start + 8] == UInt8(ascii: ":")
            else { continue }
            let code = bytes[(start + 3)..<(start + 8)]
            let isCode = code.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
            }
            if isCode { found = String(decoding: code, as: UTF8.self) }
        }
    }
    return found
}

/// PostgreSQL, Appendix A. Class 08 is also PgBouncer's way to say that it cannot reach the server.
func meaning(ofSQLState code: String) -> DatabaseError {
    switch code {
    case "42P01": .tableMissing
    case "42501": .permission
    case "3D000": .databaseMissing
    case "57014": .timeout
    case "57P01", "57P02", "57P03", "53300": .unreachable
    case _ where code.hasPrefix("28"): .authentication
    case _ where code.hasPrefix("08"): .unreachable
    default: .other(sqlState: code)
    }
}
