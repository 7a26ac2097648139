/// What is wrong with the settings. A start ends at the first mistake; a check continues and reports them all.
struct Mistakes {
    private(set) var all: [Failure] = []

    mutating func note(_ failure: Failure) {
        if !all.contains(where: { $0.message == failure.message }) { all.append(failure) }
    }

    /// Does one step of a check.
    /// - Returns: nil when it failed.
    mutating func trying<Value>(_ body: () throws(Failure) -> Value) -> Value? {
        do throws(Failure) {
            return try body()
        } catch {
            note(error)
            return nil
        }
    }

    /// Reads settings again and again, each time with one mistake less: the setting that is to blame counts as unset from
    /// then on. There are as many turns as settings, at most.
    /// - Returns: nil when it cannot be told which setting a mistake is of: others may hide behind it.
    mutating func readingAll<Value>(_ body: () throws(Failure) -> Value) -> Value? {
        while true {
            do throws(Failure) {
                return try body()
            } catch {
                note(error)
                guard SettingSources.setAside(blamedBy: error.message) else { return nil }
            }
        }
    }
}
