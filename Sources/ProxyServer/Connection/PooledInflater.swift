/// An inflater that passes from exchange to exchange.
final class PooledInflater {
    var inflater: Inflater
    /// The last output was full, so that there may be more without more input.
    var mayHaveMore = false

    /// Nil if there is no memory for it.
    init?() {
        guard let inflater = Inflater() else { return nil }
        self.inflater = inflater
    }
}
