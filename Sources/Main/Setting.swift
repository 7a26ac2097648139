/// A flag with the environment variable that stands in for it.
struct Setting {
    let flag: String
    let variable: String

    init(_ flag: String, _ variable: String) {
        self.flag = flag
        self.variable = variable
    }

    /// The flag's value or else the variable's, with the name to blame when it is wrong. Empty counts as unset.
    func given(_ flagValue: String?) -> Given? {
        if let value = flagValue.flatMap(Environment.trimmed) {
            return Given(value: value, name: flag, status: .usage)
        }
        return Environment.value(variable).map { Given(value: $0, name: variable, status: .configuration) }
    }

    /// The flag or variable when it is set and holds nothing.
    func blank(_ flagValue: String?) -> Given? {
        if let flagValue {
            return Environment.trimmed(flagValue) == nil ? Given(value: "", name: flag, status: .usage) : nil
        }
        return Environment.isBlank(variable) ? Given(value: "", name: variable, status: .configuration) : nil
    }

    /// The parsed value.
    /// - Parameters:
    ///   - expected: what the operator should have written, for the error.
    ///   - parse: nil for a value that is not of that form.
    func parsed<Value>(
        _ flagValue: String?, expected: String, _ parse: (String) -> Value?
    ) throws(Failure) -> Value? {
        guard let given = given(flagValue) else { return nil }
        guard let value = parse(given.value) else {
            throw Failure(given.status, "\(given.name): '\(given.value)' is not \(expected)")
        }
        return value
    }
}

/// A value and where it came from.
struct Given {
    let value: String
    let name: String
    let status: Failure.Status
}
