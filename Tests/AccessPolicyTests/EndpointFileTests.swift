import HTTP1
import Testing

@testable import AccessPolicy

/// A table that an operator brings (`--endpoint-table`).
@Suite struct EndpointFileTests {
    private static let columns = EndpointTableReader.columns.joined(separator: "\t")
    private static let head = "# version 2027-01 test\n# a comment\n\(columns)\n"
    private static let row =
        "GET\t/organizations/{org}/new/\tread\t-\torganization\tnew\tlist\torg:read\topenapi\t2027\t-"

    private func read(_ text: String) -> (table: EndpointTable?, mistakes: [EndpointTableError]) {
        EndpointTable.read(Array(text.utf8).span)
    }

    /// The row with other values in some columns.
    private static func row(_ changes: [Int: String]) -> String {
        var cells = row.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        for (index, value) in changes { cells[index] = value }
        return cells.joined(separator: "\t")
    }

    @Test func `what is compiled in may be brought as a file`() throws {
        let text = endpointText.description
        for form in [text, text.replacing("\n", with: "\r\n"), String(text.dropLast())] {
            let (table, mistakes) = read(form)
            #expect(mistakes == [])
            let read = try #require(table)
            #expect(read.version == EndpointTable.builtIn.version && read.operations.count == 1_174)
            #expect(read.rows(in: .builtIn) == read.operations.indices.map { $0 })
            #expect(read.weakened(against: .builtIn) == [])
            #expect(try Policy(file: "", over: read).shortfalls == [])
        }
    }

    @Test func `a table has its version and its rows`() throws {
        let (table, mistakes) = read(
            Self.head + Self.row + "\n\n# another\n" + Self.row([0: "POST", 2: "write"]) + "\n")
        let found = try #require(table)
        #expect(mistakes == [] && found.version == "2027-01 test")
        #expect(
            found.operations.indices.map(found.name(of:)) == [
                "GET /api/0/organizations/{org}/new/", "POST /api/0/organizations/{org}/new/",
            ])
    }

    @Test(arguments: [
        [0: "BREW"], [0: "get"], [0: ""], [1: "organizations/"], [1: "/a//b/"], [1: "/a/../b/"], [1: "/a\"b/"],
        [1: "/a%41/"],
        [1: "/a b/"], [1: "/é/"], [1: "/{a/"], [1: "/a}/"], [1: "/{}/"], [1: "/{a:x}/"], [1: "/{a}b/"],
        [1: "/{path:*}/b/"],
        [1: "/*/"], [1: "/1/2/3/4/5/6/7/8/9/10/11/"], [1: "/1/2/3/4/5/6/7/8/9/10/{x}/"],
        [1: "/{organization_id_or_slug}/"],
        [1: "/{org}/{org}/"], [1: "/{project}:{event_id:e}/{x}/"], [2: "reed"], [2: "write"], [2: "read-by-POST"],
        [0: "DELETE"], [0: "POST"], [0: "PUT", 2: "write-on-GET"], [3: "crdential"], [3: "identity"], [4: "all"],
        [4: "path"],
        [4: "object"], [5: "a b"], [5: "a\""], [6: "é"], [6: String(repeating: "x", count: 41)], [7: "org:reed"],
        [7: "org:read  org:write"], [8: "by rule"], [9: ""], [10: ""], [10: "a\u{7}"], [10: "a\tb"],
    ]) func `a row that is not understood is named, and the others are read`(_ changes: [Int: String]) throws {
        let good = Self.row([1: "/organizations/{org}/other/"])
        let (table, mistakes) = read(Self.head + Self.row(changes) + "\n" + good + "\n")
        #expect(mistakes.map(\.line) == [4], "\(mistakes)")
        #expect(
            mistakes[0].message.allSatisfy { !$0.isNewline }
                && mistakes[0].message.utf8.allSatisfy { 0x20...0x7e ~= $0 })
        #expect(try #require(table).operations.count == 1)
    }

    @Test(arguments: [
        "", "\n\n", "# version x\n", "# version 1\n\(columns)\n", "\(columns)\n\(row)\n", "# version x\n\(row)\n",
        "# version x\n# version y\n\(columns)\n\(row)\n", "# version \n\(columns)\n\(row)\n",
        "# version é\n\(columns)\n\(row)\n",
        "# version x\n\(columns)\tmore\n\(row)\n", "sntrys_secret-of-somebody\n",
        "# version x\n\(columns.replacing("\t", with: " "))\n\(row)\n",
        "# version \(String(repeating: "x", count: 201))\n\(columns)\n\(row)\n",
        "# version x\n\(columns)\n\(row)\n# version y\n",
    ])
    func `what is no such file is not read, and nothing of it is repeated`(_ text: String) {
        let (table, mistakes) = read(text)
        #expect(table == nil && mistakes.count == 1)
        #expect(mistakes.allSatisfy { $0.line >= 1 && !$0.message.contains("sntrys") })
    }

    @Test func `an operation twice is refused under whatever names its parameters have`() {
        for second in ["/organizations/{slug}/new", "/organizations/{x:d}/new/"] {
            let (_, mistakes) = read(Self.head + Self.row + "\n" + Self.row([1: second, 4: "-"]) + "\n")
            #expect(mistakes.map(\.description) == ["line 5: GET \(second) was given before, at line 4"])
        }
    }

    @Test func `a file cut off anywhere holds no operation that the whole has not`() throws {
        let text = Array((Self.head + Self.row + "\n" + Self.row([0: "PUT", 2: "write", 3: "mint"]) + "\n").utf8)
        let whole = try #require(EndpointTable.read(text.span).table)
        for count in text.indices {
            let (table, mistakes) = EndpointTable.read(text.span.extracting(0..<count))
            guard let table, mistakes.isEmpty else {
                #expect(!mistakes.isEmpty && mistakes.allSatisfy { $0.line >= 1 })
                continue
            }
            for row in table.operations.indices {
                #expect(table.name(of: row) == whole.name(of: row))
                #expect(table.operations[row].effect == whole.operations[row].effect)
                #expect(table.operations[row].operationClass == whole.operations[row].operationClass)
            }
        }
    }

    @Test func `there are bounds to rows, to mistakes and to what templates come to`() throws {
        func table(_ rows: [String]) -> (table: EndpointTable?, mistakes: [EndpointTableError]) {
            read(Self.head + rows.map { $0 + "\n" }.joined())
        }
        let most = EndpointTableReader.mostRows
        let many = (0...most).map { Self.row([1: "/a/\($0)/", 4: "-"]) }
        #expect(table(Array(many.dropLast())).mistakes == [])
        #expect(
            table(many).mistakes == [
                EndpointTableError(line: most + 4, message: "a table has at most \(most) operations")
            ])
        #expect(table((0..<300).map { _ in "x" }).mistakes.count == 100)
        // Ten literals beside a parameter in each of ten places: together they would be 11 to the power of 10 nodes.
        let bomb = (0..<10).flatMap { place in
            (0..<10).map { Self.row([1: "/" + String(repeating: "{x}/", count: place) + "l\($0)/", 4: "-"]) }
        }
        let (none, mistakes) = table(bomb)
        #expect(none == nil && mistakes.count == 1 && mistakes[0].line == 103)
    }

    @Test func `rights go by the table that was brought`() throws {
        let rows = [
            Self.row, Self.row([1: "/organizations/{org}/secrets/", 2: "secret", 3: "credential"]),
            Self.row([0: "POST", 1: "/organizations/{org}/releases/", 2: "write", 3: "mint"]),
            Self.row([1: "/organizations/{org}/releases/"]),
        ]
        let table = try #require(read(Self.head + rows.joined(separator: "\n")).table)
        let policy = try Policy(
            file: "effect GET /api/0/organizations/*/secrets/ read -\nset ours\n allow GET O new/", over: table)
        #expect(policy.table.operations.count == 4 && policy.weakened.count == 1)
        #expect(policy.sets.operations(of: "read-only")?.operations == [0, 1, 3])
        #expect(policy.sets.operations(of: "ci-upload")?.operations == [3])
        #expect(
            policy.shortfalls.contains {
                $0.hasPrefix(
                    "set ci-upload goes without what the table lacks or bars: GET /api/0/organizations/*/chunk-upload/, "
                )
            })
        #expect(policy.shortfalls.contains { $0.hasPrefix("set dsn allows nothing: the table lacks or bars ") })
        #expect(throws: AliasWords.Problem.self) { try AliasWords(["read-only", "dsn"], sets: policy.sets, now: 0) }
        let aliases = try AliasTable(
            try parseAliasFile("ci sap_x alerts:read org:read\n"), rules: AliasRules(policy: policy, now: 0))
        #expect(aliases.rights?.idleWords == ["alerts:read"])
        #expect(throws: PolicyFileError.self) { try Policy(file: "set ours\n allow GET O issues/", over: table) }
        #expect(table.weakened(against: .builtIn) == [])
        let weak = try #require(read(Self.head + Self.row([1: "/organizations/{org}/uptime/"])).table)
        #expect(weak.weakened(against: .builtIn) == ["GET /api/0/organizations/{org}/uptime/: secret is read"])
    }

    @Test func `a row left out is weaker when a parameter takes its path`() throws {
        func table(without path: String) throws -> EndpointTable {
            let rows = endpointText.description.split(separator: "\n")
            let kept = rows.filter { !$0.contains("\t\(path)\t") }
            #expect(kept.count < rows.count)
            return try #require(read(kept.joined(separator: "\n")).table)
        }
        let releases = "/projects/{org}/{project}/releases/"
        #expect(
            try table(without: releases + "token/").weakened(against: .builtIn) == [
                "GET /api/0\(releases)token/: write-on-GET is read, as GET /api/0\(releases){version:free}/"
            ])
        // What takes no other row is refused as unknown, and what takes one as strict is no weaker.
        #expect(try table(without: "/projects/{org}/{project}/keys/").weakened(against: .builtIn) == [])
        #expect(try table(without: "/organizations/{org}/detectors/count/").weakened(against: .builtIn) == [])
        #expect(try table(without: "/users/me/").weakened(against: .builtIn) == [])
    }

    @Test func `operations are found again in another table`() throws {
        let (first, second) = (Self.row, Self.row([1: "/a/{x}/", 4: "-"]))
        let old = try #require(read(Self.head + first + "\n" + second).table)
        let new = try #require(
            read(Self.head + Self.row([1: "/b/", 4: "-"]) + "\n" + Self.row([1: "/a/{y}/", 4: "-"]) + "\n" + first)
                .table)
        #expect(new.rows(in: old) == [nil, 1, 0])
    }

    @Test func `every set has something in the built-in table, and every scope but one`() {
        let sets = Policy.builtIn.sets
        let empty = (sets.names + ScopeSet.allNames).filter { sets.operations(of: $0)?.isEmpty != false }
        #expect(empty == ["project:distribution"])
    }
}
