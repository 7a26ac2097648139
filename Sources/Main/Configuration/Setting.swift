/// A flag with the environment variable and the name in a file of settings that stand in for it.
struct Setting {
    let flag: String
    let variable: String

    init(_ flag: String, _ variable: String) {
        self.flag = flag
        self.variable = variable
    }

    /// The flag's value, or else the variable's, or else what the file of settings says, with the name to blame when it is
    /// wrong. Empty counts as unset.
    func given(_ flagValue: String?) -> Given? {
        guard !SettingSources.isSetAside(flag) else { return nil }
        return found(flagValue).map(noted)
    }

    private func found(_ flagValue: String?) -> Given? {
        if let value = flagValue.flatMap(Environment.trimmed) {
            return Given(value: value, name: flag, status: .usage)
        }
        if let value = Environment.value(variable) {
            return Given(value: value, name: variable, status: .configuration)
        }
        return SettingSources.given(flag)
    }

    /// The flag or variable when it is set and holds nothing.
    func blank(_ flagValue: String?) -> Given? {
        guard !SettingSources.isSetAside(flag) else { return nil }
        if let flagValue {
            return Environment.trimmed(flagValue) == nil ? noted(Given(value: "", name: flag, status: .usage)) : nil
        }
        return Environment.isBlank(variable) ? noted(Given(value: "", name: variable, status: .configuration)) : nil
    }

    private func noted(_ given: Given) -> Given {
        SettingSources.note(given.name, of: flag)
        return given
    }

    /// Who says that a flag without a value is on: itself, its variable or a line; nil when it is off.
    func switchedOn(_ flagIsThere: Bool) throws(Failure) -> Given? {
        if flagIsThere, !SettingSources.isSetAside(flag) {
            return noted(Given(value: "true", name: flag, status: .usage))
        }
        guard let given = given(nil) else { return nil }
        return try parsed(nil, expected: Quantities.truthForm, Quantities.truth) ?? false ? given : nil
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
