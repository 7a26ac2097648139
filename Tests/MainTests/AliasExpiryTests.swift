import Testing

@testable import Main

@Suite struct AliasExpiryTests {
    @Test func `each alias is spoken of once, seven days before its end, and anew for another end`() {
        var reminder = AliasExpiryReminder()
        let day: Int64 = 86_400
        let now: Int64 = 1_800_000_000
        func due(_ ends: [(String, Int64)], at time: Int64) -> [String] {
            reminder.due(ends.map { (name: $0.0, end: $0.1) }, now: time).map(\.name)
        }
        let ends = [("a", now + 8 * day), ("b", now + 7 * day), ("c", now), ("d", now + 1)]
        #expect(due(ends, at: now) == ["b", "d"])
        #expect(due(ends, at: now) == [])
        #expect(due(ends, at: now + day - 1) == [])
        #expect(due(ends, at: now + day) == ["a"])
        #expect(due([("b", now + 6 * day)], at: now) == ["b"])
    }
}
