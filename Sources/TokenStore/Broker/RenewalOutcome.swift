internal import System

/// How a renewal that a 401 asked for ended. `body_too_large` is the proxy's own outcome.
package enum RenewalOutcome: String, Sendable {
    /// There is another token than the one that was refused: retry once.
    case renewed
    /// The source gives the same token: a retry is no use.
    case unchanged
    /// The source did not answer.
    case unavailable
}

/// An outcome that stands for those who ask soon after.
struct RenewalVerdict {
    let outcome: RenewalOutcome
    let until: Instant
}
