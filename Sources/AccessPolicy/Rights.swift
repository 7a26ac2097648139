/// What one alias may do: its rights, and its limits. Trivial, so that the data path copies it without a reference count.
package struct AliasRecord: Sendable, Equatable {
    /// An index of `RightsTable.rights`; -1 is everything, as without words.
    package var rights: Int32 = -1
    package var limits = AliasLimits()

    package var isNarrowed: Bool { rights >= 0 }
    /// Neither rights nor limits.
    package var isAll: Bool { self == AliasRecord() }
}

/// The records of all aliases. Small, since those of ten thousand have to share the caches with all else.
package struct AliasRecords: Sendable, RandomAccessCollection {
    private struct Place: Sendable {
        var rights: Int32
        /// An index of `limits`.
        var limits: Int32
    }

    private var places: [Place] = []
    /// The first is none; aliases one behind the other share theirs.
    private var limits = [AliasLimits()]

    package var startIndex: Int { 0 }
    package var endIndex: Int { places.count }
    package subscript(index: Int) -> AliasRecord {
        AliasRecord(rights: places[index].rights, limits: limits[Int(places[index].limits)])
    }

    mutating func append(_ record: AliasRecord) {
        var place = 0
        if record.limits != limits[0] {
            if record.limits != limits[limits.count - 1] { limits.append(record.limits) }
            place = limits.count - 1
        }
        places.append(Place(rights: record.rights, limits: Int32(place)))
    }

    /// As `self[index].rights`.
    func rights(at index: Int) -> Int32 { places[index].rights }

    /// Whether an alias has no limits, though perhaps rights.
    func isUnlimited(at index: Int) -> Bool { places[index].limits == 0 }
}

/// Operations, organizations and projects that aliases may share.
package struct Rights: Sendable {
    /// Where its words start in `RightsTable.bits`.
    var bits: Int32
    /// Parts of `RightsTable.organizationList` and `projectList`; empty is any.
    var organizations: TableText
    var projects: TableText
    /// A part of `RightsTable.needs`.
    var needs: TableText
    /// Scopes of which every operation is held, and those of `scopes=` of which some are: what the alias comes to in Sentry's
    /// words.
    var scopes: ScopeSet
    /// Those of them of which not every operation is held.
    var partialScopes: ScopeSet
    /// The words that say it, a part of `RightsTable.text`.
    package var words: TableText
}

/// An organization that some alias is held to.
package struct HeldOrganization: Sendable {
    /// A part of `RightsTable.text`.
    package var slug: TableText
    /// The number that was pinned by hand.
    package var pinned: UInt64?
}

/// A project that some alias is held to.
package struct HeldProject: Sendable {
    /// An index of `RightsTable.organizations`.
    package var organization: Int32
    package var slug: TableText
    package var pinned: UInt64?
}

/// A query parameter that an operation needs; those of one `list` together, or those of another.
struct NeededParameter: Sendable {
    var operation: Int32
    var list: Int32
    var name: TableText
}

/// The rights of all aliases, in flat arrays. What several aliases share is there once.
package struct RightsTable: Sendable {
    package let endpoints: EndpointTable
    /// By the index of an alias in its `AliasTable`.
    package private(set) var aliases = AliasRecords()
    package private(set) var rights: [Rights] = []
    /// Distinct ones over all aliases: what a resolver of their numbers goes through.
    package private(set) var organizations: [HeldOrganization] = []
    package private(set) var projects: [HeldProject] = []
    package private(set) var text: [UInt8] = []
    var bits: [UInt64] = []
    var organizationList: [Int32] = []
    var projectList: [Int32] = []
    var needs: [NeededParameter] = []
    /// Scope words of aliases that no operation of the table is held to.
    package private(set) var idleWords: Set<String> = []
    private let wordCount: Int

    private struct Key: Hashable {
        var sets: [String]
        var withoutSets: [String]
        var cuts: [[String]]
        var scopes: ScopeSet?
        var organizations: [AliasWords.Name]
        var projects: [AliasWords.Name]
    }
    private struct OrganizationKey: Hashable {
        var name: AliasWords.Name
    }
    private struct ProjectKey: Hashable {
        var organization: Int32
        var name: AliasWords.Name
    }
    private var known: [Key: Int32] = [:]
    private var knownOrganizations: [OrganizationKey: Int32] = [:]
    private var knownProjects: [ProjectKey: Int32] = [:]
    private var expanded: [Key: (set: ExpandedSet, bits: Int32)] = [:]
    private var ofScopes: [(scope: ScopeSet, operations: OperationSet)] = []

    package init(_ endpoints: EndpointTable) {
        self.endpoints = endpoints
        wordCount = OperationSet.wordCount(endpoints.operations.count)
    }

    /// Aliases of which none has rights.
    package init(unnarrowed count: Int, _ endpoints: EndpointTable) {
        self.init(endpoints)
        for _ in 0..<count { addUnnarrowed() }
    }

    /// An alias without words: everything, as without rights at all.
    mutating func addUnnarrowed() { aliases.append(AliasRecord()) }

    /// One more alias with the same words as another.
    mutating func add(_ record: AliasRecord) { aliases.append(record) }

    /// - Returns: what `add` takes for the next alias with the same words.
    /// - Throws: `AliasWords.Problem` when nothing is left of the sets.
    @discardableResult
    mutating func add(_ words: AliasWords, _ sets: PolicySets) throws(AliasWords.Problem) -> AliasRecord {
        var record = AliasRecord(rights: -1, limits: words.limits)
        if !words.isFull || !words.organizations.isEmpty || !words.cuts.isEmpty || words.scopes != nil {
            record.rights = try intern(words, sets)
        }
        aliases.append(record)
        return record
    }

    /// Forgets what only the adding needs.
    mutating func finish() {
        known = [:]
        knownOrganizations = [:]
        knownProjects = [:]
        expanded = [:]
        ofScopes = []
    }

    private mutating func intern(_ words: AliasWords, _ sets: PolicySets) throws(AliasWords.Problem) -> Int32 {
        let key = Key(
            sets: words.isFull ? ["full"] : words.sets, withoutSets: words.withoutSets,
            cuts: words.cuts, scopes: words.scopes, organizations: words.organizations, projects: words.projects)
        if let index = known[key] { return index }
        let (set, place) = try expand(words, sets)
        var list: [Int32] = []
        for name in words.organizations { list.append(organization(name)) }
        let organizationPart = TableText(start: Int32(organizationList.count), count: Int32(list.count))
        organizationList += list
        var projectNumbers: [Int32] = []
        for name in words.projects { projectNumbers.append(project(name, in: list[0])) }
        let projectPart = TableText(start: Int32(projectList.count), count: Int32(projectNumbers.count))
        projectList += projectNumbers
        let needsStart = needs.count
        for (row, lists) in set.needs.sorted(by: { $0.key < $1.key }) {
            for (number, names) in lists.enumerated() {
                for name in names {
                    needs.append(
                        NeededParameter(operation: Int32(row), list: Int32(number), name: add(name)))
                }
            }
        }
        let names =
            (key.sets + words.withoutSets.map { "-\($0)" } + words.cuts.map { "within=" + $0.joined(separator: ",") }
            + (words.scopes.map { ["scopes=" + $0.names.joined(separator: ",")] } ?? [])).joined(separator: " ")
        let places = words.organizations.isEmpty ? "" : " in \(words.organizations.map(\.slug).joined(separator: ", "))"
        let parts = words.projects.isEmpty ? "" : ", projects \(words.projects.map(\.slug).joined(separator: ", "))"
        let whole = scopes(within: set.operations, sets)
        let left = words.scopes.map { sets.left(of: $0, in: set.operations) } ?? []
        rights.append(
            Rights(
                bits: place, organizations: organizationPart, projects: projectPart,
                needs: TableText(start: Int32(needsStart), count: Int32(needs.count - needsStart)),
                scopes: whole.union(left), partialScopes: left.subtracting(whole),
                words: add(names + places + parts)))
        known[key] = Int32(rights.count - 1)
        return Int32(rights.count - 1)
    }

    /// - Returns: also where its words start in `bits`, which rights with the same operations share.
    private mutating func expand(
        _ words: AliasWords, _ sets: PolicySets
    ) throws(AliasWords.Problem) -> (set: ExpandedSet, bits: Int32) {
        let key = Key(
            sets: words.isFull ? ["full"] : words.sets, withoutSets: words.withoutSets, cuts: words.cuts,
            scopes: words.scopes, organizations: [], projects: [])
        if let known = expanded[key] { return known }
        var set = words.isFull ? sets.all : ExpandedSet(operations: OperationSet(count: endpoints.operations.count))
        for word in words.sets {
            let more = sets.expanded(word)!
            if more.operations.isEmpty { idleWords.insert(word) }
            set.formUnion(more)
        }
        for word in words.withoutSets {
            let other = sets.expanded(word)!.operations
            set.operations.subtract(other)
            for row in set.needs.keys where other.contains(row) { set.needs[row] = nil }
        }
        for cut in words.cuts {
            var within = ExpandedSet(operations: OperationSet(count: endpoints.operations.count))
            for word in cut { within.formUnion(sets.expanded(word)!) }
            set.formIntersection(within)
        }
        if let scopes = words.scopes { set.formIntersection(sets.wished(scopes)) }
        guard !set.operations.isEmpty else { throw AliasWords.Problem("nothing is left of the sets") }
        let place = Int32(bits.count)
        bits += set.operations.words
        expanded[key] = (set, place)
        return (set, place)
    }

    private mutating func scopes(within held: OperationSet, _ sets: PolicySets) -> ScopeSet {
        if ofScopes.isEmpty {
            for name in ScopeSet.allNames {
                guard let scope = ScopeSet(named: name), let operations = sets.operations(of: name), !operations.isEmpty
                else { continue }
                ofScopes.append((scope, operations))
            }
        }
        return ofScopes.reduce(into: []) { if held.isSuperset(of: $1.operations) { $0.insert($1.scope) } }
    }

    private mutating func organization(_ name: AliasWords.Name) -> Int32 {
        let key = OrganizationKey(name: name)
        if let index = knownOrganizations[key] { return index }
        organizations.append(HeldOrganization(slug: add(name.slug), pinned: name.id))
        knownOrganizations[key] = Int32(organizations.count - 1)
        return Int32(organizations.count - 1)
    }

    private mutating func project(_ name: AliasWords.Name, in organization: Int32) -> Int32 {
        let key = ProjectKey(organization: organization, name: name)
        if let index = knownProjects[key] { return index }
        projects.append(HeldProject(organization: organization, slug: add(name.slug), pinned: name.id))
        knownProjects[key] = Int32(projects.count - 1)
        return Int32(projects.count - 1)
    }

    private mutating func add(_ string: String) -> TableText {
        let place = TableText(start: Int32(text.count), count: Int32(string.utf8.count))
        text += string.utf8
        return place
    }

    // MARK: Asking

    /// Whether the rights hold a row of the table.
    package func allows(_ rights: Int, _ operation: Int) -> Bool {
        bits[Int(self.rights[rights].bits) + operation >> 6] >> UInt64(operation & 63) & 1 == 1
    }

    /// The organizations that rights are held to, as indices of `organizations`; empty is any.
    package func organizations(of rights: Int) -> [Int] {
        organizationList[self.rights[rights].organizations.range].map(Int.init)
    }

    /// The projects that rights are held to, as indices of `projects`; empty is any.
    package func projects(of rights: Int) -> [Int] { projectList[self.rights[rights].projects.range].map(Int.init) }

    /// A text of this table.
    package func string(_ part: TableText) -> String { String(decoding: text[part.range], as: UTF8.self) }
}
