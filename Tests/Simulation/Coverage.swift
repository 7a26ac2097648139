internal import ProxyServer

/// What the runs have reached, and what they have not.
final class Coverage {
    private var steps: [Phase: [Event: Int]] = [:]
    private var faults: [String: Int] = [:]

    /// Pairs that are legal and that no run can reach.
    private static let reasons = [
        "dialing, requestRefused": "nothing reports it; a request is refused before it dials",
        "closing, clientLeft": "a client in this phase is drained, and what it does ends in bothClosed",
        "readingHead, flowWanted": "the device flow is off",
        "collectingBody, flowWanted": "the device flow is off",
        "consulting, clientLeft": "the device flow is off",
        "consulting, flowAnswered": "the device flow is off",
        "consulting, flowSilent": "the device flow is off",
    ]

    func note(_ phase: Phase, _ event: Event) {
        steps[phase, default: [:]][event, default: 0] += 1
    }

    func note(_ struck: [String: Int]) {
        faults.merge(struck, uniquingKeysWith: +)
    }

    func report() {
        for (name, count) in faults.sorted(by: { $0.key < $1.key }) { print("fault     \(name): \(count)") }
        var (reached, missed) = (0, 0)
        // To ask the machine is a step too.
        let steps = self.steps
        for phase in Phase.allCases {
            for event in Event.allCases {
                guard case .next = step(phase, event) else { continue }
                if let count = steps[phase]?[event] {
                    reached += 1
                    print("reached   \(phase), \(event): \(count)")
                } else {
                    missed += 1
                    print("missed    \(phase), \(event)\(Self.reasons["\(phase), \(event)"].map { ": \($0)" } ?? "")")
                }
            }
        }
        print("\(reached) pairs of phase and event were reached, \(missed) were not")
    }
}
