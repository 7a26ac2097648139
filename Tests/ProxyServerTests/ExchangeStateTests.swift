import Testing

@testable import ProxyServer

@Suite struct ExchangeStateTests {
    /// The events that can happen in each phase; every other pair is illegal.
    private static let legal: [Phase: Set<Event>] = [
        .vacant: [.accepted],
        .readingHead: [
            .flowWanted, .headAccepted, .bodyWanted, .renewalWanted, .requestRefused, .clientTimedOut, .clientLeft,
        ],
        .collectingBody: [
            .flowWanted,
            .bodyCollected, .bodyOutgrewBuffer, .renewalWanted, .requestRefused, .clientTimedOut, .clientLeft,
        ],
        .renewingFirst: [.tokenRenewed, .tokenNotRenewed, .clientLeft],
        .dialing: [.connected, .dialFailed, .clientLeft],
        .sendingRequest: [
            .requestSent, .responseBegan, .tokenRefused, .requestRefused, .upstreamFailed, .upstreamTimedOut,
            .clientTimedOut, .clientLeft,
        ],
        .awaitingResponse: [.responseBegan, .tokenRefused, .upstreamFailed, .upstreamTimedOut, .clientLeft],
        .renewing: [.tokenRenewed, .tokenNotRenewed, .upstreamFailed, .clientLeft],
        .relayingEarly: [.requestSent, .responseSent, .responseBroken, .relayStalled, .requestRefused, .clientLeft],
        .relaying: [.responseSent, .responseBroken, .relayStalled, .clientLeft],
        .consulting: [.flowAnswered, .flowSilent, .clientLeft],
        .respondingLocally: [.responseSent, .relayStalled, .clientLeft],
        .closing: [.bothClosed],
    ]

    private func following(_ phase: Phase) -> [(event: Event, phase: Phase, action: Action)] {
        Event.allCases.compactMap { event in
            guard case .next(let next, let action) = step(phase, event) else { return nil }
            return (event, next, action)
        }
    }

    @Test(arguments: Phase.allCases)
    func everyPairIsLegalOrListed(_ phase: Phase) throws {
        #expect(Set(following(phase).map(\.event)) == (try #require(Self.legal[phase])))
    }

    @Test(arguments: Phase.allCases)
    func everyPhaseCanEnd(_ phase: Phase) {
        var reached: Set<Phase> = [phase]
        var open = [phase]
        while let current = open.popLast() {
            for (_, next, _) in following(current) where reached.insert(next).inserted { open.append(next) }
        }
        #expect(reached.contains(.vacant))
    }

    @Test func everyPhaseIsReachedAndEveryActionAndEventIsUsed() {
        let steps = Phase.allCases.flatMap(following)
        #expect(Set(steps.map(\.phase)) == Set(Phase.allCases))
        #expect(Set(steps.map(\.action)) == Set(Action.allCases))
        #expect(Set(steps.map(\.event)) == Set(Event.allCases))
    }

    @Test func aClientMayLeaveAtAnyTimeAndItsSlotIsGivenBack() {
        // A client that is closed already is read to its end.
        for phase in Phase.allCases where phase != .vacant && phase != .closing {
            guard case .next(.vacant, let action) = step(phase, .clientLeft) else {
                Issue.record("\(phase) does not end")
                continue
            }
            #expect(action == .release || action == .abandon)
        }
    }

    @Test func whatLeadsToVacantGivesTheSlotBack() {
        for phase in Phase.allCases {
            for (event, next, action) in following(phase) {
                #expect((next == .vacant) == (action == .release || action == .abandon), "\(phase), \(event)")
            }
        }
    }

    @Test func theDiagramHasOneLineForEachLegalPair() {
        let lines = stateDiagram().split(separator: "\n")
        #expect(lines.first == "stateDiagram-v2")
        #expect(lines.count == 2 + Self.legal.values.reduce(0) { $0 + $1.count })
        #expect(lines.contains("    readingHead --> dialing: headAccepted / dial"))
        #expect(lines.contains("    sendingRequest --> awaitingResponse: requestSent"))
    }
}
