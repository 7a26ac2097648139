import Foundation
import ProxyServer
import Testing

/// ARCHITECTURE.md is held to the code.
@Suite struct ArchitectureTests {
    @Test func theDiagramIsTheMachine() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("ARCHITECTURE.md"), encoding: .utf8)
        let begin = try #require(text.range(of: "<!-- state diagram: begin -->\n```mermaid\n"))
        let end = try #require(text.range(of: "```\n<!-- state diagram: end -->"))
        let held = String(text[begin.upperBound..<end.lowerBound])
        #expect(held == stateDiagram(), "put this between the markers:\n\(stateDiagram())")
    }
}
