internal import HTTP1

/// Header rules in the form in which every field is looked up: a bit for each known field.
struct CompiledRules: Sendable {
    private let onBypass: KnownFields
    private let onElevated: KnownFields

    init(_ rules: [HeaderRule]) {
        var (onBypass, onElevated) = (KnownFields(), KnownFields())
        for rule in rules {
            let fields = Self.fields(of: rule)
            onElevated = onElevated | fields
            if rule.scope == .both { onBypass = onBypass | fields }
        }
        (self.onBypass, self.onElevated) = (onBypass, onElevated)
    }

    /// Every field of which a rule speaks is a known one.
    private static func fields(of rule: HeaderRule) -> KnownFields {
        let name = rule.name.withUTF8Buffer { Array($0) }
        if name.last != UInt8(ascii: "*") {
            let field = KnownField(name.span, ByteSlice(start: 0, count: name.count))
            precondition(field != .unknown, "a rule names a known field")
            return KnownFields(field)
        }
        // Of the names with a prefix one may be known by itself.
        var fields = KnownFields()
        for ending in ["", "for"] {
            let example = name.dropLast() + ending.utf8
            let field = KnownField(Array(example).span, ByteSlice(start: 0, count: example.count))
            precondition(field != .unknown, "a rule names a known prefix")
            fields = fields | field
        }
        return fields
    }

    /// The fields that a rule takes out on this route.
    @inline(__always)
    func dropped(on route: Route) -> KnownFields { route.isElevated ? onElevated : onBypass }
}
