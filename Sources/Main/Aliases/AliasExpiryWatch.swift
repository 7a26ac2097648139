internal import AccessPolicy
internal import Logging
internal import ProxyServer
internal import System

/// Which aliases to speak of: those that end within seven days. Once each, and anew for another end.
struct AliasExpiryReminder {
    private static let noticeSeconds: Int64 = 7 * 86_400

    /// The ends that were spoken of, by name.
    private var said: [String: Int64] = [:]

    /// - Parameters:
    ///   - ends: by name, in seconds since 1970.
    ///   - now: the same clock.
    /// - Returns: in the order of `ends`.
    mutating func due(_ ends: [(name: String, end: Int64)], now: Int64) -> [(name: String, end: Int64)] {
        let due = ends.filter { now < $0.end && $0.end - now <= Self.noticeSeconds && said[$0.name] != $0.end }
        for (name, end) in due { said[name] = end }
        return due
    }
}

/// Warns of aliases that are about to end, on a thread of its own.
struct AliasExpiryWatch {
    private static let period: Duration = .seconds(60)

    let policy: Published<PolicyConfiguration>
    /// Whether the device flow granted the alias of this name: it is short-lived by design, and nobody has to be told.
    let isGranted: @Sendable (String) -> Bool
    let log: Logger

    func start() throws(SystemError) {
        let thread = try Thread(name: "alias-expiry") { [self] in
            var reminder = AliasExpiryReminder()
            let never = Latch()
            repeat {
                look(&reminder, now: Clock.wall.seconds)
            } while !never.wait(within: Self.period)
        }
        thread.detach()
    }

    private func look(_ reminder: inout AliasExpiryReminder, now: Int64) {
        guard let rights = policy.current().value.rights else { return }
        let ends = rights.table.aliases.indices.compactMap { index in
            rights.limits(of: index).expires.map { (name: rights.name(at: index), end: $0) }
        }
        for (name, end) in reminder.due(ends, now: now) where !isGranted(name) {
            log.warning(
                "an alias ends within seven days: give its holder another (expires=)",
                metadata: ["alias": "\(name)", "end": "\(Timestamp.text(end))", "hours_left": "\((end - now) / 3_600)"])
        }
    }
}
