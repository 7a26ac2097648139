internal import HTTP1

/// What an access line of this proxy says about a request of an alias; read from logfmt and from JSON.
///
/// What clients choose stands in these lines too, so a key counts only where the log writes keys: outside of quotes.
package struct AccessLogLine: Sendable {
    package private(set) var alias = ""
    package private(set) var method = ""
    /// Without the query; the log keeps the first 512 bytes of method and path.
    package private(set) var path: [UInt8] = []
    /// Seconds since 1970; nil where the line has none.
    package private(set) var time: Int64?
    /// It was refused by the rights of the alias.
    package private(set) var isRefused = false
    private var isRequest = false
    private var isBypass = false
    private var seen: UInt8 = 0

    /// Method and path as long as the log keeps them: there may have been more.
    package var mayBeCut: Bool { method.utf8.count + path.count >= 512 }

    private enum Key: UInt8 { case ts, msg, route, alias, method, path, policy }

    /// - Returns: nil if the line is not about an elevated request of an alias.
    package init?(_ line: Span<UInt8>) {
        let start = Self.jsonStart(line)
        guard start.map({ readJSON(line, from: $0) }) ?? readLogfmt(line), isRequest, !isBypass, !alias.isEmpty,
            !method.isEmpty, !path.isEmpty
        else { return nil }
    }

    /// Where a JSON object with the log's first member begins, behind whatever a collector has put in front.
    private static func jsonStart(_ line: Span<UInt8>) -> Int? {
        for i in line.indices where line[i] == UInt8(ascii: "{") {
            let rest = line.extracting(i..<line.count)
            return rest.count > 7 && bytesEqual(rest, ByteSlice(start: 0, count: 7), "{\"ts\":\"") ? i : nil
        }
        return nil
    }

    // MARK: Fields

    private static func key(_ name: Span<UInt8>) -> Key? {
        if isText(name, "ts") { return .ts }
        if isText(name, "msg") { return .msg }
        if isText(name, "route") { return .route }
        if isText(name, "alias") { return .alias }
        if isText(name, "method") { return .method }
        if isText(name, "path") { return .path }
        return isText(name, "policy") ? .policy : nil
    }

    /// - Returns: false for a key that was there before: the log writes none twice.
    private mutating func note(_ key: Key, _ value: [UInt8]) -> Bool {
        guard seen >> key.rawValue & 1 == 0 else { return false }
        seen |= 1 << key.rawValue
        switch key {
        case .ts: time = Timestamp.seconds(String(decoding: value, as: UTF8.self))
        case .msg: isRequest = isText(value.span, "request")
        case .route: isBypass = !isText(value.span, "elevated")
        case .alias: alias = String(decoding: value, as: UTF8.self)
        case .method: method = String(decoding: value, as: UTF8.self)
        case .path: path = value
        case .policy: isRefused = isText(value.span, "refused")
        }
        return true
    }

    // MARK: Forms

    private mutating func readLogfmt(_ line: Span<UInt8>) -> Bool {
        var at = 0
        while at < line.count {
            guard line[at] != ASCII.space else {
                at += 1
                continue
            }
            let start = at
            while at < line.count, line[at] != ASCII.space, line[at] != UInt8(ascii: "=") { at += 1 }
            // A word of whatever stands before the line.
            guard at < line.count, line[at] == UInt8(ascii: "=") else { continue }
            let key = Self.key(line.extracting(start..<at))
            at += 1
            var value: [UInt8] = []
            if at < line.count, line[at] == ASCII.quote {
                guard let end = Self.unquote(line, from: at + 1, into: &value) else { return false }
                at = end
                guard at == line.count || line[at] == ASCII.space else { return false }
            } else {
                while at < line.count, line[at] != ASCII.space {
                    value.append(line[at])
                    at += 1
                }
            }
            if let key, !note(key, value) { return false }
        }
        return true
    }

    private mutating func readJSON(_ line: Span<UInt8>, from start: Int) -> Bool {
        let text = line.extracting(start..<line.count)
        var scanner = JSONScanner()
        var key: Key?
        while true {
            let token = scanner.next(text, until: text.count)
            switch (token, scanner.depth) {
            case (.end, _): return true
            case (.invalid, _), (.paused, _): return false
            case (.name(let name), 1): key = Self.key(text.extracting(name))
            case (.string(let range), 1):
                guard let found = key.take() else { continue }
                var value: [UInt8] = []
                guard Self.unquote(text, from: range.lowerBound, into: &value) != nil, note(found, value) else {
                    return false
                }
            // What is asked for is text.
            case (.scalar, 1), (.open, 2): guard key == nil else { return false }
            default: continue
            }
        }
    }

    /// Reads to the closing quote.
    /// - Returns: where the bytes behind it begin; nil when there is none, or an escape that the log does not write.
    private static func unquote(_ line: Span<UInt8>, from start: Int, into value: inout [UInt8]) -> Int? {
        var at = start
        while at < line.count {
            let byte = line[at]
            at += 1
            guard byte != ASCII.quote else { return at }
            guard byte == ASCII.backslash else {
                value.append(byte)
                continue
            }
            guard at < line.count else { return nil }
            let kind = line[at]
            at += 1
            switch kind {
            case ASCII.quote, ASCII.backslash: value.append(kind)
            case UInt8(ascii: "u"):
                guard at + 4 <= line.count, line[at] == ASCII.zero, line[at + 1] == ASCII.zero,
                    let high = line[at + 2].hexDigitValue, let low = line[at + 3].hexDigitValue
                else { return nil }
                value.append(high << 4 | low)
                at += 4
            default: return nil
            }
        }
        return nil
    }
}

/// What aliases were seen to use in access lines.
package struct LogLessons: Sendable {
    private let table: EndpointTable
    /// Lines before this time are left out: seconds since 1970.
    private let since: Int64
    /// By the alias's name.
    package private(set) var lessons: [String: Lesson] = [:]
    /// Lines of any kind.
    package private(set) var lines = 0

    package init(_ table: EndpointTable, since: Int64 = .min) {
        self.table = table
        self.since = since
    }

    /// Reads one line, without its end.
    package mutating func read(_ bytes: Span<UInt8>) {
        lines += 1
        guard let line = AccessLogLine(bytes), !line.isRefused, line.time ?? .max >= since else { return }
        var lesson = lessons.removeValue(forKey: line.alias) ?? Lesson()
        lesson.began = min(lesson.began ?? .max, line.time ?? .max)
        if let method = OperationMethod(judgedAs: line.method), !line.mayBeCut,
            let use = table.use(method, line.path.span)
        {
            lesson.counts[use.row, default: 0] += 1
            lesson.note(organization: Self.text(line.path, use.names.organization))
            lesson.note(project: Self.text(line.path, use.names.project))
        } else {
            lesson.withoutOperation += 1
        }
        lessons[line.alias] = lesson
    }

    private static func text(_ path: [UInt8], _ slice: ByteSlice) -> String {
        String(decoding: path[slice.range], as: UTF8.self)
    }
}

extension OperationMethod {
    /// The row's method that a request with a method of this name is judged as.
    init?(judgedAs name: String) {
        self.init(named: name == "HEAD" || name == "OPTIONS" ? "GET" : name)
    }
}
