internal import AccessPolicy

/// `/learned`: what the aliases in shadow mode were seen to use, for `policy learn`.
struct LearnedPage {
    let facts: AdminFacts

    var json: JSONValue {
        let (all, isWhole) = facts.server.collectLessons(within: AdminFacts.collect)
        var lessons: [String: (table: EndpointTable, lesson: Lesson)] = [:]
        for worker in all {
            guard let table = worker.endpoints else { continue }
            for counted in worker.counted {
                var lesson = lessons.removeValue(forKey: counted.alias)?.lesson ?? Lesson()
                counted.add(to: &lesson)
                lessons[counted.alias] = (table, lesson)
            }
        }
        return .object([
            ("complete", .bool(isWhole)),
            ("aliases_left_out", .number(UInt64(all.map(\.leftOut).max() ?? 0))),
            (
                "aliases",
                .object(
                    lessons.sorted { $0.key < $1.key }.map { ($0.key, Self.object($0.value.lesson, $0.value.table)) })
            ),
        ])
    }

    private static func object(_ lesson: Lesson, _ table: EndpointTable) -> JSONValue {
        .object([
            ("since", .number(UInt64(max(0, lesson.began ?? 0)))),
            (
                "operations",
                .object(
                    lesson.counts.sorted { $0.key < $1.key }.map { (table.name(of: $0.key), .number($0.value)) })
            ),
            ("without_operation", .number(lesson.withoutOperation)),
            ("organizations", .array(lesson.organizations.sorted().map(JSONValue.string))),
            ("projects", .array(lesson.projects.sorted().map(JSONValue.string))),
            ("more_names", .bool(lesson.hasMoreNames)),
        ])
    }
}
