internal import HTTP1

/// How far the reading of one body has come.
package struct BodyReading: Sendable {
    fileprivate let member: BodyMember
    fileprivate var scanner = JSONScanner()
    /// Where the slice at hand ends.
    fileprivate var end = 0
    /// What the member came to; nil while it was not there.
    fileprivate var verdict: RightsTable.BodyVerdict?
    /// The value to come is the member's.
    fileprivate var isMember = false
    /// Of its list, how many values there were so far; nil outside of it.
    fileprivate var listed: Int?

    package init(_ member: BodyMember) { self.member = member }
}

/// Looks at a whole JSON body for the member that names projects.
///
/// Python's parser takes the last of two members of one name, so the name must be there once; a name or value with an
/// escape is a spelling that no client needs. The body is read to its end: what is no JSON (RFC 8259) is refused, and so
/// are the forms that only some parsers take.
extension RightsTable {
    package enum BodyVerdict: Sendable, Equatable {
        case allowed, refused
        /// A number in it is needed and not known yet.
        case waiting
    }

    /// Reads the next slice.
    /// - Parameters:
    ///   - body: the request's body, without any coding; the same each time.
    ///   - count: of its bytes, how many more to read.
    ///   - alias: an index of `aliases`, of one that is held to projects.
    /// - Returns: nil when there is more to read.
    package func judge(
        body: Span<UInt8>, next count: Int, _ state: inout BodyReading, alias: Int, _ identifiers: ResolvedIdentifiers
    ) -> BodyVerdict? {
        let rights = Int(aliases[alias].rights)
        guard rights >= 0 else { return .allowed }
        state.end += count
        while true {
            let token = state.scanner.next(body, until: state.end)
            switch token {
            case .paused: return nil
            case .invalid: return .refused
            case .end: return state.verdict ?? (state.member.isOptional ? .allowed : .refused)
            case .name, .string, .scalar, .open, .close:
                guard take(token, body, rights, identifiers, &state) else { return .refused }
            }
        }
    }

    /// - Returns: false when the body is refused, whatever follows.
    private func take(
        _ token: JSONScanner.Token, _ body: Span<UInt8>, _ rights: Int, _ identifiers: ResolvedIdentifiers,
        _ state: inout BodyReading
    ) -> Bool {
        switch (token, state.scanner.depth) {
        case (.open(let isObject), 1): return isObject
        case (.open(let isObject), 2) where state.isMember:
            state.listed = 0
            return !isObject && state.member.name == .projects
        case (.open, _): return state.listed == nil
        case (.name(let name), 1):
            guard !state.scanner.hadEscape else { return false }
            state.isMember = isName(body.extracting(name), state.member.name)
            // There once already?
            return !state.isMember || state.verdict == nil
        case (.string(let text), _): return value(text, isText: true, body, rights, identifiers, &state)
        case (.scalar(let text), _): return value(text, isText: false, body, rights, identifiers, &state)
        case (.close, 1) where state.listed != nil:
            defer { (state.listed, state.isMember) = (nil, false) }
            return state.listed! > 0
        default: return true
        }
    }

    private func isName(_ bytes: Span<UInt8>, _ name: BodyMember.Name) -> Bool {
        switch name {
        case .project: isText(bytes, "project")
        case .projects: isText(bytes, "projects")
        }
    }

    /// A string or scalar; of the member, one value for `project`, and one of a list for `projects`.
    private func value(
        _ text: Range<Int>, isText: Bool, _ body: Span<UInt8>, _ rights: Int, _ identifiers: ResolvedIdentifiers,
        _ state: inout BodyReading
    ) -> Bool {
        guard state.scanner.depth > 0 else { return false }
        guard state.isMember else { return true }
        guard (state.listed != nil) == (state.member.name == .projects), !isText || !state.scanner.hadEscape else {
            return false
        }
        let found = judge(value: body.extracting(text), isText: isText, rights, identifiers)
        guard found != .refused else { return false }
        if state.verdict != .waiting { state.verdict = found }
        if state.listed != nil { state.listed! += 1 } else { state.isMember = false }
        return true
    }

    /// A slug, or a number with or without quotation marks.
    private func judge(
        value: Span<UInt8>, isText: Bool, _ rights: Int, _ identifiers: ResolvedIdentifiers
    ) -> BodyVerdict {
        if isText, hasSlugOfProject(value, rights) { return .allowed }
        guard let id = plainNumber(value) else { return .refused }
        var isWaiting = false
        for i in self.rights[rights].projects.range {
            let known = identifiers.projects[Int(projectList[i])]
            if known == id { return .allowed }
            isWaiting = isWaiting || known == 0
        }
        return isWaiting ? .waiting : .refused
    }
}

/// Whether a `Content-Type` says JSON in UTF-8 (RFC 8259 §8.1): another charset would be another text to Sentry.
package func isPlainJSON(contentType: Span<UInt8>) -> Bool {
    func skip(_ text: StaticString, _ at: Int) -> Int? {
        guard contentType.count - at >= text.utf8CodeUnitCount else { return nil }
        let slice = ByteSlice(start: at, count: text.utf8CodeUnitCount)
        return fieldEquals(contentType, slice, text) ? at + text.utf8CodeUnitCount : nil
    }
    guard var at = skip("application/json", 0) else { return false }
    if at == contentType.count { return true }
    guard contentType[at] == ASCII.semicolon else { return false }
    at += 1
    while at < contentType.count, contentType[at].isBlank { at += 1 }
    return skip("charset=utf-8", at) == contentType.count
}
