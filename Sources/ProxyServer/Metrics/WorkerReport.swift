internal import Synchronization
internal import System

/// One worker as it was last seen.
package struct WorkerReport: Sendable {
    package internal(set) var counters = Counters()
    /// It answered this time, or has ended: the counters are what they are now.
    package internal(set) var isCurrent = false
    fileprivate var longestIteration = Duration.zero
    fileprivate var hasEnded = false
}

/// The last reports of all workers, so that counters never go back when a worker is busy or gone.
final class WorkerReports: Sendable {
    private let reports: Mutex<[WorkerReport]>

    init(count: Int) {
        reports = Mutex(Array(repeating: WorkerReport(), count: count))
    }

    func update(_ index: Int, _ counters: Counters, longestIteration: Duration, hasEnded: Bool = false) {
        reports.withLock {
            $0[index].counters = counters
            $0[index].longestIteration = max($0[index].longestIteration, longestIteration)
            $0[index].hasEnded = $0[index].hasEnded || hasEnded
        }
    }

    var hasEnded: Bool { reports.withLock { $0.contains(where: \.hasEnded) } }

    /// A question to all workers that have not ended.
    func ask() -> Question {
        Question(reports.withLock { $0.map { !$0.hasEnded } })
    }

    /// Waits for the answers.
    func take(_ question: Question, within time: Duration) -> [WorkerReport] {
        let missing = question.wait(within: time)
        return reports.withLock { reports in
            for index in reports.indices { reports[index].isCurrent = reports[index].hasEnded || !missing[index] }
            return reports
        }
    }

    func takeLongestIterations() -> [Duration] {
        reports.withLock { reports in
            defer { for index in reports.indices { reports[index].longestIteration = .zero } }
            return reports.map(\.longestIteration)
        }
    }

    /// Who still has to answer.
    final class Question: Sendable {
        private let missing: Mutex<[Bool]>
        private let allAnswered = Latch()

        init(_ asked: [Bool]) {
            missing = Mutex(asked)
            if !asked.contains(true) { allAnswered.open() }
        }

        func isAsked(_ index: Int) -> Bool { missing.withLock { $0[index] } }

        func answered(_ index: Int) {
            let isLast = missing.withLock { missing in
                missing[index] = false
                return !missing.contains(true)
            }
            if isLast { allAnswered.open() }
        }

        /// - Returns: for each worker whether it is missing.
        func wait(within time: Duration) -> [Bool] {
            _ = allAnswered.wait(within: time)
            return missing.withLock { $0 }
        }
    }
}
