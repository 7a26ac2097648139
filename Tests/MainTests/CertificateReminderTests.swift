import Testing

@testable import Main

@Suite struct CertificateReminderTests {
    private let day = 86_400

    @Test func eachBoundIsSpokenOfOnce() {
        var reminder = CertificateReminder()
        let end = 100 * day
        var said: [[Int]] = []
        // Every hour from forty days before until two days after.
        for hour in 60 * 24...102 * 24 {
            let now = hour * 3_600
            if let days = reminder.due(end: end, now: now) { said.append([days, now]) }
        }
        #expect(said == [[30, 70 * day], [7, 93 * day], [1, 99 * day], [0, end]])
    }

    @Test func aStartSpeaksOfTheNearestBoundAlone() {
        var reminder = CertificateReminder()
        #expect(reminder.due(end: 100 * day, now: 98 * day) == 7)
        #expect(reminder.due(end: 100 * day, now: 98 * day) == nil)
        var late = CertificateReminder()
        #expect(late.due(end: 100 * day, now: 150 * day) == 0)
        var early = CertificateReminder()
        #expect(early.due(end: 100 * day, now: 70 * day - 1) == nil)
    }

    @Test func anotherCertificateIsSpokenOfAnew() {
        var reminder = CertificateReminder()
        #expect(reminder.due(end: 100 * day, now: 99 * day) == 1)
        #expect(reminder.due(end: 190 * day, now: 99 * day) == nil)
        #expect(reminder.due(end: 190 * day, now: 160 * day) == 30)
        // A clock that is set back says nothing twice.
        #expect(reminder.due(end: 190 * day, now: 159 * day) == nil)
        #expect(reminder.due(end: 190 * day, now: 160 * day) == nil)
    }
}
