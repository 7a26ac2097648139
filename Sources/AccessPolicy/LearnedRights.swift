/// Rights that hold what an alias was seen to use, and nothing else: no number becomes a star, and no set is taken whole.
package struct LearnedRights: Sendable {
    package struct Grant: Sendable {
        package let row: Int
        package let requests: UInt64
    }

    /// A set of which most was used.
    package struct NearSet: Sendable {
        package let name: String
        package let used: Int
        package let operations: Int
    }

    package let alias: String
    /// The set's own name.
    package let setName: String
    /// Reads first, then what changes data, then what hands out secrets.
    package let grants: [Grant]
    /// Used, and never a narrowed alias's.
    package let never: [Grant]
    package let organizations: [String]
    package let projects: [String]
    /// Why organizations or projects are not named, one line each.
    package let remarks: [String]
    /// Sets of which at least four fifths were used.
    package let nearSets: [NearSet]
    /// The smallest set that holds all that was used, if one does.
    package let within: NearSet?
    private let table: EndpointTable
    /// The row that lists the projects of one organization, when it was used and there is not one.
    private let listing: Int?
    /// Query parameters without which no set of the policy grants a row.
    private let needs: [Int: [String]]

    package init(_ lesson: Lesson, alias: String, _ policy: Policy) {
        self.alias = alias
        table = policy.table
        setName = "learned-" + Self.setWord(alias)
        let used = lesson.counts.filter { $0.value > 0 && !policy.table.operations[$0.key].treatment.isIdentity }
            .map { Grant(row: $0.key, requests: $0.value) }.sorted {
                (Self.order(policy.table, $0.row), $0.row) < (Self.order(policy.table, $1.row), $1.row)
            }
        grants = used.filter { !policy.table.operations[$0.row].operationClass.isNever }
        never = used.filter { policy.table.operations[$0.row].operationClass.isNever }
        let rows = grants.map(\.row)
        var remarks: [String] = []
        organizations = Self.organizations(lesson, rows, table, &remarks)
        projects = organizations.count == 1 ? Self.projects(lesson, rows, table, &remarks) : []
        listing = organizations.count == 1 ? nil : rows.first { policy.table.operations[$0].treatment == .projects }
        if let listing {
            remarks.append("\(policy.table.name(of: listing)) is refused without exactly one org=")
        }
        self.remarks = remarks
        let held = Set(rows)
        let sets = policy.sets.names.compactMap { name in
            policy.sets.operations(of: name).map { set in
                NearSet(name: name, used: held.filter(set.contains).count, operations: set.count)
            }
        }
        nearSets = sets.filter { $0.used * 5 >= $0.operations * 4 }
        within = sets.filter { $0.used == held.count }.min { $0.operations < $1.operations }
        var needs: [Int: [String]] = [:]
        for name in policy.sets.names {
            for (row, lists) in policy.sets.expanded(name)?.needs ?? [:] where held.contains(row) {
                needs[row] = lists[0]
            }
        }
        self.needs = needs
    }

    package var isEmpty: Bool { grants.isEmpty }

    /// A name as sets have it.
    private static func setWord(_ alias: String) -> String {
        String(
            decoding: alias.lowercased().utf8.prefix(60).map {
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
                    ? $0 : UInt8(ascii: "-")
            }, as: UTF8.self)
    }

    private static func order(_ table: EndpointTable, _ row: Int) -> Int {
        switch table.operations[row].effect {
        case .read, .readByPOST: 0
        case .write, .writeOnGET: 1
        case .secret: 2
        }
    }

    // MARK: Where

    /// `org=` is said only when no operation that was used would be refused for it.
    private static func organizations(
        _ lesson: Lesson, _ rows: [Int], _ table: EndpointTable, _ remarks: inout [String]
    ) -> [String] {
        guard !lesson.organizations.isEmpty else { return [] }
        guard !lesson.hasMoreNames else {
            remarks.append("org= is left out: there were more organizations or projects than are kept")
            return []
        }
        let names = lesson.organizations.sorted()
        guard names.allSatisfy(AliasWords.isSlug) else {
            remarks.append("org= is left out: organizations were named by id, or by something that is not a slug")
            return []
        }
        for row in rows {
            let operation = table.operations[row]
            let template = table.templates[Int(operation.template)]
            let isHeld =
                template.organization >= 0 || operation.treatment == .organizations
                || names.count == 1 && operation.treatment == .projects
            guard isHeld else {
                remarks.append("org= is left out: \(table.name(of: row)) does not say its organization")
                return []
            }
        }
        return names
    }

    /// `project=` is said only when every operation that was used says its project in its path, or needs none.
    private static func projects(
        _ lesson: Lesson, _ rows: [Int], _ table: EndpointTable, _ remarks: inout [String]
    ) -> [String] {
        guard !lesson.projects.isEmpty else { return [] }
        var names: [String] = []
        // A short id has the slug in capitals.
        for name in lesson.projects.map({ $0.lowercased() }).sorted() where names.last != name { names.append(name) }
        guard names.allSatisfy(AliasWords.isSlug) else {
            remarks.append("project= is left out: projects were named by id, or by something that is not a slug")
            return []
        }
        for row in rows {
            let operation = table.operations[row]
            switch operation.treatment {
            case .organizations, .projects, .neutral, .organization, .organizationProjects: continue
            default: break
            }
            guard operation.selects == .path else {
                remarks.append(
                    "project= is left out (seen: \(names.joined(separator: ","))): \(table.name(of: row)) does not say its project in its path"
                )
                return []
            }
        }
        return names
    }

    // MARK: Text

    /// The words after the alias.
    package var words: String {
        setName + (organizations.isEmpty ? "" : " org=\(organizations.joined(separator: ","))")
            + (projects.isEmpty ? "" : " project=\(projects.joined(separator: ","))")
    }

    /// Lines of a policy file.
    package var policyLines: [String] {
        var lines = ["set \(setName)"]
        for grant in grants {
            lines.append("    allow \(starred(grant.row))  # \(remark(grant))")
            if let parameters = needs[grant.row] {
                for name in parameters { lines.append("    needs \(name) on \(starred(grant.row))") }
            }
        }
        for grant in never {
            lines.append("    # not granted, never an alias's: \(starred(grant.row))  # \(remark(grant))")
        }
        for set in nearSets where set.used < set.operations {
            lines.append("    # of the \(set.operations) operations of \(set.name) \(set.used) were used")
        }
        if let within { lines.append("    # all of them are in \(within.name), of \(within.operations) operations") }
        for remark in remarks { lines.append("# \(remark)") }
        lines.append("alias \(alias) : \(words)")
        return lines
    }

    private func remark(_ grant: Grant) -> String {
        let operation = table.operations[grant.row]
        let effect =
            switch operation.effect {
            case .read, .readByPOST: ""
            case .write, .writeOnGET: "changes data, "
            case .secret: "hands out secrets, "
            }
        let kind = operation.operationClass == .none ? "" : "class \(operation.operationClass.rawValue), "
        return "\(effect)\(kind)\(grant.requests) request\(grant.requests == 1 ? "" : "s")"
    }

    private func starred(_ row: Int) -> String {
        let path = table.path(of: row)
        return "\(table.operations[row].method.name) \(EndpointTable.blank(path))\(path.hasSuffix("/") ? "/" : "")"
    }

    /// Lines for `policy test`, one for each operation: all that was used is allowed. With made-up numbers and names, but
    /// for organizations and projects.
    package var expectations: [String] {
        grants.filter { $0.row != listing }.map { grant in
            let row = table.operations[grant.row]
            let query = needs[grant.row].map { "?" + $0.map { "\($0)=1" }.joined(separator: "&") } ?? ""
            return "allow \(alias) \(row.method.name) \(example(grant.row))\(query)"
        }
    }

    private func example(_ row: Int) -> String {
        let template = table.templates[Int(table.operations[row].template)]
        let segments = table.string(template.path).split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        return "/api/0/"
            + segments.enumerated().map { index, segment -> String in
                switch index {
                case Int(template.organization): organizations.first ?? "acme"
                case Int(template.project): projects.first ?? "web"
                case Int(template.issue): "\((projects.first ?? "web").uppercased())-1"
                default: value(segment)
                }
            }.joined(separator: "/")
    }

    /// A value for a segment of a template.
    private func value(_ segment: Substring) -> String {
        guard segment.contains("{") else { return String(segment) }
        if segment.contains("}:{") { return "\(projects.first ?? "web"):0123456789abcdef0123456789abcdef" }
        guard let colon = segment.firstIndex(of: ":") else { return "12" }
        return segment[colon...].hasPrefix(":e") ? "0123456789abcdef0123456789abcdef" : "12"
    }
}
