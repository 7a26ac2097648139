internal import System

/// The snapshots of one token, one after the other, each with a version of its own.
struct TokenSeries {
    private(set) var snapshot: TokenSnapshot
    /// With which version the token itself last changed.
    private(set) var tokenSince: UInt64
    /// What it says of itself may change with what it finds.
    private let source: any TokenSource
    private let publisher: TokenPublisher

    /// Publishes `.missing(.notReadYet)`.
    init(of source: any TokenSource, _ publisher: TokenPublisher) {
        self.source = source
        self.publisher = publisher
        snapshot = TokenSnapshot(
            version: publisher.version + 1,
            token: nil,
            kind: source.kind,
            source: source.origin,
            isRenewable: source.isRenewable,
            health: .missing(.notReadYet)
        )
        tokenSince = snapshot.version
        publisher.publish(snapshot)
    }

    /// The token that is published next is another one.
    /// - Returns: the version that it will have.
    mutating func changeToken() -> UInt64 {
        tokenSince = snapshot.version + 1
        return tokenSince
    }

    mutating func publish(
        _ token: Secret?, obtainedAt: TokenInstant?, nextRefresh: TokenInstant?, health: TokenHealth, suspect: Bool
    ) {
        snapshot = TokenSnapshot(
            version: snapshot.version + 1,
            token: token,
            kind: source.kind,
            source: source.origin,
            isRenewable: source.isRenewable,
            obtainedAt: obtainedAt,
            nextRefresh: nextRefresh,
            health: health,
            suspect: suspect
        )
        publisher.publish(snapshot)
    }
}
