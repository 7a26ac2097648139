/// What is changed of a request target so that Sentry itself holds it to an organization and its projects.
package struct TargetEdit: Sendable, Equatable {
    package enum Path: UInt8, Sendable {
        case keep
        /// `/api/0/issues/{id}/…` and `/api/0/groups/{id}/…` become `/api/0/organizations/{org}/issues/{id}/…`.
        case issue
        /// `/api/0/projects/` becomes `/api/0/organizations/{org}/projects/`.
        case projects
    }
    package enum Query: UInt8, Sendable {
        case keep
        /// `project=` of each allowed project is appended.
        case appendProjects
        /// What selects organizations is dropped, and the allowed ones are asked for.
        case organizations
        /// `detailed=0`: the answer names no project.
        case undetailed
    }

    package var path = Path.keep
    package var query = Query.keep
    /// An index of `RightsTable.organizations`, for a path that is changed.
    var organization: Int32 = -1
    /// Where the part of the path begins that stays.
    var restStart: Int32 = 0

    package init() {}

    package var isNone: Bool { path == .keep && query == .keep }
}

extension RightsTable {
    /// Writes path and query as they go upstream.
    /// - Parameters:
    ///   - target: path and query as they came.
    ///   - rights: what `edit` was made for.
    package func write<Sink: ByteSink>(
        _ target: Span<UInt8>, _ edit: TargetEdit, rights: Int, _ identifiers: ResolvedIdentifiers,
        into sink: inout Sink
    ) {
        let mark = target.indices.first { target[$0] == UInt8(ascii: "?") } ?? target.count
        switch edit.path {
        case .keep: sink.append(target.extracting(0..<mark))
        case .issue:
            appendOrganization(edit, into: &sink)
            sink.append(text: "/issues/")
            sink.append(target.extracting(Int(edit.restStart)..<mark))
        case .projects:
            appendOrganization(edit, into: &sink)
            sink.append(text: "/projects/")
        }
        switch edit.query {
        case .keep: sink.append(target.extracting(mark..<target.count))
        case .appendProjects:
            sink.append(target.extracting(mark..<target.count))
            if mark == target.count {
                sink.append(text: "?")
            } else if mark + 1 < target.count {
                sink.append(text: "&")
            }
            sink.append(identifiers.text.span.extracting(identifiers.selections[rights].range))
        case .organizations:
            sink.append(text: "?query=")
            let held = self.rights[rights].organizations.range
            for i in held {
                if i > held.lowerBound { sink.append(text: "%20") }
                sink.append(text: "slug:")
                sink.append(text.span.extracting(organizations[Int(organizationList[i])].slug.range))
            }
            appendOthers(target, from: mark, into: &sink) { name in
                decodesTo("query", name) || decodesTo("owner", name) || decodesTo("show", name)
                    || decodesTo("member", name) || decodesTo("sortBy", name)
            }
        case .undetailed:
            sink.append(text: "?detailed=0")
            appendOthers(target, from: mark, into: &sink) { decodesTo("detailed", $0) }
        }
    }

    private func appendOrganization<Sink: ByteSink>(_ edit: TargetEdit, into sink: inout Sink) {
        sink.append(text: "/api/0/organizations/")
        sink.append(text.span.extracting(organizations[Int(edit.organization)].slug.range))
    }

    /// Appends the parameters that are not dropped. One with a `;` in it has two readings, so it is dropped too.
    private func appendOthers<Sink: ByteSink>(
        _ target: Span<UInt8>, from mark: Int, into sink: inout Sink, dropping isDropped: (Span<UInt8>) -> Bool
    ) {
        var pairs = QueryPairs(from: mark)
        while pairs.next(target) {
            if pairs.isEmpty || pairs.hasSemicolon || isDropped(target.extracting(pairs.name)) { continue }
            sink.append(text: "&")
            sink.append(target.extracting(pairs.name.lowerBound..<pairs.value.upperBound))
        }
    }
}
