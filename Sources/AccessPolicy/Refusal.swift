/// A refusal as data: what `ErrorAnswer`'s writer and the access log need.
///
/// 403, or 401 for an alias that has expired (Sentry's own words, which clients' login logic reads), or 429. The body is
/// JSON with the one key `detail`. Never a 401 for a missing right: the sentry CLI would delete its login.
package struct Refusal: Sendable {
    package let reason: RefusalReason
    /// The row that decided; -1 when there is none.
    package let operation: Int32
    /// The alias, an index of `RightsTable.aliases`.
    package let alias: Int

    package init(_ reason: RefusalReason, operation: Int32 = -1, alias: Int) {
        self.reason = reason
        self.operation = operation
        self.alias = alias
    }

    package var status: Int {
        switch reason {
        case .expired: 401
        case .rate, .concurrency: 429
        case .method, .form, .outside, .unknown, .operation, .organization, .project, .needs, .body: 403
        }
    }
}

extension RightsTable {
    /// The scopes of `WWW-Authenticate: Bearer error="insufficient_scope", scope="…"`; none unless the operation itself is
    /// missing, and none for what no scope would give.
    package func challenge(_ refusal: Refusal) -> ScopeSet {
        guard refusal.reason == .operation, refusal.operation >= 0 else { return [] }
        let operation = endpoints.operations[Int(refusal.operation)]
        return operation.operationClass.isNever ? [] : operation.scopes
    }

    /// Writes the value of `detail`: ASCII without `"`, `\` and control bytes, so that it is JSON as it stands.
    /// - Parameter name: the alias's.
    package func writeDetail<Sink: ByteSink>(_ refusal: Refusal, alias name: Span<UInt8>, into sink: inout Sink) {
        if refusal.reason == .expired { return sink.append(text: "Token expired") }
        sink.append(text: "Alias ")
        appendPlain(name, into: &sink)
        switch refusal.reason {
        case .expired: break
        case .rate: sink.append(text: " has used up its rate. Try again later.")
        case .concurrency: sink.append(text: " has too many requests in flight. Try again later.")
        case .method: sink.append(text: " may not use this method")
        case .form: sink.append(text: " may not use a path that can be read in more than one way")
        case .outside: sink.append(text: " may use paths under /api/0/ only")
        case .unknown: sink.append(text: " may not use this path: this proxy does not know what it does")
        case .operation, .organization, .project, .needs, .body:
            sink.append(text: " may not ")
            appendOperation(refusal, into: &sink)
        }
        guard refusal.status == 403 else { return }
        appendWhy(refusal, into: &sink)
        sink.append(text: " Ask this proxy's operator.")
    }

    private func appendOperation<Sink: ByteSink>(_ refusal: Refusal, into sink: inout Sink) {
        guard refusal.operation >= 0 else { return sink.append(text: "do this") }
        let operation = endpoints.operations[Int(refusal.operation)]
        sink.append(text: operation.method.name)
        sink.append(text: " ")
        sink.append(endpoints.text.span.extracting(endpoints.templates[Int(operation.template)].path.range))
    }

    private func appendWhy<Sink: ByteSink>(_ refusal: Refusal, into sink: inout Sink) {
        sink.append(text: " (")
        switch refusal.reason {
        case .operation where refusal.operation >= 0:
            let operation = endpoints.operations[Int(refusal.operation)]
            if operation.operationClass.isNever {
                sink.append(text: "not for a narrowed alias; ")
            } else {
                switch operation.effect {
                case .read, .readByPOST: sink.append(text: "reads; ")
                case .write, .writeOnGET: sink.append(text: "changes data; ")
                case .secret: sink.append(text: "hands out secrets; ")
                }
            }
        case .organization: sink.append(text: "not in an organization of its own; ")
        case .project: sink.append(text: "not surely in a project of its own; ")
        case .needs: sink.append(text: "without a parameter that is needed; ")
        case .body: sink.append(text: "its body names other projects, or none; ")
        default: break
        }
        sink.append(text: "it holds ")
        let rights = aliases[refusal.alias].rights
        if rights >= 0 {
            appendPlain(text.span.extracting(self.rights[Int(rights)].words.range), into: &sink)
        } else {
            sink.append(text: "everything")
        }
        sink.append(text: ").")
    }

    func appendPlain<Sink: ByteSink>(_ bytes: Span<UInt8>, into sink: inout Sink) {
        var start = 0
        for i in bytes.indices {
            switch bytes[i] {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0..<0x20, 0x7f...:
                sink.append(bytes.extracting(start..<i))
                sink.append(text: "?")
                start = i + 1
            default: break
            }
        }
        sink.append(bytes.extracting(start..<bytes.count))
    }
}
