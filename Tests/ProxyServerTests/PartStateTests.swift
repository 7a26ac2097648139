import Testing

@testable import ProxyServer

/// Every pair of a state and an input: where it leads, or that it cannot happen.
@Suite struct PartStateTests {
    private func pairs<State: CaseIterable & Hashable, Input: CaseIterable & Hashable>(
        _ step: (State, Input) -> State?
    ) -> [State: [Input: State]] {
        var table: [State: [Input: State]] = [:]
        for state in State.allCases {
            table[state] = [:]
            for input in Input.allCases { table[state]![input] = step(state, input) }
        }
        return table
    }

    @Test func anUploadEndsOnceAndMayBeginAgain() {
        let table: [Upload: [UploadInput: Upload]] = pairs { step($0, $1) }
        #expect(
            table == [
                .streaming: [.lastByteSent: .done, .gaveUp: .givenUp, .restarted: .streaming],
                .done: [.lastByteSent: .done, .restarted: .streaming],
                .givenUp: [.gaveUp: .givenUp, .restarted: .streaming],
            ])
    }

    @Test func aBodyThatIsNotWhollyKeptIsNeverTakenForOneThatIs() {
        let table: [Recording: [RecordingInput: Recording]] = pairs { step($0, $1) }
        #expect(
            table == [
                .none: [.began: .recording, .requestSent: .none, .overflowed: .overflowed, .released: .none],
                .recording: [.requestSent: .complete, .overflowed: .overflowed, .released: .none],
                .complete: [.requestSent: .complete, .released: .none],
                .overflowed: [.requestSent: .overflowed, .overflowed: .overflowed, .released: .none],
            ])
    }

    @Test func aResponseThatIsToBeFilteredGoesOnCompleteOrNotAtAll() {
        let table: [ResponseStage: [ResponseInput: ResponseStage]] = pairs { step($0, $1) }
        #expect(
            table == [
                .head: [
                    .passes: .passedThrough, .inflates: .inflating, .rewrites: .rewriting, .filters: .filtering,
                    .completed: .complete,
                ],
                .passedThrough: [.completed: .complete],
                .inflating: [.completed: .complete],
                .rewriting: [.passes: .passedThrough, .inflates: .inflating, .completed: .complete],
                .filtering: [.completed: .complete],
                .complete: [.completed: .complete],
            ])
    }
}
