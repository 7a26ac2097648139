internal import ProxyServer

/// What the runs have reached, and what they have not.
final class Coverage {
    private var steps: [Phase: [Event: Int]] = [:]
    private var faults: [String: Int] = [:]

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
                    print("missed    \(phase), \(event)")
                }
            }
        }
        print("\(reached) pairs of phase and event were reached, \(missed) were not")
    }
}
