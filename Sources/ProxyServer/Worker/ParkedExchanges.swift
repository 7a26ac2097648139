internal import EventLoop

/// Exchanges of one worker that wait for a renewal, by the version of the token that was refused.
struct ParkedExchanges {
    private var waiting: [(version: UInt64, token: EventToken)] = []

    /// - Returns: whether it is the first for this version, for which nobody was asked yet.
    mutating func park(_ token: EventToken, version: UInt64) -> Bool {
        let isFirst = isIdle(version: version)
        waiting.append((version, token))
        return isFirst
    }

    /// Whether nobody was asked about this version yet.
    func isIdle(version: UInt64) -> Bool { !waiting.contains { $0.version == version } }

    /// Takes all that wait for this version.
    mutating func take(version: UInt64) -> [EventToken] {
        let found = waiting.filter { $0.version == version }.map(\.token)
        waiting.removeAll { $0.version == version }
        return found
    }
}
