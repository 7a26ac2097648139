internal import AccessPolicy
internal import EventLoop
internal import Synchronization

/// What the aliases in shadow mode were seen to use, counted by one worker in memory that is there from the load on.
struct Lessons: Sendable {
    /// Aliases beyond this are not learned of: some 13 KB are held for each.
    static let mostAliases = 256

    struct Counted: Sendable {
        let alias: String
        /// Seconds since 1970.
        let began: Int64
        /// By row of the table.
        var counts: [UInt32]
        var withoutOperation: UInt64 = 0
        var organizations = SeenNames()
        var projects = SeenNames()
    }

    private(set) var counted: [Counted] = []
    /// By the index of an alias: its place in `counted`, or -1. Empty when nothing is learned.
    private var places: [Int32] = []
    /// Aliases in shadow mode that found no place.
    private(set) var leftOut = 0
    private(set) var endpoints: EndpointTable?

    /// Takes up the aliases that are in shadow mode now; what was learned of one stays as long as it is. For start and load.
    /// - Parameter now: seconds since 1970.
    mutating func follow(_ rights: RightsInForce?, now: Int64) {
        let old = self
        self = Lessons()
        guard let rights else { return }
        let learning = rights.table.aliases.indices.filter { rights.limits(of: $0).isShadow }
        guard !learning.isEmpty else { return }
        endpoints = rights.table.endpoints
        leftOut = max(0, learning.count - Self.mostAliases)
        places = Array(repeating: -1, count: rights.table.aliases.count)
        let known = Dictionary(uniqueKeysWithValues: old.counted.enumerated().map { ($1.alias, $0) })
        let rows = old.endpoints.map { rights.table.endpoints.rows(in: $0) }
        for alias in learning.prefix(Self.mostAliases) {
            places[alias] = Int32(counted.count)
            let name = rights.name(at: alias)
            if let place = known[name], let rows {
                counted.append(old.counted[place].following(rows))
            } else {
                counted.append(
                    Counted(
                        alias: name, began: now,
                        counts: Array(repeating: 0, count: rights.table.endpoints.operations.count)))
            }
        }
    }

    /// Counts a request that goes on in shadow mode.
    mutating func note(_ verdict: Verdict, _ target: Span<UInt8>, alias: Int) {
        guard alias < places.count, places[alias] >= 0 else { return }
        let place = Int(places[alias])
        let row = Int(verdict.operation)
        guard row >= 0, row < counted[place].counts.count else {
            counted[place].withoutOperation &+= 1
            return
        }
        if counted[place].counts[row] < .max { counted[place].counts[row] += 1 }
        counted[place].organizations.note(target.extracting(verdict.names.organization.range))
        counted[place].projects.note(target.extracting(verdict.names.project.range))
    }

    /// A copy for another thread that shares no memory with this one, so that counting goes on without allocating.
    func detached() -> Lessons {
        var copy = self
        for place in copy.counted.indices { copy.counted[place].detach() }
        return copy
    }
}

extension Lessons.Counted {
    /// The same with the rows of another table.
    /// - Parameter rows: for each of its rows the one that is the same operation here.
    func following(_ rows: [Int?]) -> Lessons.Counted {
        var lesson = self
        lesson.counts = rows.map { $0.map { counts[$0] } ?? 0 }
        return lesson
    }

    fileprivate mutating func detach() {
        counts = counts.map { $0 }
        organizations.detach()
        projects.detach()
    }

    /// Adds what was counted to what is known.
    func add(to lesson: inout Lesson) {
        for row in counts.indices where counts[row] > 0 { lesson.counts[row, default: 0] += UInt64(counts[row]) }
        lesson.withoutOperation += withoutOperation
        lesson.began = min(lesson.began ?? .max, began)
        for name in organizations.names { lesson.note(organization: name) }
        for name in projects.names { lesson.note(project: name) }
        lesson.hasMoreNames = lesson.hasMoreNames || organizations.hasMore || projects.hasMore
    }
}

/// Names of up to 64 bytes, as many as `Lesson` keeps, in memory that is there from the start.
struct SeenNames: Sendable {
    static let mostBytes = 64

    private var bytes = [UInt8](repeating: 0, count: Lesson.mostNames * mostBytes)
    private var lengths: [UInt8] = Array(repeating: 0, count: Lesson.mostNames)
    private var count = 0
    /// There were more, or longer ones.
    private(set) var hasMore = false

    mutating func note(_ name: Span<UInt8>) {
        guard !name.isEmpty else { return }
        guard name.count <= Self.mostBytes else {
            hasMore = true
            return
        }
        for index in 0..<count where holds(name, at: index) { return }
        guard count < Lesson.mostNames else {
            hasMore = true
            return
        }
        for i in name.indices { bytes[count * Self.mostBytes + i] = name[i] }
        lengths[count] = UInt8(name.count)
        count += 1
    }

    private func holds(_ name: Span<UInt8>, at index: Int) -> Bool {
        guard Int(lengths[index]) == name.count else { return false }
        for i in name.indices where bytes[index * Self.mostBytes + i] != name[i] { return false }
        return true
    }

    fileprivate mutating func detach() { (bytes, lengths) = (bytes.map { $0 }, lengths.map { $0 }) }

    var names: [String] {
        (0..<count).map {
            let start = $0 * Self.mostBytes
            return String(decoding: bytes[start..<start + Int(lengths[$0])], as: UTF8.self)
        }
    }
}

/// Lessons of all workers, as their answers come in.
final class LessonCollection: Sendable {
    private let answers = Mutex<[Lessons]>([])

    func add(_ lessons: Lessons) { answers.withLock { $0.append(lessons) } }

    var all: [Lessons] { answers.withLock { $0 } }
}
