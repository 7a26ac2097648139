@testable import ProxyServer

/// A part's machine as a Mermaid state diagram; ARCHITECTURE.md holds it.
func partDiagram<State: CaseIterable & Equatable, Input: CaseIterable>(
    from first: State, _ step: (State, Input) -> State?
) -> String {
    var lines = ["stateDiagram-v2", "    [*] --> \(first)"]
    for state in State.allCases {
        for input in Input.allCases {
            guard let following = step(state, input) else { continue }
            lines.append("    \(state) --> \(following): \(input)")
        }
    }
    return lines.joined(separator: "\n") + "\n"
}

func attemptDiagram() -> String {
    partDiagram(from: AttemptState.none) { (state: AttemptState, input: AttemptInput) in step(state, input) }
}
