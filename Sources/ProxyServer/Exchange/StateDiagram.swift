/// The machine as a Mermaid state diagram; ARCHITECTURE.md holds its output and a test compares them.
package func stateDiagram() -> String {
    var lines = ["stateDiagram-v2", "    [*] --> vacant"]
    for phase in Phase.allCases {
        for event in Event.allCases {
            guard case .next(let following, let action) = step(phase, event) else { continue }
            let effect = action == .nothing ? "" : " / \(action)"
            lines.append("    \(phase) --> \(following): \(event)\(effect)")
        }
    }
    return lines.joined(separator: "\n") + "\n"
}
