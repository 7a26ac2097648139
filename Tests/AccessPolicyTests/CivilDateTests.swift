import Foundation
import Testing

@testable import AccessPolicy

@Suite struct CivilDateTests {
    @Test func agreesWithACalendarForFourHundredYears() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
        for day in stride(from: 0, to: 146_097, by: 11) {
            let date = calendar.dateComponents(
                [.year, .month, .day], from: Date(timeIntervalSince1970: Double(day) * 86_400))
            let civil = CivilDate(daysSince1970: day)
            #expect(civil.year == date.year && civil.month == date.month && civil.day == date.day, "day \(day)")
        }
    }

    @Test func eachDayIsTheOneAfterTheLast() {
        var last = CivilDate(daysSince1970: 0)
        for day in 1..<50_000 {
            let next = CivilDate(daysSince1970: day)
            let isNextDay = next.year == last.year && next.month == last.month && next.day == last.day + 1
            let isNextMonth = next.day == 1 && next.year * 12 + next.month == last.year * 12 + last.month + 1
            #expect(isNextDay || isNextMonth, "day \(day)")
            last = next
        }
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"),
        (1_795_917_979, "2026-11-29T02:06:19Z"),
    ])
    func aTimeAndItsTextAreOne(_ seconds: Int64, _ text: String) {
        #expect(Timestamp.text(seconds) == text)
        #expect(Timestamp.seconds(text) == seconds)
    }
}
