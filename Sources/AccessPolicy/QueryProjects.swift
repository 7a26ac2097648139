internal import HTTP1

/// The parameters of a query, as Django's QueryDict splits them: at `&`, and each at its first `=`.
struct QueryPairs {
    private var at: Int
    /// The bytes from `block` on that are none of base64url, as far as they were not looked at: separators are among them.
    private var block: Int
    private var marks: UInt64 = 0
    private(set) var name = 0..<0
    /// Empty also when there is no `=`.
    private(set) var value = 0..<0
    /// Servers of 2021 and before split there too.
    private(set) var hasSemicolon = false

    /// - Parameter mark: where the `?` is, or the target's end.
    init(from mark: Int) {
        at = mark + 1
        block = at - 64
    }

    var isEmpty: Bool { name.isEmpty && value.isEmpty }

    /// Goes to the next parameter; false at the end.
    mutating func next(_ target: Span<UInt8>) -> Bool {
        guard at < target.count else { return false }
        let start = at
        var equals = -1
        hasSemicolon = false
        search: while true {
            while marks == 0 {
                block += 64
                guard block < target.count else {
                    at = target.count
                    break search
                }
                marks = beyondBase64URL(target, from: block)
            }
            at = block + marks.trailingZeroBitCount
            marks &= marks &- 1
            switch target[at] {
            case UInt8(ascii: "&"): break search
            case UInt8(ascii: "="): if equals < 0 { equals = at }
            case UInt8(ascii: ";"): hasSemicolon = true
            default: break
            }
        }
        name = start..<(equals < 0 ? at : equals)
        value = (equals < 0 ? at : equals + 1)..<at
        at += 1
        return true
    }
}

/// What becomes of a query that chooses projects.
enum QuerySelection: Equatable {
    /// It names allowed projects only.
    case named
    /// It names none: they are filled in.
    case absent
    case refused
    /// A number that is needed is not known yet.
    case waiting
}

extension RightsTable {
    /// Holds the projects in a query to those of the rights.
    ///
    /// Only `project=` with plain decimal numbers and `projectSlug=` with slugs are read; with both of them Sentry
    /// follows the slugs alone, and an escape in name or value is a spelling that no client needs. All of that is refused.
    /// - Parameter takesSlugs: Sentry heeds `projectSlug=` there.
    func selection(
        _ target: Span<UInt8>, from mark: Int, rights: Int, _ identifiers: ResolvedIdentifiers, takesSlugs: Bool = true
    ) -> QuerySelection {
        var hasNumber = false
        var hasSlug = false
        var isWaiting = false
        var pairs = QueryPairs(from: mark)
        while pairs.next(target) {
            if pairs.hasSemicolon { return .refused }
            let name = target.extracting(pairs.name)
            let value = target.extracting(pairs.value)
            if isText(name, "project") {
                hasNumber = true
                switch number(value, rights, identifiers) {
                case .named: break
                case .waiting: isWaiting = true
                case .refused, .absent: return .refused
                }
            } else if isText(name, "projectSlug") {
                hasSlug = true
                guard takesSlugs, hasSlugOfProject(value, rights) else { return .refused }
            } else if mayStandForProject(name) {
                return .refused
            }
        }
        if hasNumber && hasSlug { return .refused }
        if isWaiting { return .waiting }
        if hasNumber || hasSlug { return .named }
        return identifiers.selections[rights].count > 0 ? .absent : .waiting
    }

    private func number(_ value: Span<UInt8>, _ rights: Int, _ identifiers: ResolvedIdentifiers) -> QuerySelection {
        guard let id = plainNumber(value) else { return .refused }
        var isWaiting = false
        for i in self.rights[rights].projects.range {
            let known = identifiers.projects[Int(projectList[i])]
            if known == id { return .named }
            if known == 0 { isWaiting = true }
        }
        return isWaiting ? .waiting : .refused
    }

    /// Whether the bytes are the slug of a project of the rights.
    func hasSlugOfProject(_ bytes: Span<UInt8>, _ rights: Int, ignoringCase: Bool = false) -> Bool {
        for i in self.rights[rights].projects.range {
            if isSlug(projects[Int(projectList[i])].slug, bytes, ignoringCase: ignoringCase) { return true }
        }
        return false
    }

    func isSlug(_ slug: TableText, _ bytes: Span<UInt8>, ignoringCase: Bool = false) -> Bool {
        guard Int(slug.count) == bytes.count else { return false }
        guard ignoringCase else { return bytesEqual(bytes, text.span.extracting(slug.range)) }
        let start = Int(slug.start)
        for i in bytes.indices where text[start + i].lowercased != bytes[i].lowercased { return false }
        return true
    }

    /// Whether a name decodes to one that chooses projects.
    private func mayStandForProject(_ name: Span<UInt8>) -> Bool {
        decodesTo("project", name) || decodesTo("projectSlug", name)
    }

    /// Whether a search for issues may be answered by a direct hit: Sentry looks a short id up in the whole organization,
    /// and an event in all projects of the token's teams, whatever projects the query selects
    /// (src/sentry/issues/endpoints/organization_group_index.py).
    func mayFindById(_ target: Span<UInt8>, from mark: Int) -> Bool {
        var pairs = QueryPairs(from: mark)
        while pairs.next(target) {
            if pairs.hasSemicolon { return true }
            let name = target.extracting(pairs.name)
            let value = target.extracting(pairs.value)
            if decodesTo("shortIdLookup", name), !value.isEmpty, !isText(value, "0") { return true }
            if decodesTo("query", name), mayBeEventID(value) { return true }
        }
        return false
    }

    /// Whether Python's `uuid.UUID` may read the value: 32 hexadecimal digits, with hyphens anywhere, braces around,
    /// `urn:` and `uuid:` before, and in between what `int` forgives, digits of other scripts among it.
    private func mayBeEventID(_ value: Span<UInt8>) -> Bool {
        var count = 0
        var at = 0
        while at < value.count {
            guard let (byte, next) = decodedByte(value, at: at, to: value.count) else { return false }
            at = next
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "+"),
                UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: ":"), UInt8(ascii: "u"), UInt8(ascii: "r"),
                UInt8(ascii: "n"), UInt8(ascii: "i"), UInt8(ascii: "x"), UInt8(ascii: "X"), 0...0x20, 0x7f...:
                count += 1
            default: return false
            }
        }
        return count >= 32
    }

    /// Whether the query has all parameters of one of the lists that an operation needs, none of them empty.
    func hasNeeded(_ operation: Int, _ target: Span<UInt8>, from mark: Int, rights: Int) -> Bool {
        var list: Int32 = -1
        var holds = true
        var isNeeded = false
        for i in self.rights[rights].needs.range where needs[i].operation == Int32(operation) {
            if needs[i].list != list {
                if isNeeded && holds { return true }
                list = needs[i].list
                holds = true
            }
            isNeeded = true
            holds = holds && hasParameter(needs[i].name, target, from: mark)
        }
        return !isNeeded || holds
    }

    private func hasParameter(_ name: TableText, _ target: Span<UInt8>, from mark: Int) -> Bool {
        var isThere = false
        var pairs = QueryPairs(from: mark)
        while pairs.next(target) {
            guard isSlug(name, target.extracting(pairs.name)) else { continue }
            if pairs.value.isEmpty || pairs.hasSemicolon { return false }
            isThere = true
        }
        return isThere
    }
}

/// A decimal number without a sign and without zeros in front, as Sentry writes its own; nil for anything else.
func plainNumber(_ bytes: Span<UInt8>) -> UInt64? {
    guard 1...19 ~= bytes.count, bytes[0] != ASCII.zero else { return nil }
    var value: UInt64 = 0
    for i in bytes.indices {
        guard bytes[i].isDigit else { return nil }
        value = value * 10 + UInt64(bytes[i] &- ASCII.zero)
    }
    return value
}
