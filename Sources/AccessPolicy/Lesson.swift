/// What one alias was seen to use.
package struct Lesson: Sendable {
    /// Names beyond this are not kept: an alias with more gets no limit to them.
    package static let mostNames = 64

    /// Requests by row of the table.
    package var counts: [Int: UInt64] = [:]
    /// As they stand in paths: slugs or numbers.
    package private(set) var organizations: Set<String> = []
    package private(set) var projects: Set<String> = []
    /// There were more organizations or projects than are kept.
    package var hasMoreNames = false
    /// Requests for no operation of the table: an unknown path, or one that is not in plain form.
    package var withoutOperation: UInt64 = 0
    /// When the first request was seen, or seeing began: seconds since 1970.
    package var began: Int64?

    package init() {}

    package var requests: UInt64 { counts.values.reduce(withoutOperation, +) }

    package mutating func note(organization: String) { note(organization, in: \.organizations) }

    package mutating func note(project: String) { note(project, in: \.projects) }

    private mutating func note(_ name: String, in names: WritableKeyPath<Lesson, Set<String>>) {
        guard !name.isEmpty, !self[keyPath: names].contains(name) else { return }
        if self[keyPath: names].count < Self.mostNames {
            self[keyPath: names].insert(name)
        } else {
            hasMoreNames = true
        }
    }
}
