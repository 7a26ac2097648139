/// The methods that the table has rows for. HEAD and OPTIONS are judged as GET: Sentry runs the same handler.
package enum OperationMethod: UInt8, Sendable, CaseIterable {
    case get, post, put, patch, delete

    /// In capitals, as RFC 9110 §9.1 has it.
    package var name: StaticString {
        switch self {
        case .get: "GET"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        }
    }

    package init?(named name: some StringProtocol) {
        guard let method = Self.allCases.first(where: { "\($0.name)" == name }) else { return nil }
        self = method
    }
}

/// What an operation does to data and secrets.
package enum OperationEffect: String, Sendable, CaseIterable {
    case read, write, secret
    case readByPOST = "read-by-POST"
    case writeOnGET = "write-on-GET"

    /// Whether nothing is changed and nothing secret handed out.
    package var isRead: Bool { self == .read || self == .readByPOST }
}

/// Why an operation is more than its effect says: the column `class` of Policy/endpoints.tsv.
package enum OperationClass: String, Sendable, CaseIterable {
    case none = "-"
    case credential, mint, raw, personal, instance, server, outside, cost, user, anonymous, identity, bulk

    /// Rows of these classes make credentials, widen rights or reach past the organization: they are in no set unless
    /// a `danger` line of that set says so.
    package var isNever: Bool {
        switch self {
        case .instance, .server, .user, .mint: true
        default: false
        }
    }
}

/// How the projects of a request are chosen: the column `selects`.
package enum ProjectSelection: Sendable, Equatable {
    case path, object, unread, organization, nothing
    /// By `project`, a number, or `projectSlug` in the query.
    case query
    /// By `project` alone: a slug would select nothing, and so every project.
    case numbers
    /// By a top-level member of the body.
    case body(BodyMember)
}

/// The member of a JSON body that names projects.
package struct BodyMember: Sendable, Equatable {
    package enum Name: UInt8, Sendable { case project, projects }
    package var name: Name
    /// A body without it changes nothing about projects.
    package var isOptional: Bool

    package init(name: Name, isOptional: Bool) {
        self.name = name
        self.isOptional = isOptional
    }
}

/// One row of the table: a method on a template. Trivial, so that the data path copies it without a reference count.
package struct Operation: Sendable {
    package var method: OperationMethod
    package var effect: OperationEffect
    package var operationClass: OperationClass
    package var selects: ProjectSelection
    /// An index of `EndpointTable.templates`.
    package var template: Int32
    /// Which scopes Sentry takes, any of them.
    package var scopes: ScopeSet
    /// The scopes were inferred from the family of the path.
    package var scopesAreByRule: Bool
    /// The row that decides: itself, or for an issue without an organization its form within one; -1 when there is none.
    package var judgedAs: Int32
    package var object: TableText
    package var verb: TableText
    package var note: TableText
    /// What is done with its requests and answers besides forwarding them.
    package var treatment = OperationTreatment.none
}

extension Operation {
    /// Whether another judgement would let more of it happen.
    func isStricter(than effect: OperationEffect, _ operationClass: OperationClass) -> Bool {
        effect.isRead && !self.effect.isRead || self.operationClass.isNever && !operationClass.isNever
    }
}

/// Operations that a narrowed alias gets in another form than Sentry has them.
package enum OperationTreatment: UInt8, Sendable {
    case none
    /// Says who the caller is: answered by the proxy.
    case root, auth, validate, me, regions
    /// Lists what the whole installation has.
    case organizations, projects
    /// Below `/organizations/{org}/`: its details, its projects, and what names no project.
    case organization, organizationProjects, neutral
    /// Searches issues, and finds one by its id wherever it is.
    case issues
    /// Has the project's `securityToken` among its members.
    case project

    /// Answered by the proxy; every narrowed alias holds it.
    package var isIdentity: Bool {
        switch self {
        case .root, .auth, .validate, .me, .regions: true
        default: false
        }
    }

    static func isIdentity(_ method: OperationMethod, _ path: String) -> Bool {
        byName["\(method.name) \(EndpointTable.blank(path))"]?.isIdentity ?? false
    }

    /// By method and template without names.
    static let byName: [String: OperationTreatment] = [
        "GET ": .root, "GET /auth": .auth, "GET /auth/validate": .validate, "GET /users/me": .me,
        "GET /users/me/regions": .regions, "GET /organizations": .organizations, "GET /projects": .projects,
        "GET /organizations/*": .organization, "GET /organizations/*/projects": .organizationProjects,
        "GET /organizations/*/issues": .issues, "GET /projects/*/*/issues": .issues,
        "GET /organizations/*/repos": .neutral, "GET /organizations/*/chunk-upload": .neutral,
        "POST /organizations/*/chunk-upload": .neutral, "GET /projects/*/*": .project, "PUT /projects/*/*": .project,
        "GET /projects/*/rule-conditions": .project,
    ]
}

/// A part of `EndpointTable.text`.
package struct TableText: Sendable {
    package var start: Int32
    package var count: Int32
    package var range: Range<Int> { Int(start)..<Int(start + count) }
}

/// The type of one segment of a template.
enum SegmentKind: UInt8, Sendable {
    case literal, any, digits, eventID, eventIDOrName, hexadecimal, rest, projectAndEvent

    /// Whether not every value is of it.
    var isTyped: Bool {
        switch self {
        case .literal, .any, .rest: false
        case .digits, .eventID, .eventIDOrName, .hexadecimal, .projectAndEvent: true
        }
    }
}

/// A path template with the places of what it binds. Segments are counted from the one behind `/api/0/`.
package struct Template: Sendable {
    /// With the parameters' names, without `/api/0`.
    package var path: TableText
    package var segmentCount: Int8
    /// -1 where the template has no such segment.
    package var organization: Int8 = -1
    package var project: Int8 = -1
    package var team: Int8 = -1
    package var issue: Int8 = -1
    /// The last parameter: what the access log calls the object.
    package var object: Int8 = -1
    /// `/issues/{issue_id}/…` or `/groups/{issue_id}/…`.
    package var isIssueWithoutOrganization = false
    /// It has `{project}:{event_id:e}`, the one segment that holds two values.
    var hasProjectAndEvent = false
    /// Segments that may hold escapes, a bit each.
    var freeSegments: UInt16 = 0
    /// Segments of a type that not every value has, a bit each.
    var typedSegments: UInt16 = 0
    /// Where the segments' kinds start in `EndpointTable.kinds`, if any are typed.
    var kinds: Int32 = -1
}
