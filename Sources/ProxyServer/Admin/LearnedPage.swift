internal import AccessPolicy

/// `/learned`: what the aliases in shadow mode were seen to use, for `policy learn`.
struct LearnedPage {
    let facts: AdminFacts

    var json: JSONValue {
        let (all, isWhole) = facts.server.collectLessons(within: AdminFacts.collect)
        // Just after a reload some workers may still count by the table before it.
        let table = all.lazy.compactMap(\.endpoints).first
        var lessons: [String: Lesson] = [:]
        for worker in all {
            guard let table, let own = worker.endpoints else { continue }
            let rows = table.rows(in: own)
            for counted in worker.counted {
                counted.following(rows).add(to: &lessons[counted.alias, default: Lesson()])
            }
        }
        return .object([
            ("complete", .bool(isWhole)),
            ("aliases_left_out", .number(UInt64(all.map(\.leftOut).max() ?? 0))),
            (
                "aliases",
                .object(
                    table.map { table in
                        lessons.sorted { $0.key < $1.key }.map { ($0.key, Self.object($0.value, table)) }
                    } ?? [])
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
