import Foundation
import Testing

@testable import Main
@testable import TokenStore

@Suite struct FileChangesTests {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    func write(_ text: String, to name: String) throws -> FileSignature? {
        let file = folder.appendingPathComponent(name)
        try text.write(to: file, atomically: true, encoding: .utf8)
        return FileSignature(path: file.path)
    }

    /// Which of the looks are due.
    func due(_ known: [FileSignature?], _ looks: [[FileSignature?]]) -> [Bool] {
        var changes = FileChanges(known)
        return looks.map { changes.isDue($0) }
    }

    @Test func aChangeCountsOnceItHasSettled() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let (a, b, c) = (try write("1", to: "a"), try write("2", to: "b"), try write("3", to: "c"))
        #expect(a != nil && a != b && b != c)
        // The certificate first, its key a moment later; then once only, whatever came of it.
        let looks = [[a, b], [c, b], [c, nil], [c, nil], [c, nil], [c, a], [c, a]]
        #expect(due([a, b], looks) == [false, false, false, true, false, false, true])
    }

    @Test func aChangeThatWasTakenBackIsNone() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let (a, b) = (try write("1", to: "a"), try write("2", to: "b"))
        #expect(due([a], [[b], [a], [a]]) == [false, false, false])
    }
}
