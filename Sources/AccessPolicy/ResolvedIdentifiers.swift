/// The numbers of organizations and projects that aliases are held to, as far as they are known. Resolved off the data
/// path and published to the workers beside the rights.
///
/// A slug that answers another number than before was renamed and taken again, by another tenant perhaps: rights that
/// name it hold no more.
package struct ResolvedIdentifiers: Sendable {
    /// By the indices of `RightsTable.organizations` and `projects`; 0 is not known yet.
    package private(set) var organizations: [UInt64]
    package private(set) var projects: [UInt64]
    package private(set) var organizationIsRefused: [Bool]
    package private(set) var projectIsRefused: [Bool]
    /// Rights that name a slug which is refused.
    private(set) var rightsAreRefused: [Bool] = []
    /// `project=1&project=2` for each of the rights; empty until all their numbers are known.
    private(set) var selections: [TableText] = []
    private(set) var text: [UInt8] = []
    /// How often that was made, which takes as long as there are rights.
    private(set) var refreshCount = 0

    /// Names that are another organization's or project's by now.
    package var refusedCount: Int {
        organizationIsRefused.count { $0 } + projectIsRefused.count { $0 }
    }
    /// Names whose number is not known.
    package var unknownCount: Int { organizations.count { $0 == 0 } + projects.count { $0 == 0 } }

    /// What was pinned by hand, and what `old` knew of the same slugs.
    package init(_ rights: RightsTable, after old: (identifiers: ResolvedIdentifiers, rights: RightsTable)? = nil) {
        organizations = rights.organizations.map { $0.pinned ?? 0 }
        projects = rights.projects.map { $0.pinned ?? 0 }
        organizationIsRefused = Array(repeating: false, count: organizations.count)
        projectIsRefused = Array(repeating: false, count: projects.count)
        if let old { carry(old.identifiers, old.rights, to: rights) }
        refresh(rights)
    }

    /// What the upstream answers for slugs, by their indices. All at once: what follows from them for the rights is made anew
    /// each time.
    /// - Returns: those that were another number before: whatever names them is refused from now on.
    package mutating func note(
        organizations found: [Int: UInt64] = [:], projects foundProjects: [Int: UInt64] = [:], _ rights: RightsTable
    ) -> (organizations: [Int], projects: [Int]) {
        let refused = found.filter { !Self.note($1, &organizations[$0], &organizationIsRefused[$0]) }
        let refusedProjects = foundProjects.filter { !Self.note($1, &projects[$0], &projectIsRefused[$0]) }
        refresh(rights)
        return (refused.keys.sorted(), refusedProjects.keys.sorted())
    }

    private static func note(_ id: UInt64, _ known: inout UInt64, _ isRefused: inout Bool) -> Bool {
        if known == 0 { known = id }
        isRefused = known != id
        return !isRefused
    }

    private mutating func carry(_ old: ResolvedIdentifiers, _ oldRights: RightsTable, to rights: RightsTable) {
        var known: [String: UInt64] = [:]
        for (i, held) in oldRights.organizations.enumerated() where old.organizations[i] != 0 {
            known[oldRights.string(held.slug)] = old.organizations[i]
        }
        for (i, held) in oldRights.projects.enumerated() where old.projects[i] != 0 {
            known[Self.name(held, oldRights)] = old.projects[i]
        }
        for (i, held) in rights.organizations.enumerated() {
            guard let id = known[rights.string(held.slug)] else { continue }
            if organizations[i] == 0 { organizations[i] = id }
            organizationIsRefused[i] = organizations[i] != id
        }
        for (i, held) in rights.projects.enumerated() {
            guard let id = known[Self.name(held, rights)] else { continue }
            if projects[i] == 0 { projects[i] = id }
            projectIsRefused[i] = projects[i] != id
        }
    }

    private static func name(_ held: HeldProject, _ rights: RightsTable) -> String {
        "\(rights.string(rights.organizations[Int(held.organization)].slug))/\(rights.string(held.slug))"
    }

    private mutating func refresh(_ rights: RightsTable) {
        refreshCount += 1
        rightsAreRefused = []
        selections = []
        text = []
        for index in rights.rights.indices {
            let held = rights.projects(of: index)
            rightsAreRefused.append(
                rights.organizations(of: index).contains { organizationIsRefused[$0] }
                    || held.contains { projectIsRefused[$0] })
            let start = text.count
            if held.allSatisfy({ projects[$0] != 0 }) {
                text += held.map { "project=\(projects[$0])" }.joined(separator: "&").utf8
            }
            selections.append(TableText(start: Int32(start), count: Int32(text.count - start)))
        }
    }
}
