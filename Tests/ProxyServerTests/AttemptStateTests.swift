import Testing

@testable import ProxyServer

@Suite struct AttemptStateTests {
    /// What can happen in each state; every other pair is counted as an impossible step.
    private static let legal: [AttemptState: Set<AttemptInput>] = [
        .none: [.addressesMissing, .queueFull, .began],
        .awaitingAddresses: [.queueFull, .began],
        .awaitingQueue: [.queueFull, .began],
        .one: [.secondBegan, .handshakeBegan, .failed, .connected],
        .two: [.handshakeBegan, .failed, .connected],
        .handshaking: [.failed, .connected],
        .connected: [],
    ]

    @Test(arguments: AttemptState.allCases)
    func everyPairIsLegalOrListed(_ state: AttemptState) throws {
        let taken = AttemptInput.allCases.filter { step(state, $0) != nil }
        #expect(Set(taken) == (try #require(Self.legal[state])))
    }

    @Test func everyStateIsReachedAndEveryInputUsed() {
        let pairs = AttemptState.allCases.flatMap { state in AttemptInput.allCases.map { (state, $0) } }
        let reached = Set(pairs.compactMap { step($0.0, $0.1) })
        #expect(reached == Set(AttemptState.allCases))
    }

    @Test func ofTwoAttemptsTheOtherIsLeft() {
        #expect(step(.two, .failed) == .one)
        #expect(step(.one, .failed) == AttemptState.none)
    }

    @Test func theDiagramHasOneLineForEachLegalPair() {
        let lines = attemptDiagram().split(separator: "\n")
        #expect(lines.count == 2 + Self.legal.values.reduce(0) { $0 + $1.count })
    }
}
