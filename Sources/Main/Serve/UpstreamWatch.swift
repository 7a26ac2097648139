internal import Logging
internal import ProxyServer
internal import SentryClient
internal import System

/// Keeps `/readyz` informed whether the upstream answers, on a thread of its own: by what traffic shows, and by a probe when
/// there is none.
struct UpstreamWatch {
    /// Less than the pause, so that looks stay in step.
    private static let probe: Duration = .seconds(4)
    private static let collect: Duration = .milliseconds(500)

    let server: Server
    let facts: AdminFacts
    let client: UpstreamClient
    let log: Logger

    func start() throws(SystemError) {
        facts.upstreamIs(silent: true)
        let thread = try Thread(name: "upstream") { [self] in
            var pulse = UpstreamPulse()
            var wasSilent: Bool?
            let never = Latch()
            repeat {
                let seen = server.pulse(within: Self.collect)
                if pulse.look(answers: seen.answers, errors: seen.errors, now: Clock.now), isAnswered() {
                    pulse.answered(now: Clock.now)
                }
                let isSilent = pulse.isSilent(now: Clock.now)
                facts.upstreamIs(silent: isSilent)
                if isSilent != wasSilent { tell(isSilent, isFirst: wasSilent == nil) }
                wasSilent = isSilent
            } while !never.wait(within: UpstreamPulse.look)
        }
        thread.detach()
    }

    /// Without the token: that Sentry answers is the question, not what.
    private func isAnswered() -> Bool {
        guard
            let answer = try? client.exchange(UpstreamRequest(.get, path: "/api/0/"), within: Self.probe)
        else { return false }
        return answer.status < 500
    }

    private func tell(_ isSilent: Bool, isFirst: Bool) {
        if isSilent {
            log.warning("the upstream does not answer: /readyz fails until it does (--ready-check upstream)")
        } else if !isFirst {
            log.info("the upstream answers again")
        }
    }
}
