internal import Synchronization

/// Where reactors read the token: a version to look at on every tick, and the snapshot for when it has changed.
///
/// `version` is one atomic load. `current()` takes a lock that is held for the length of a copy, so a reactor calls it
/// only after it has seen a new version.
package final class TokenPublisher: Sendable {
    private let latestVersion: Atomic<UInt64>
    private let snapshot: Mutex<TokenSnapshot>

    /// - Parameter initial: what is read until the broker publishes; usually `.missing(.notReadYet)`.
    package init(initial: TokenSnapshot) {
        latestVersion = Atomic(initial.version)
        snapshot = Mutex(initial)
    }

    /// The version of what `current()` returns, or of an older snapshot for the instant of a publication.
    package var version: UInt64 { latestVersion.load(ordering: .acquiring) }

    /// The latest snapshot; never older than a `version` read before.
    package func current() -> TokenSnapshot { snapshot.withLock { $0 } }

    /// For the broker alone, which is the only writer.
    package func publish(_ next: TokenSnapshot) {
        snapshot.withLock { current in
            precondition(next.version > current.version, "token versions only grow")
            current = next
            // Inside the lock, so that versions become visible in order.
            latestVersion.store(next.version, ordering: .releasing)
        }
    }
}
