internal import HTTP1

/// What is done with the answer to a narrowed alias, besides what is done for every client.
@usableFromInline
package enum AnswerFilter: UInt8, Sendable {
    case none
    /// Elements of the list stay whose `slug` is that of an organization of the rights.
    case organizations
    /// Elements of the list stay whose `slug` is that of a project of the rights.
    case projects
    /// The member `securityToken` is blanked.
    case securityToken

    @inlinable @inline(__always)
    package var isNone: Bool { if case .none = self { true } else { false } }
}

/// How far the filtering of one answer has come.
package struct AnswerFiltering: Sendable {
    package enum Progress: Sendable, Equatable {
        case more, done
        /// The body is not what the filter is for: nothing of it may be sent.
        case refused
    }

    fileprivate let filter: AnswerFilter
    fileprivate var scanner = JSONScanner()
    /// Where the slice at hand ends.
    fileprivate var end = 0
    /// The outermost value is an object.
    fileprivate var isInObject = false
    /// Of a list: where the element at hand begins, and what is known of it.
    fileprivate var elementStart = 0
    fileprivate var isHeld = false
    fileprivate var hasSlug = false
    fileprivate var hasElements = false
    /// The value to come is that of the member that the filter is about.
    fileprivate var isMember = false
    /// Of an object: where that value begins, and how much is written of what stands before.
    fileprivate var valueStart = 0
    fileprivate var copied = 0

    package init(_ filter: AnswerFilter) { self.filter = filter }
}

/// Takes out of a whole JSON answer what an alias may not see; strict: what is no JSON (RFC 8259) does not pass.
extension RightsInForce {
    /// Reads the next slice, and writes what stays of the answer.
    /// - Parameters:
    ///   - body: without any coding; the same each time.
    ///   - count: of its bytes, how many more to read.
    ///   - alias: whom the answer is for.
    package func filter(
        _ body: Span<UInt8>, next count: Int, _ state: inout AnswerFiltering, alias: Int, into sink: inout some ByteSink
    ) -> AnswerFiltering.Progress {
        state.end += count
        let rights = Int(table.aliases[alias].rights)
        while true {
            let token = state.scanner.next(body, until: state.end)
            let isRight: Bool
            switch token {
            case .paused: return .more
            case .invalid: return .refused
            case .end: return finish(body, &state, into: &sink)
            case .name, .string, .scalar, .open, .close:
                switch state.filter {
                case .none: isRight = true
                case .securityToken: isRight = blankToken(body, token, &state, into: &sink)
                case .organizations, .projects: isRight = cutList(body, token, &state, rights, into: &sink)
                }
            }
            guard isRight else { return .refused }
        }
    }

    private func finish(
        _ body: Span<UInt8>, _ state: inout AnswerFiltering, into sink: inout some ByteSink
    ) -> AnswerFiltering.Progress {
        switch state.filter {
        case .organizations, .projects: sink.append(text: "]")
        case .none, .securityToken: sink.append(body.extracting(state.copied..<body.count))
        }
        return .done
    }

    // MARK: Lists

    /// Elements stay that have a `slug`, and of which each `slug` is of the rights. Names and slugs with an escape are a
    /// spelling that Sentry does not use.
    /// - Returns: false when this is no list.
    private func cutList(
        _ body: Span<UInt8>, _ token: JSONScanner.Token, _ state: inout AnswerFiltering, _ rights: Int,
        into sink: inout some ByteSink
    ) -> Bool {
        guard rights >= 0 else { return false }
        let depth = state.scanner.depth
        switch token {
        case .open(let isObject) where depth == 1:
            guard !isObject else { return false }
            sink.append(text: "[")
        case .open(let isObject) where depth == 2:
            state.elementStart = state.scanner.start
            (state.isHeld, state.hasSlug, state.isMember) = (isObject, false, false)
        case .close where depth == 1:
            guard state.isHeld, state.hasSlug else { return true }
            if state.hasElements { sink.append(text: ",") }
            state.hasElements = true
            sink.append(body.extracting(state.elementStart..<state.scanner.at))
        case .name(let name) where depth == 2:
            state.isMember = isText(body.extracting(name), "slug")
            if state.scanner.hadEscape { state.isHeld = false }
        case .string(let slug) where depth == 2 && state.isMember:
            state.isMember = false
            state.hasSlug = true
            if state.scanner.hadEscape || !isHeld(body.extracting(slug), state.filter, rights) { state.isHeld = false }
        case .scalar where depth == 2 && state.isMember, .open where depth == 3 && state.isMember:
            (state.isMember, state.isHeld) = (false, false)
        case .string, .scalar: return depth > 0
        case .open, .close, .name, .paused, .end, .invalid: break
        }
        return true
    }

    private func isHeld(_ slug: Span<UInt8>, _ filter: AnswerFilter, _ rights: Int) -> Bool {
        filter == .projects ? table.hasSlugOfProject(slug, rights) : table.hasSlugOfOrganization(slug, rights)
    }

    // MARK: A member

    /// Replaces the value of `securityToken` at the top. A list or a scalar has no such member; it has to be JSON all the same.
    private func blankToken(
        _ body: Span<UInt8>, _ token: JSONScanner.Token, _ state: inout AnswerFiltering, into sink: inout some ByteSink
    ) -> Bool {
        let depth = state.scanner.depth
        switch token {
        case .open(let isObject) where depth == 1: state.isInObject = isObject
        case .open where depth == 2: state.valueStart = state.scanner.start
        case .name(let name) where depth == 1:
            // A name with an escape may be this one: Sentry's JSON has none in its names.
            state.isMember = state.scanner.hadEscape || isText(body.extracting(name), "securityToken")
        case .string where depth == 1, .scalar where depth == 1:
            state.valueStart = state.scanner.start
            blank(body, &state, into: &sink)
        case .close where depth == 1: blank(body, &state, into: &sink)
        case .open, .close, .name, .string, .scalar, .paused, .end, .invalid: break
        }
        return true
    }

    /// A value of the outermost object has ended.
    private func blank(_ body: Span<UInt8>, _ state: inout AnswerFiltering, into sink: inout some ByteSink) {
        guard state.isInObject, state.isMember else { return }
        state.isMember = false
        sink.append(body.extracting(state.copied..<state.valueStart))
        sink.append(text: "\"\"")
        state.copied = state.scanner.at
    }
}

extension RightsTable {
    func hasSlugOfOrganization(_ bytes: Span<UInt8>, _ rights: Int) -> Bool {
        for i in self.rights[rights].organizations.range {
            if isSlug(organizations[Int(organizationList[i])].slug, bytes) { return true }
        }
        return false
    }
}
