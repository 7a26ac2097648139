internal import System

/// When a client whose FIN is in is asked whether it is still there.
enum Probe: Equatable {
    case none
    case due(Instant)
    case done

    var isDue: Bool { if case .due = self { true } else { false } }
}

/// The time of one exchange.
struct ExchangeTimer {
    /// When the current phase must have got on.
    var deadline = Instant.never
    var probe = Probe.none
    /// When the wheel fires; `.never` is not armed.
    var armedFor = Instant.never
    /// What this iteration allows.
    var share = IterationShare()
}
