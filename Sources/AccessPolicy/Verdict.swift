package import HTTP1

/// What to do with a request of an alias.
package struct Verdict: Sendable {
    package enum Outcome: Sendable, Equatable {
        case forward
        /// Goes out without the token and without the alias, as for everybody: ingest and `/oauth/`.
        case bypass
        /// The proxy answers by itself who the caller is.
        case identity(OperationTreatment)
        case refuse(RefusalReason)
        /// A project's number is needed and not known yet: 503 with `Retry-After`.
        case wait
    }

    package var outcome = Outcome.forward
    /// In shadow mode: what would have been refused.
    package var wouldRefuse: RefusalReason?
    /// The row that decided; -1 when there is none.
    package var operation: Int32 = -1
    package var edit = TargetEdit()
    package var filter = AnswerFilter.none
    /// The request is forwarded only once its body was inspected.
    package var body: BodyMember?
    /// Where organization, project and object stand in the target, for the access log; empty where there is none.
    package var names = PathNames()
    /// Never an alias's: enforced in shadow mode too.
    var isNever = false

    package init() {}

    /// The alias does too much. In shadow mode that is only noted, and what never is an alias's stays refused.
    package mutating func limit(_ reason: RefusalReason, isShadowed: Bool) {
        if isShadowed {
            wouldRefuse = reason
        } else {
            outcome = .refuse(reason)
        }
    }
}

extension RightsTable {
    /// Judges a request by its head alone: no I/O, no clock, no allocation. Rate and concurrency were checked before.
    ///
    /// Call it for every request of an alias that has a record here.
    /// - Parameters:
    ///   - target: path and query as they go upstream, with their own bytes; empty stands for `/`.
    ///   - plain: its plain form; nil when it has none.
    ///   - alias: its index in the `AliasTable` of these rights.
    ///   - isElevated: what `ElevatedPaths` says of the target.
    ///   - now: seconds since 1970.
    package func judge(
        _ method: Method, _ target: Span<UInt8>, _ plain: PlainPath?, alias: Int, _ identifiers: ResolvedIdentifiers,
        isElevated: Bool, now: Int64
    ) -> Verdict {
        let record = aliases[alias]
        var verdict = Verdict()
        let isEnforced = record.isNarrowed && !record.limits.isShadowing(at: now)
        if !isElevated, !isEnforced || plain != nil {
            verdict.outcome = .bypass
            return verdict
        }
        if let expires = record.limits.expires, now >= expires {
            verdict.outcome = .refuse(.expired)
            return verdict
        }
        guard record.isNarrowed else {
            if record.limits.isShadowing(at: now) { observe(method, target, &verdict) }
            return verdict
        }
        judge(method, target, plain, Int(record.rights), identifiers, &verdict)
        return isEnforced ? verdict : shadowed(verdict)
    }

    /// The same, when the plain form is not at hand.
    package func judge(
        _ method: Method, _ target: Span<UInt8>, alias: Int, _ identifiers: ResolvedIdentifiers, isElevated: Bool,
        now: Int64
    ) -> Verdict {
        judge(method, target, PlainPath(target), alias: alias, identifiers, isElevated: isElevated, now: now)
    }

    /// Forwarded as before, except what never is an alias's.
    private func shadowed(_ verdict: Verdict) -> Verdict {
        if case .refuse = verdict.outcome, verdict.isNever { return verdict }
        var shadow = Verdict()
        shadow.operation = verdict.operation
        shadow.names = verdict.names
        // What the proxy would have answered or waited for is forwarded as before, too.
        if case .refuse(let reason) = verdict.outcome { shadow.wouldRefuse = reason }
        return shadow
    }

    private func judge(
        _ method: Method, _ target: Span<UInt8>, _ plain: PlainPath?, _ rights: Int,
        _ identifiers: ResolvedIdentifiers, _ verdict: inout Verdict
    ) {
        guard let operationMethod = OperationMethod(method) else {
            verdict.outcome = .refuse(.method)
            return
        }
        guard let plain else {
            verdict.outcome = .refuse(target.isEmpty ? .outside : .form)
            return
        }
        guard plain.isUnderWebAPI(target) else {
            verdict.outcome = .refuse(.outside)
            return
        }
        let row: Int
        switch endpoints.match(operationMethod, plain, target) {
        case .operation(let found): row = found
        case .otherMethod:
            verdict.outcome = .refuse(.operation)
            return
        case .unknown:
            verdict.outcome = .refuse(.unknown)
            return
        case .notPlain:
            verdict.outcome = .refuse(.form)
            return
        }
        let template = Int(endpoints.operations[row].template)
        verdict.names = endpoints.names(template, plain, target)
        let judged = Int(endpoints.operations[row].judgedAs)
        guard judged >= 0 else {
            verdict.outcome = .refuse(.unknown)
            return
        }
        verdict.operation = Int32(judged)
        let operation = endpoints.operations[judged]
        if operation.treatment.isIdentity {
            verdict.outcome = .identity(operation.treatment)
            return
        }
        verdict.isNever = operation.operationClass.isNever
        guard allows(rights, judged) else {
            verdict.outcome = .refuse(.operation)
            return
        }
        if identifiers.rightsAreRefused[rights] {
            verdict.outcome = .refuse(.organization)
            return
        }
        guard judgeOrganization(operation, endpoints.templates[template], plain, target, rights, identifiers, &verdict)
        else {
            verdict.outcome = .refuse(.organization)
            return
        }
        if self.rights[rights].projects.count > 0 {
            judgeProjects(operation, endpoints.templates[template], plain, target, rights, identifiers, &verdict)
            if verdict.outcome != .forward { return }
        }
        guard self.rights[rights].needs.count == 0 || hasNeeded(judged, target, from: plain.end, rights: rights) else {
            verdict.outcome = .refuse(.needs)
            return
        }
        if operation.treatment == .project { verdict.filter = .securityToken }
    }

    /// Notes what an alias does that may do everything: `full mode=shadow` is there to be learned from.
    private func observe(_ method: Method, _ target: Span<UInt8>, _ verdict: inout Verdict) {
        guard let operationMethod = OperationMethod(method), let use = endpoints.use(operationMethod, target) else {
            return
        }
        verdict.operation = Int32(use.row)
        verdict.names = use.names
    }

    // MARK: Organization

    private func judgeOrganization(
        _ operation: Operation, _ template: Template, _ plain: PlainPath, _ target: Span<UInt8>, _ rights: Int,
        _ identifiers: ResolvedIdentifiers, _ verdict: inout Verdict
    ) -> Bool {
        let held = self.rights[rights].organizations
        if operation.treatment == .projects {
            guard held.count == 1 else { return false }
            verdict.edit.path = .projects
            verdict.edit.organization = organizationList[Int(held.start)]
            if self.rights[rights].projects.count > 0 { verdict.filter = .projects }
            return true
        }
        guard held.count > 0 else { return true }
        if operation.treatment == .organizations {
            verdict.edit.query = .organizations
            verdict.filter = .organizations
            return true
        }
        if template.organization >= 0 {
            let segment = target.extracting(plain.segment(Int(template.organization) + 2))
            for i in held.range where isOrganization(Int(organizationList[i]), segment, identifiers) { return true }
            return false
        }
        guard template.isIssueWithoutOrganization, held.count == 1 else { return false }
        verdict.edit.path = .issue
        verdict.edit.organization = organizationList[Int(held.start)]
        verdict.edit.restStart = Int32(plain.segment(3).lowerBound)
        return true
    }

    private func isOrganization(_ index: Int, _ segment: Span<UInt8>, _ identifiers: ResolvedIdentifiers) -> Bool {
        if isSlug(organizations[index].slug, segment) { return true }
        guard let id = plainNumber(segment) else { return false }
        return identifiers.organizations[index] == id
    }

    // MARK: Projects

    private func judgeProjects(
        _ operation: Operation, _ template: Template, _ plain: PlainPath, _ target: Span<UInt8>, _ rights: Int,
        _ identifiers: ResolvedIdentifiers, _ verdict: inout Verdict
    ) {
        switch operation.treatment {
        case .organizations, .projects, .neutral: return
        case .organization:
            verdict.edit.query = .undetailed
            return
        case .organizationProjects:
            verdict.filter = .projects
            return
        case .issues:
            guard !mayFindById(target, from: plain.end) else {
                verdict.outcome = .refuse(.project)
                return
            }
        case .none, .root, .auth, .validate, .me, .regions, .project: break
        }
        switch operation.selects {
        case .path:
            guard isProjectInPath(template, plain, target, rights, identifiers) else {
                verdict.outcome = .refuse(.project)
                return
            }
        case .object:
            let segment = target.extracting(plain.segment(Int(template.issue) + 2))
            guard template.issue >= 0, isIssueOfProject(segment, rights) else {
                verdict.outcome = .refuse(.project)
                return
            }
        case .query: select(selection(target, from: plain.end, rights: rights, identifiers), &verdict)
        case .numbers:
            select(selection(target, from: plain.end, rights: rights, identifiers, takesSlugs: false), &verdict)
        case .body(let member):
            verdict.body = member
            // Without the member Sentry goes by the query.
            guard member.isOptional else { break }
            select(selection(target, from: plain.end, rights: rights, identifiers, takesSlugs: false), &verdict)
        case .unread, .organization, .nothing: verdict.outcome = .refuse(.project)
        }
    }

    private func select(_ selection: QuerySelection, _ verdict: inout Verdict) {
        switch selection {
        case .named: break
        case .absent: verdict.edit.query = .appendProjects
        case .waiting: verdict.outcome = .wait
        case .refused: verdict.outcome = .refuse(.project)
        }
    }

    private func isProjectInPath(
        _ template: Template, _ plain: PlainPath, _ target: Span<UInt8>, _ rights: Int,
        _ identifiers: ResolvedIdentifiers
    ) -> Bool {
        if template.project >= 0 {
            return isProject(target.extracting(plain.segment(Int(template.project) + 2)), rights, identifiers)
        }
        // `{project}:{event_id}` is the one segment that holds two values.
        guard template.object >= 0 else { return false }
        let segment = target.extracting(plain.segment(Int(template.object) + 2))
        guard let colon = SegmentKind.colon(in: segment) else { return false }
        return isProject(segment.extracting(0..<colon), rights, identifiers)
    }

    private func isProject(_ bytes: Span<UInt8>, _ rights: Int, _ identifiers: ResolvedIdentifiers) -> Bool {
        if hasSlugOfProject(bytes, rights) { return true }
        guard let id = plainNumber(bytes) else { return false }
        for i in self.rights[rights].projects.range where identifiers.projects[Int(projectList[i])] == id {
            return true
        }
        return false
    }

    private func isIssueOfProject(_ segment: Span<UInt8>, _ rights: Int) -> Bool {
        guard let count = PathNames.projectBytes(ofIssue: segment) else { return false }
        return hasSlugOfProject(segment.extracting(0..<count), rights, ignoringCase: true)
    }
}
