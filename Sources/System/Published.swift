internal import Synchronization

/// An immutable value that one side replaces and many threads read, each with a copy of its own.
///
/// Readers compare `version` (one atomic load) and take the lock only when it has changed.
package final class Published<Value: Sendable>: Sendable {
    private let counter = Atomic<UInt64>(0)
    private let value: Mutex<Value>

    package init(_ initial: Value) {
        value = Mutex(initial)
    }

    /// Grows with each publication.
    package var version: UInt64 { counter.load(ordering: .acquiring) }

    /// The value with its version.
    package func current() -> (version: UInt64, value: Value) {
        value.withLock { (counter.load(ordering: .relaxed), $0) }
    }

    package func publish(_ new: Value) {
        value.withLock {
            $0 = new
            counter.add(1, ordering: .releasing)
        }
    }
}
