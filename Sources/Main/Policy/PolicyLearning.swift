internal import AccessPolicy
internal import ArgumentParser
internal import Glibc

struct PolicyLearnCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "learn", abstract: "Writes the rights that an alias has used, as lines of a policy file.",
        discussion: """
            It asks the running proxy what an alias in shadow mode (mode=shadow) has used since shadow mode began, or with --log reads \
            access logs. Status 0: rights were written; 1: nothing was seen that could be granted.
            """)

    @Argument(help: "The alias's name.")
    var name: String
    @Flag(help: "Write expectations for policy test instead of rights.")
    var expectations = false
    @OptionGroup var source: LessonOptions
    @OptionGroup var files: PolicyFileOptions
    @Flag(help: "Print the result as JSON.")
    var json = false

    private struct Report: Encodable {
        struct Use: Encodable {
            let operation: String
            let requests: UInt64
            let effect: String
            let `class`: String
        }
        struct Near: Encodable {
            let set: String
            let used: Int
            let operations: Int
        }
        let alias: String
        let rights: String
        let since: Int64?
        let requests: UInt64
        let operations: [Use]
        let never: [Use]
        let withoutOperation: UInt64
        let organizations: [String]
        let projects: [String]
        let remarks: [String]
        let nearSets: [Near]
        let within: String?
        let policy: [String]
        let expectations: [String]

        enum CodingKeys: String, CodingKey {
            case alias, rights, since, requests, operations, never, organizations, projects, remarks, within, policy
            case expectations
            case withoutOperation = "without_operation"
            case nearSets = "near_sets"
        }
    }

    func run() throws {
        ending { () throws(Failure) in
            let policy = try PolicyFiles(files).load() ?? .builtIn
            let lessons = try Lessons(source, policy.table)
            guard let lesson = lessons.byAlias[name] else {
                throw Failure(
                    source.log.isEmpty ? .usage : .data,
                    source.log.isEmpty
                        ? "NAME: '\(name)' is not in shadow mode at the running proxy; --log learns from access logs"
                        : "--log: no request of '\(name)' went on in \(lessons.source)")
            }
            let learned = LearnedRights(lesson, alias: name, policy)
            if json {
                PolicyOutput.print(json: report(learned, lesson, policy.table))
            } else if !learned.isEmpty {
                for line in expectations ? learned.expectations : lines(learned, lesson, lessons.source) { print(line) }
            }
            guard learned.isEmpty else { return }
            if !json {
                Failure.say("'\(name)' was seen to use nothing that could be granted (\(lessons.source))")
            }
            Glibc.exit(1)
        }
    }

    private func lines(_ learned: LearnedRights, _ lesson: Lesson, _ source: String) -> [String] {
        var head = ["# What '\(name)' used: \(lesson.requests) requests, seen by \(source)"]
        if let began = lesson.began, began < .max { head[0] += " since \(Timestamp.text(began))" }
        if lesson.withoutOperation > 0 {
            head.append(
                "# \(lesson.withoutOperation) of them are not in the table of operations: they will be refused (see reason= in the log)"
            )
        }
        return head + learned.policyLines
    }

    private func report(_ learned: LearnedRights, _ lesson: Lesson, _ table: EndpointTable) -> Report {
        func uses(_ grants: [LearnedRights.Grant]) -> [Report.Use] {
            grants.map {
                Report.Use(
                    operation: table.name(of: $0.row), requests: $0.requests,
                    effect: table.operations[$0.row].effect.rawValue,
                    class: table.operations[$0.row].operationClass.rawValue)
            }
        }
        return Report(
            alias: name, rights: learned.words, since: lesson.began, requests: lesson.requests,
            operations: uses(learned.grants), never: uses(learned.never), withoutOperation: lesson.withoutOperation,
            organizations: learned.organizations, projects: learned.projects, remarks: learned.remarks,
            nearSets: learned.nearSets.map { Report.Near(set: $0.name, used: $0.used, operations: $0.operations) },
            within: learned.within?.name, policy: learned.isEmpty ? [] : learned.policyLines,
            expectations: learned.expectations)
    }
}

struct PolicyUnusedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unused", abstract: "Lists the operations that aliases may use but have not used.",
        discussion: """
            Of one alias, or of all in the file. It asks the running proxy about those in shadow mode, or with --log reads access \
            logs, which may be of any alias. Status 0: everything is used; 1: something is not.
            """)

    @Argument(help: "The alias's name in the file.")
    var name: String?
    @OptionGroup var source: LessonOptions
    @OptionGroup var inputs: PolicyInputs

    private struct Report: Encodable {
        let alias: String
        let rights: String
        let held: Int
        let unused: [String]
    }

    func run() throws {
        ending { () throws(Failure) in
            let named = try inputs.aliases()
            let lessons = try Lessons(source, named.rights.endpoints)
            let reports = try asked(named, lessons).compactMap { Self.report($0, named, lessons) }
            if inputs.json {
                PolicyOutput.print(json: reports)
            } else {
                for report in reports {
                    print("\(report.alias): \(report.rights): \(report.unused.count) of \(report.held) unused")
                    for line in report.unused { print("  - \(line)") }
                }
            }
            Glibc.exit(reports.allSatisfy(\.unused.isEmpty) ? 0 : 1)
        }
    }

    /// Of aliases that may do everything there is no list.
    private func asked(_ named: NamedRights, _ lessons: Lessons) throws(Failure) -> [Int] {
        guard let name else {
            return named.names.indices.filter {
                named.operations($0) != nil && (!source.log.isEmpty || lessons.byAlias[named.names[$0]] != nil)
            }
        }
        let index = try named.index(name, flag: "NAME")
        guard named.operations(index) != nil else {
            throw Failure(.usage, "NAME: '\(name)' may do everything: 'policy learn \(name)' says what of it was used")
        }
        guard !source.log.isEmpty || lessons.byAlias[name] != nil else {
            throw Failure(
                .usage, "NAME: '\(name)' is not in shadow mode at the running proxy; --log reads access logs")
        }
        return [index]
    }

    private static func report(_ index: Int, _ named: NamedRights, _ lessons: Lessons) -> Report? {
        let table = named.rights.endpoints
        let rights = Int(named.rights.aliases[index].rights)
        let used = lessons.byAlias[named.names[index]]?.counts ?? [:]
        let held = table.operations.indices.filter {
            named.rights.allows(rights, $0) && table.operations[$0].judgedAs == Int32($0)
                && !table.operations[$0].treatment.isIdentity
        }
        return Report(
            alias: named.names[index], rights: named.words(index), held: held.count,
            unused: held.filter { used[$0] ?? 0 == 0 }.map(table.name(of:)))
    }
}
