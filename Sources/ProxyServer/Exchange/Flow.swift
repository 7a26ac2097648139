/// How a step of a loop ended: whether the loop goes on.
enum Flow {
    case goesOn
    /// It does not: with what happened, or with nil when something has to come from outside first.
    case ends(Event?)

    /// What happened.
    var event: Event? {
        switch self {
        case .goesOn: nil
        case .ends(let event): event
        }
    }
}
