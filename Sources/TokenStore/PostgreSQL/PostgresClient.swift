internal import Synchronization
package import System

/// One user of the database: its questions go over one route, and of those that the server leaves without an answer at
/// most one waits there.
///
/// A question whose time is up is cancelled. A server may not get to that for as long as its disk is stuck, and each
/// retry would leave one more backend waiting; so while the old question is out, a new one only waits for it to end.
package final class PostgresClient: Sendable {
    /// How often the server is asked again to cancel.
    static let cancelTime: Duration = .seconds(30)

    let string: ConnectionString
    private let route = PostgresRoute()
    private let isWaitedFor = Atomic<Bool>(false)
    private let isCancelling = Atomic<Bool>(false)

    package init(_ string: ConnectionString) {
        self.string = string
    }

    /// Connects and runs `body`, both before `deadline` of the monotonic clock. Blocks its thread.
    package func ask<R>(
        until deadline: Instant, _ body: (PostgresQuery) throws(PostgresFailure) -> R
    ) throws(DatabaseError) -> R {
        do throws(PostgresFailure) {
            pauseThread(until: deadline) { !isWaitedFor.load(ordering: .acquiring) }
            guard !isWaitedFor.load(ordering: .acquiring) else {
                throw PostgresFailure(.timeout, "the server has not answered an earlier query, nor cancelled it")
            }
            let query = try PostgresQuery(string, route: route, deadline: deadline)
            do throws(PostgresFailure) {
                return try body(query)
            } catch {
                if query.isUnanswered { abandon(query) }
                throw error
            }
        } catch {
            throw named(error.error)
        }
    }

    /// Cancels a query and reads on until the server or the kernel says that it is over, on a thread of its own.
    private func abandon(_ query: PostgresQuery) {
        isWaitedFor.store(true, ordering: .releasing)
        // Nobody else uses it any more: its asker has only the failure in hand.
        nonisolated(unsafe) let query = query
        let isRunning = startThread { [self] in
            repeat { cancel(query) } while !query.drain(until: Clock.now + Self.cancelTime)
            isWaitedFor.store(false, ordering: .releasing)
        }
        if !isRunning { isWaitedFor.store(false, ordering: .releasing) }
    }

    /// At most one request to cancel is under way: it may hang where the query does.
    private func cancel(_ query: PostgresQuery) {
        guard isCancelling.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        else { return }
        guard let request = query.canceller() else { return isCancelling.store(false, ordering: .releasing) }
        nonisolated(unsafe) let canceller = request
        let isRunning = startThread { [self] in
            canceller.send()
            isCancelling.store(false, ordering: .releasing)
        }
        if !isRunning { isCancelling.store(false, ordering: .releasing) }
    }

    /// With the name of what to mend; where nobody configured anything, that is what is wrong.
    private func named(_ error: DatabaseError) -> DatabaseError {
        let source = string.source
        let isDefault = source == nil && (error.kind == .unreachable || error.kind == .badConnectionString)
        return DatabaseError(
            isDefault ? .notConfigured : error.kind, words: isDefault ? "" : error.words, source: source)
    }
}
