internal import HTTP1

/// The operations of Sentry's web API, and the trie that finds one by its path.
///
/// Flat arrays of trivial values: a look-up allocates nothing and takes no reference. Made once from
/// Policy/endpoints.tsv, and anew for a policy file that corrects it.
package struct EndpointTable: Sendable {
    /// The table's own version.
    package let version: String
    package internal(set) var operations: [Operation] = []
    package internal(set) var templates: [Template] = []
    /// The bytes of all texts.
    package internal(set) var text: [UInt8] = []
    /// Kinds of segments, for templates that have typed ones.
    var kinds: [SegmentKind] = []
    /// Row by method and template without names, for `allow` lines and the like.
    var rowByName: [String: Int] = [:]

    struct Node {
        /// The node behind any segment that is no literal of this node; 0 is none.
        var parameter: Int32 = 0
        /// The node for one or more segments of any kind; 0 is none.
        var rest: Int32 = 0
        /// Its operations: a range of `nodeOperations`.
        var firstOperation: Int32 = 0
        var operationCount: Int32 = 0
        var hasLiterals = false
    }

    /// A literal that leads from one node to another.
    struct Edge {
        /// Where it comes from, plus one; 0 is a free place.
        var from: Int32 = 0
        var to: Int32 = 0
        var text = TableText(start: 0, count: 0)
        /// Its first eight bytes.
        var word: UInt64 = 0
    }

    var nodes: [Node] = [Node()]
    var nodeOperations: [Int32] = []
    /// Open addressing by node, length and first eight bytes; at most half full.
    var edges: [Edge] = []

    init(version: String) { self.version = version }

    /// The operation that a path names.
    package enum Match: Sendable, Equatable {
        /// A row of the table.
        case operation(Int)
        /// A template has the path, but no row for the method.
        case otherMethod
        /// No template has the path.
        case unknown
        /// The path has more than one reading.
        case notPlain
    }

    /// Finds the operation of a path under `/api/0/`.
    /// - Parameter path: what the plain form was found in.
    func match(_ method: OperationMethod, _ plain: PlainPath, _ path: Span<UInt8>) -> Match {
        var node = 0
        var at = 2
        while at < plain.count {
            guard at < PlainPath.mostSegments else { return .unknown }
            if plain.escaped >> UInt16(at) & 1 == 1 {
                // Django decodes before it routes, so an escaped literal would take the literal's route.
                let segment = path.extracting(plain.segment(at))
                let next = Int(nodes[node].parameter)
                guard nodes[node].rest != 0 || next != 0 && !isLiteral(segment, at: node) else { return .notPlain }
                if nodes[node].rest != 0 { return operation(at: Int(nodes[node].rest), method, plain, path) }
                node = next
            } else if nodes[node].hasLiterals, let next = child(of: node, path, plain.segment(at)) {
                node = next
            } else if nodes[node].parameter != 0 {
                node = Int(nodes[node].parameter)
            } else if nodes[node].rest != 0 {
                return operation(at: Int(nodes[node].rest), method, plain, path)
            } else {
                return .unknown
            }
            at += 1
        }
        return operation(at: node, method, plain, path)
    }

    private func operation(
        at node: Int, _ method: OperationMethod, _ plain: PlainPath, _ path: Span<UInt8>
    ) -> Match {
        var outcome = Match.unknown
        let first = Int(nodes[node].firstOperation)
        for i in first..<first + Int(nodes[node].operationCount) {
            let row = Int(nodeOperations[i])
            let template = Int(operations[row].template)
            if plain.escaped & ~templates[template].freeSegments != 0 { return .notPlain }
            if templates[template].typedSegments != 0 {
                guard hasKinds(template, plain, path) else { continue }
            }
            if operations[row].method == method { return .operation(row) }
            outcome = .otherMethod
        }
        return outcome
    }

    /// Holds the segments to the types of the template's parameters, as Sentry's own routes do.
    private func hasKinds(_ template: Int, _ plain: PlainPath, _ path: Span<UInt8>) -> Bool {
        var typed = templates[template].typedSegments
        let first = Int(templates[template].kinds)
        while typed != 0 {
            let i = typed.trailingZeroBitCount
            typed &= typed &- 1
            guard SegmentKind.matches(kinds[first + i - 2], path.extracting(plain.segment(i))) else { return false }
        }
        return true
    }

    /// The node behind a literal of this node.
    @inline(__always)
    private func child(of node: Int, _ path: Span<UInt8>, _ range: Range<Int>) -> Int? {
        let word = EightBytes(path, padded: range.lowerBound).first(range.count).word
        var place = Self.place(node, range.count, word, edges.count)
        while edges[place].from != 0 {
            let edge = edges[place]
            if edge.from == node + 1, edge.word == word, Int(edge.text.count) == range.count,
                range.count <= 8 || hasBytes(edge.text, path.extracting(range))
            {
                return Int(edge.to)
            }
            place = (place + 1) & (edges.count - 1)
        }
        return nil
    }

    private func hasBytes(_ text: TableText, _ segment: Span<UInt8>) -> Bool {
        let start = Int(text.start)
        for i in 8..<segment.count where self.text[start + i] != segment[i] { return false }
        return true
    }

    /// Whether an escaped segment stands for a literal of this node. Looks at all literals: no honest client sends it.
    private func isLiteral(_ segment: Span<UInt8>, at node: Int) -> Bool {
        guard nodes[node].hasLiterals else { return false }
        for i in edges.indices where edges[i].from == node + 1 {
            if decodesTo(text.span.extracting(edges[i].text.range), segment) { return true }
        }
        return false
    }

    /// Where the search for an edge begins.
    static func place(_ node: Int, _ count: Int, _ word: UInt64, _ places: Int) -> Int {
        let mixed = (word ^ UInt64(node) &* 0x9e37_79b9_7f4a_7c15 ^ UInt64(count) << 56) &* 0xff51_afd7_ed55_8ccd
        return Int(truncatingIfNeeded: (mixed ^ mixed >> 32) & UInt64(places - 1))
    }

    // MARK: Beside another table

    /// For each row the row of another table that is the same operation; nil where that has none.
    package func rows(in other: EndpointTable) -> [Int?] {
        operations.indices.map { row in
            if row < other.operations.count, operations[row].method == other.operations[row].method,
                text[templates[Int(operations[row].template)].path.range].elementsEqual(
                    other.text[other.templates[Int(other.operations[row].template)].path.range])
            {
                return row
            }
            return other.row(operations[row].method, path(of: row).dropFirst(6))
        }
    }

    /// Operations of another table of which this one lets more happen, for the log of each start.
    package func weakened(against other: EndpointTable) -> [String] {
        zip(other.operations.indices, other.rows(in: self)).compactMap { row, known in
            guard let found = known ?? self.row(inPlaceOf: row, of: other) else { return nil }
            let (old, new) = (other.operations[row], operations[found])
            guard old.isStricter(than: new.effect, new.operationClass) else { return nil }
            return "\(other.name(of: row)): \(old.effect.rawValue) is \(new.effect.rawValue)"
                + (known == nil ? ", as \(name(of: found))" : "")
        }
    }

    /// The row that takes the path of an operation that this table lacks: where a literal is not there, a parameter may be.
    private func row(inPlaceOf row: Int, of other: EndpointTable) -> Int? {
        // Digits are of every type, and no literal has a tilde.
        let segments = other.path(of: row).split(separator: "/", omittingEmptySubsequences: false).map { segment in
            guard segment.hasPrefix("{") else { return String(segment) }
            return segment.hasPrefix("{project}:") ? "~:0" : segment.contains(":") ? "0" : "~"
        }
        let path = Array(segments.joined(separator: "/").utf8)
        guard let plain = PlainPath(path.span),
            case .operation(let found) = match(other.operations[row].method, plain, path.span)
        else { return nil }
        // One that no row decides is refused.
        return operations[found].judgedAs >= 0 ? Int(operations[found].judgedAs) : nil
    }

    /// How many rows nobody has judged yet: Scripts/make-endpoints.py puts the word there.
    package var unjudgedCount: Int { operations.count { string($0.note).contains("unjudged") } }

    // MARK: For people

    /// A text of the table.
    package func string(_ part: TableText) -> String { String(decoding: text[part.range], as: UTF8.self) }

    /// The template of a row as people write it, under `/api/0`.
    package func path(of row: Int) -> String { "/api/0" + string(templates[Int(operations[row].template)].path) }

    /// `METHOD /api/0/…` of a row.
    package func name(of row: Int) -> String { "\(operations[row].method.name) \(path(of: row))" }

    /// A template without the names of its parameters, their types and the slash at the end: what rows are compared by.
    static func blank(_ path: some StringProtocol) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(path.utf8.count)
        var depth = 0
        for byte in path.utf8 {
            if byte == UInt8(ascii: "{") {
                depth += 1
                if depth == 1 { out.append(ASCII.asterisk) }
            } else if byte == UInt8(ascii: "}") {
                depth -= 1
            } else if depth == 0 {
                out.append(byte)
            }
        }
        if out.last == ASCII.slash { out.removeLast() }
        return String(decoding: out, as: UTF8.self)
    }

    /// The row that a method and a template with `*` or named parameters, under `/api/0`, stand for.
    package func row(_ method: OperationMethod, _ path: some StringProtocol) -> Int? {
        rowByName["\(method.name) \(Self.blank(path))"]
    }
}

extension SegmentKind {
    /// Whether the bytes are of that type (the regular expressions of getsentry/sentry src/sentry/api/urls.py).
    static func matches(_ kind: SegmentKind, _ segment: Span<UInt8>) -> Bool {
        switch kind {
        case .literal, .any, .rest: true
        case .digits: isAll(segment) { $0.isDigit }
        case .hexadecimal: isAll(segment) { $0.hexDigitValue != nil }
        case .eventID:
            32...36 ~= segment.count && endOfUUID(segment, from: 0, to: segment.count) == segment.count
                || isAll(segment) { $0.isDigit }
        case .eventIDOrName:
            matches(.eventID, segment) || isText(segment, "latest") || isText(segment, "oldest")
                || isText(segment, "recommended")
        case .projectAndEvent: colon(in: segment).map { isProjectAndEvent(segment, $0) } ?? false
        }
    }

    /// The last colon: what stands behind it has none.
    static func colon(in segment: Span<UInt8>) -> Int? {
        segment.indices.last { segment[$0] == ASCII.colon }
    }

    private static func isProjectAndEvent(_ segment: Span<UInt8>, _ colon: Int) -> Bool {
        colon > 0 && matches(.eventID, segment.extracting(colon + 1..<segment.count))
    }

    @inline(__always)
    private static func isAll(_ segment: Span<UInt8>, _ holds: (UInt8) -> Bool) -> Bool {
        for i in segment.indices where !holds(segment[i]) { return false }
        return !segment.isEmpty
    }
}

/// Whether the bytes are that text.
func isText(_ bytes: Span<UInt8>, _ text: StaticString) -> Bool {
    bytesEqual(bytes, ByteSlice(start: 0, count: bytes.count), text)
}

extension EndpointTable {
    /// Writes the name of a row in the access log: `object.verb`.
    func writeName(_ row: Int, into writer: inout HeadWriter) {
        writer.append(text.span.extracting(operations[row].object.range))
        writer.append(byte: ASCII.dot)
        writer.append(text.span.extracting(operations[row].verb.range))
    }
}
