internal import AccessPolicy
internal import ArgumentParser
internal import FoundationEssentials
internal import Glibc

/// Where is seen what aliases use: the proxy that runs, or access logs.
struct LessonOptions: ParsableArguments {
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Read access logs of this proxy, logfmt or JSON, instead of asking it; - is standard input.",
            valueName: "file"))
    var log: [String] = []
    @Option(help: "Skip log lines before this: 30d, 12h, a day such as 2027-01-31, or an RFC 3339 time.")
    var since: String?
    @Option(help: "The running proxy's admin listener: addr:port or unix:PATH. [ADMIN_LISTEN; 127.0.0.1:9090]")
    var adminListen: String?
}

/// What aliases were seen to use, by name.
struct Lessons {
    let byAlias: [String: Lesson]
    /// For people: where it was seen.
    let source: String

    /// As `/learned` says it.
    private struct Page: Decodable {
        struct Alias: Decodable {
            let since: Int64
            let operations: [String: UInt64]
            let withoutOperation: UInt64
            let organizations: [String]
            let projects: [String]
            let hasMoreNames: Bool

            enum CodingKeys: String, CodingKey {
                case since, operations, organizations, projects
                case withoutOperation = "without_operation"
                case hasMoreNames = "more_names"
            }
        }
        let complete: Bool
        let aliases: [String: Alias]
    }

    init(_ options: LessonOptions, _ table: EndpointTable) throws(Failure) {
        guard options.log.isEmpty else {
            self = try Lessons(logs: options.log, since: options.since, table)
            return
        }
        guard options.since == nil else {
            throw Failure(
                .usage, "--since: needs --log; the running proxy knows only what it saw since shadow mode began")
        }
        let text = try AdminClient(AdminAddress(flag: options.adminListen)).read("/learned")
        guard let page = try? JSONDecoder().decode(Page.self, from: Data(text.utf8)) else {
            throw Failure(.unavailable, "--admin-listen: this is not an admin listener of this version")
        }
        guard page.complete else {
            throw Failure(.unavailable, "--admin-listen: a worker is busy and did not answer; ask again")
        }
        var lessons: [String: Lesson] = [:]
        for (name, seen) in page.aliases {
            var lesson = Lesson()
            lesson.began = seen.since
            lesson.hasMoreNames = seen.hasMoreNames
            lesson.withoutOperation = seen.withoutOperation
            for organization in seen.organizations { lesson.note(organization: organization) }
            for project in seen.projects { lesson.note(project: project) }
            for (operation, count) in seen.operations {
                guard let row = Self.row(operation, table) else {
                    throw Failure(
                        .configuration,
                        "the running proxy's table of operations has \(operation), and this one does not: give its --policy-file and --endpoint-table"
                    )
                }
                lesson.counts[row] = count
            }
            lessons[name] = lesson
        }
        byAlias = lessons
        source = "the running proxy"
    }

    private init(logs: [String], since: String?, _ table: EndpointTable) throws(Failure) {
        var bound = Int64.min
        if let since {
            guard let seconds = Self.seconds(since, now: Int64(time(nil))) else {
                throw Failure(.usage, "--since: '\(since)' is not a span such as 30d, a day or RFC 3339 time")
            }
            bound = seconds
        }
        var found = LogLessons(table, since: bound)
        for path in logs {
            try LineReader.forEachLine(of: path, named: "--log") { found.read($0) }
        }
        byAlias = found.lessons
        source = "\(found.lines) lines of \(logs.joined(separator: " "))"
    }

    private static func row(_ operation: String, _ table: EndpointTable) -> Int? {
        let words = operation.split(separator: " ", maxSplits: 1)
        guard words.count == 2, words[1].hasPrefix("/api/0"), let method = OperationMethod(named: words[0]) else {
            return nil
        }
        return table.row(method, words[1].dropFirst(6))
    }

    /// `30d` before now, or a time.
    private static func seconds(_ text: String, now: Int64) -> Int64? {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800]
        if let unit = text.last.flatMap({ units[$0] }), let count = Int32(text.dropLast()), count > 0 {
            return now - Int64(count) * unit
        }
        // The end of a day is where the next begins; what is asked for is the day's beginning.
        return Timestamp.seconds(text).map { text.utf8.count == 10 ? $0 - 86_400 : $0 }
    }
}
