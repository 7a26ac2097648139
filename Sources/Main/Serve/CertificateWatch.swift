internal import Logging
internal import ProxyServer
internal import System

/// When to speak of the end of the listener's certificate: 30, 7 and 1 days before it, and when it is there. Once each, and anew
/// for another certificate.
struct CertificateReminder {
    private static let daySeconds = 86_400
    private static let days = [30, 7, 1, 0]

    private var end: Int?
    /// The days that were last spoken of.
    private var said: Int?

    /// - Parameters:
    ///   - end: of the certificate, in seconds since 1970.
    ///   - now: the same clock.
    /// - Returns: below how many days is left, 0 when it has ended; nil when there is nothing new to say.
    mutating func due(end: Int, now: Int) -> Int? {
        if end != self.end { (self.end, said) = (end, nil) }
        guard let days = Self.days.filter({ end - now <= $0 * Self.daySeconds }).min(), days < said ?? .max else {
            return nil
        }
        said = days
        return days
    }
}

/// Warns of the end of the listener's certificate, on a thread of its own.
struct CertificateWatch {
    private static let period: Duration = .seconds(60)

    let tls: Published<TLSContexts>
    let log: Logger

    func start() throws(SystemError) {
        let thread = try Thread(name: "certificate") { [self] in
            var reminder = CertificateReminder()
            let never = Latch()
            repeat {
                look(&reminder, now: Int(Clock.wall.seconds))
            } while !never.wait(within: Self.period)
        }
        thread.detach()
    }

    private func look(_ reminder: inout CertificateReminder, now: Int) {
        guard let end = tls.current().value.server?.certificateEndSeconds, let days = reminder.due(end: end, now: now)
        else { return }
        let metadata: Logger.Metadata = ["end": "\(end)", "hours_left": "\((end - now) / 3_600)"]
        if days == 0 {
            log.error(
                "the listener's certificate has expired and clients refuse it: renew it (--tls-cert)",
                metadata: metadata)
        } else {
            log.warning("the listener's certificate expires within days: renew it (--tls-cert)", metadata: metadata)
        }
    }
}
