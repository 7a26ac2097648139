import System
import Testing

@testable import ProxyServer

@Suite struct ExchangeTimerTests {
    @Test func onlyAProbeThatIsToComeIsDue() {
        let isDue = [Probe.none, .due(.never), .done].map(\.isDue)
        #expect(isDue == [false, true, false])
    }
}
