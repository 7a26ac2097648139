import Foundation
import Testing

@testable import ProxyServer

/// ARCHITECTURE.md is held to the code.
@Suite struct ArchitectureTests {
    private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private func architecture() throws -> String {
        try String(contentsOf: root.appendingPathComponent("ARCHITECTURE.md"), encoding: .utf8)
    }

    @Test func theDiagramIsTheMachine() throws {
        let text = try architecture()
        let begin = try #require(text.range(of: "<!-- state diagram: begin -->\n```mermaid\n"))
        let end = try #require(text.range(of: "```\n<!-- state diagram: end -->"))
        let held = String(text[begin.upperBound..<end.lowerBound])
        #expect(held == stateDiagram(), "put this between the markers:\n\(stateDiagram())")
    }

    @Test func theDiagramsOfThePartsAreTheirMachines() throws {
        let text = try architecture()
        let diagrams = [
            ("attempt", attemptDiagram()),
            (
                "upload",
                partDiagram(from: Upload.streaming) { (state: Upload, input: UploadInput) in step(state, input) }
            ),
            (
                "recording",
                partDiagram(from: Recording.none) { (state: Recording, input: RecordingInput) in step(state, input) }
            ),
            (
                "response",
                partDiagram(from: ResponseStage.head) { (state: ResponseStage, input: ResponseInput) in
                    step(state, input)
                }
            ),
        ]
        for (name, diagram) in diagrams {
            let begin = try #require(text.range(of: "<!-- \(name) diagram: begin -->\n```mermaid\n"))
            let end = try #require(text.range(of: "```\n<!-- \(name) diagram: end -->"))
            #expect(text[begin.upperBound..<end.lowerBound] == diagram, "put this there:\n\(diagram)")
        }
    }

    /// What the log will say decides nothing: the exchange sets its record, and has it told what happened.
    @Test func theAccessRecordIsWrittenOnly() throws {
        let folder = root.appendingPathComponent("Sources/ProxyServer/Exchange")
        var writes = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasSuffix(".swift") {
            let source = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
            for use in source.matches(of: /\brecord\.(?<member>\w+)(?<rest>[ (]?[+=]*\s?)/) {
                let isCall = ["dialed", "connected", "gotByte", "blame"].contains(String(use.member))
                let isWrite = ["= ", "=\n", "+= "].contains { use.rest.drop { $0 == " " }.hasPrefix($0) }
                writes += 1
                #expect(isCall || isWrite, "\(name) reads record.\(use.member)")
            }
        }
        #expect(writes > 20)
    }

    /// Parsers and decisions are told the time: what they say of the same bytes is the same at any time.
    @Test func parsersAndDecisionsReadNoClock() throws {
        var files = 0
        for folder in ["Sources/HTTP1", "Sources/AccessPolicy"] {
            let folder = root.appendingPathComponent(folder)
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasSuffix(".swift")
            {
                let source = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
                files += 1
                #expect(!source.contains(/\bClock\.|\bclock_gettime\b|\btime\(nil\)/), "\(name) reads a clock")
            }
        }
        #expect(files > 50)
    }

    @Test func filesWithUnsafeCodeAreListed() throws {
        let text = try architecture()
        let section = try #require(text.range(of: "## Unsafe code"))
        let end = try #require(text.range(of: "## Dependencies"))
        let listed = text[section.upperBound..<end.lowerBound]
        let sources = root.appendingPathComponent("Sources")
        let marks = ["Unsafe", "nonisolated(unsafe)", "@unchecked", "Unmanaged"]
        var seen = 0
        for case let path as String in try #require(FileManager.default.enumerator(atPath: sources.path))
        where path.hasSuffix(".swift") {
            seen += 1
            let source = try String(contentsOf: sources.appendingPathComponent(path), encoding: .utf8)
            guard marks.contains(where: source.contains) else { continue }
            let name = URL(fileURLWithPath: path).lastPathComponent
            #expect(listed.contains("\(name)`"), "\(path) has unsafe code and no row in ARCHITECTURE.md")
        }
        #expect(seen > 100)
    }

    @Test func filesAreWhereTheArchitectureSaysTheyAre() throws {
        let text = try architecture()
        let sources = root.appendingPathComponent("Sources")
        let paths = text.matches(of: /`([A-Za-z0-9]+(?:\/[A-Za-z0-9]+)+\.swift)`/).map { String($0.1) }
        #expect(paths.count > 15)
        for path in paths {
            let isThere = FileManager.default.fileExists(atPath: sources.appendingPathComponent(path).path)
            #expect(isThere, "ARCHITECTURE.md names Sources/\(path), which is not there")
        }
    }
}
