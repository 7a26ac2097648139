internal import System

/// The upstream refuses the token that is in use.
struct TokenRefusal {
    /// How often it said so.
    var answers: Int
    var askAgain: Instant

    /// What is known after another answer; nil when the token is not refused.
    init?(_ before: TokenRefusal?, _ standing: TokenStanding, askAgain: Instant) {
        switch standing {
        case .accepted: return nil
        case .refused: self.init(answers: (before?.answers ?? 0) + 1, askAgain: askAgain)
        case .unclear:
            guard let before else { return nil }
            self.init(answers: before.answers, askAgain: askAgain)
        }
    }

    private init(answers: Int, askAgain: Instant) {
        self.answers = answers
        self.askAgain = askAgain
    }
}
