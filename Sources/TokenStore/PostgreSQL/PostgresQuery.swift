internal import CPostgres
internal import Glibc
internal import System

/// One fresh connection, one simple query after another, closed at the end: no idle backend is kept, and no state that
/// a pooler in transaction mode could lose. Blocks its thread up to the deadline, so it runs on a thread of its own.
package final class PostgresQuery {
    private let connection: OpaquePointer
    /// Host and port, for messages.
    private let place: String
    private let string: ConnectionString
    private var deadline: Instant
    /// Whether a query is still unanswered.
    private(set) var isUnanswered = false

    /// Connects.
    /// - Parameters:
    ///   - route: what earlier connections have learnt about the way.
    ///   - deadline: on the monotonic clock; for connecting and all queries together.
    init(
        _ string: ConnectionString, route: PostgresRoute = PostgresRoute(), deadline: Instant
    ) throws(PostgresFailure) {
        let dialer = PostgresDialer(string: string, route: route, deadline: deadline)
        (connection, place) = try dialer.connect()
        self.string = string
        self.deadline = deadline
    }

    deinit { PQfinish(connection) }

    /// Runs `sql` by the simple protocol.
    /// - Returns: the first column of the first row; `nil` when there is no row or the column is NULL.
    package func firstValue(_ sql: String) throws(PostgresFailure) -> [UInt8]? {
        isUnanswered = true
        guard PQsendQuery(connection, sql) == 1 else { throw lostConnection() }
        var value: [UInt8]?
        try results { value = Self.field($0, row: 0, column: 0) }
        return value
    }

    /// Runs `sql` with text parameters (`$1` …) by the extended protocol's unnamed statement, which no pooler has to keep.
    /// - Returns: every row, NULL as empty.
    package func rows(_ sql: String, _ parameters: [Secret] = []) throws(PostgresFailure) -> [[[UInt8]]] {
        var texts: [[UInt8]] = parameters.map { parameter in
            parameter.withBytes { bytes in
                var text: [UInt8] = []
                text.reserveCapacity(bytes.count + 1)
                for index in 0..<bytes.count { text.append(bytes[index]) }
                text.append(0)
                return text
            }
        }
        isUnanswered = true
        // libpq copies the values into its own buffer before it returns.
        let sent = withPointers(texts[...]) { pointers in
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
    func extendDeadline(to deadline: Instant) {
        self.deadline = deadline
    }

    /// Waits for a NOTIFY.
    /// - Returns: false when none came in time, or the connection failed, which the next query tells.
    func waitForNotification(for time: Duration) -> Bool {
        extendDeadline(to: Clock.now + time)
        while true {
            guard PQconsumeInput(connection) == 1 else { return false }
            if let notification = PQnotifies(connection) {
                PQfreemem(notification)
                while let more = PQnotifies(connection) { PQfreemem(more) }
                return true
            }
            guard waitForSocket(PQsocket(connection), POLLIN, until: deadline) else { return false }
        }
    }

    /// Sends what is queued and hands each result with rows to `use`.
    private func results(_ use: (OpaquePointer) -> Void) throws(PostgresFailure) {
        while true {
            let left = PQflush(connection)
            if left == 0 { break }
            guard left == 1 else { throw lostConnection() }
            try wait(for: POLLIN | POLLOUT)
            guard PQconsumeInput(connection) == 1 else { throw lostConnection() }
        }
        var failure: PostgresFailure?
        while true {
            while PQisBusy(connection) == 1 {
                try wait(for: POLLIN)
                guard PQconsumeInput(connection) == 1 else { throw lostConnection() }
            }
            guard let result = PQgetResult(connection) else { break }
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_TUPLES_OK: use(result)
            case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
            default: failure = self.failure(of: result)
            }
        }
        isUnanswered = false
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

    private func wait(for events: CInt) throws(PostgresFailure) {
        guard waitForSocket(PQsocket(connection), events, until: deadline) else {
            throw PostgresFailure(.timeout, "\(place): no answer to the query in time")
        }
    }

    private func lostConnection() -> PostgresFailure {
        isUnanswered = false
        let text = string.withoutPassword(PQerrorMessage(connection).map { String(cString: $0) } ?? "")
        return PostgresMessage.failure(ofQuery: text, sqlState: sqlState(in: text), at: place)
    }

    private func failure(of result: OpaquePointer) -> PostgresFailure {
        let text = string.withoutPassword(PQresultErrorMessage(result).map { String(cString: $0) } ?? "")
        let sqlState = PQresultErrorField(result, CInt(UInt8(ascii: "C"))).map { String(cString: $0) }
        return PostgresMessage.failure(ofQuery: text, sqlState: sqlState, at: place)
    }
}

// MARK: - A query whose time is up

extension PostgresQuery {
    /// A request to cancel what the server is at, which may be sent from another thread.
    func canceller() -> PostgresCanceller? {
        PQgetCancel(connection).map { PostgresCanceller($0) }
    }

    /// Reads what comes without using it.
    /// - Returns: whether the server has answered or the connection is lost; false when the time was up first.
    func drain(until end: Instant) -> Bool {
        while true {
            while PQisBusy(connection) == 1 {
                guard waitForSocket(PQsocket(connection), POLLIN, until: end) else { return false }
                guard PQconsumeInput(connection) == 1 else { return true }
            }
            guard let result = PQgetResult(connection) else { return true }
            PQclear(result)
        }
    }
}

/// PQcancel connects and waits without a deadline, so it gets a thread of its own.
final class PostgresCanceller {
    private let request: OpaquePointer

    fileprivate init(_ request: OpaquePointer) { self.request = request }

    deinit { PQfreeCancel(request) }

    func send() {
        var words = [CChar](repeating: 0, count: 256)
        _ = PQcancel(request, &words, CInt(words.count))
    }
}
