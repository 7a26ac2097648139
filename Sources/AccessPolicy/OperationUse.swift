package import HTTP1

/// Where a path names organization, project and object; empty where it names none.
package struct PathNames: Sendable {
    package var organization = ByteSlice.empty
    /// Of an issue's short id the part that is the project's slug, in whatever case.
    package var project = ByteSlice.empty
    package var object = ByteSlice.empty

    package init() {}

    /// How many bytes of a short id, `WEB-4F`, are the project's slug: Sentry takes what stands before its last `-`, `_` or
    /// blank (`parse_short_id`), without regard to case; only `-` is read here. Of an issue's number the path does not say
    /// the project: nil.
    static func projectBytes(ofIssue segment: Span<UInt8>) -> Int? {
        var at = segment.count
        while at > 0 {
            at -= 1
            let byte = segment[at]
            if byte == ASCII.hyphen { return at > 0 && at < segment.count - 1 ? at : nil }
            guard byte.isDigit || byte.lowercased &- UInt8(ascii: "a") < 26 else { return nil }
        }
        return nil
    }
}

/// Which operation a request performs, regardless of who may.
package struct OperationUse: Sendable {
    /// The row that decides.
    package var row: Int
    package var names: PathNames
}

extension PlainPath {
    /// `/api/0/` in a word, the first byte in the lowest place.
    private static let webAPI: UInt64 = 0x002f_302f_6970_612f

    /// Whether the path is below `/api/0/`.
    func isUnderWebAPI(_ path: Span<UInt8>) -> Bool {
        end >= 7 && path.count >= 7 && EightBytes(path, padded: 0).first(7).word == Self.webAPI
    }
}

extension EndpointTable {
    /// Finds the operation of a request.
    /// - Parameter target: path and perhaps query.
    /// - Returns: nil when the path is not in plain form, or no row of the table.
    package func use(_ method: OperationMethod, _ target: Span<UInt8>) -> OperationUse? {
        guard let plain = PlainPath(target), plain.isUnderWebAPI(target),
            case .operation(let row) = match(method, plain, target), operations[row].judgedAs >= 0
        else { return nil }
        return OperationUse(
            row: Int(operations[row].judgedAs),
            names: names(Int(operations[row].template), plain, target))
    }

    /// Where organization, project and object are in a path of a template.
    /// - Parameter index: the template's; a call would be handed its parts one by one.
    func names(_ index: Int, _ plain: PlainPath, _ path: Span<UInt8>) -> PathNames {
        let kept = min(plain.count, PlainPath.mostSegments)
        @inline(__always)
        func slice(_ segment: Int8) -> ByteSlice {
            guard segment >= 0, Int(segment) + 2 < kept else { return .empty }
            let range = plain.segment(Int(segment) + 2)
            return ByteSlice(start: range.lowerBound, count: range.count)
        }
        let template = templates[index]
        var names = PathNames()
        names.organization = slice(template.organization)
        names.project = slice(template.project)
        if template.object != template.organization, template.object != template.project {
            names.object = slice(template.object)
        }
        if template.project < 0, template.issue >= 0 {
            let issue = slice(template.issue)
            if let count = PathNames.projectBytes(ofIssue: path.extracting(issue.range)) {
                names.project = ByteSlice(start: Int(issue.start), count: count)
            }
        }
        return names
    }
}

extension OperationMethod {
    /// The row's method that a request is judged as; nil for a method that Sentry's handlers do not have in capitals.
    package init?(_ method: Method) {
        switch method {
        case .get, .head, .options: self = .get
        case .post: self = .post
        case .put: self = .put
        case .patch: self = .patch
        case .delete: self = .delete
        case .connect, .trace, .other: return nil
        }
    }
}
