/// When a client whose FIN is in is asked whether it is still there.
enum Probe: Equatable {
    case none
    /// Nanoseconds of the monotonic clock.
    case due(UInt64)
    case done

    var isDue: Bool { if case .due = self { true } else { false } }
}

/// The time of one exchange, in nanoseconds of the monotonic clock.
struct ExchangeTimer {
    /// When the current phase must have got on; `.max` is never.
    var deadline = UInt64.max
    var probe = Probe.none
    /// When the wheel fires; `.max` is not armed.
    var armedFor = UInt64.max
    /// What this turn allows.
    var share = TurnShare()
}
