import Foundation
import HTTP1
import Testing

/// A file of Tests/Fixtures; its README tells the format.
struct Fixture: Sendable, CustomTestStringConvertible {
    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    /// The limits that the fixtures are written for.
    static let limits = HeadLimits(fields: 100)

    let name: String
    let keys: [(key: String, value: String)]
    let message: [UInt8]

    var testDescription: String { name }

    func all(_ key: String) -> [String] { keys.filter { $0.key == key }.map(\.value) }
    func first(_ key: String) -> String? { all(key).first }

    /// Every `*.http` file of a folder of Tests/Fixtures, by name.
    static func load(_ folder: String) -> [Fixture] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fixtures").appending(path: folder)
        do {
            return try FileManager.default.contentsOfDirectory(at: root, includingPropertiesForKeys: nil)
                .filter { $0.pathExtension == "http" }
                .sorted { $0.lastPathComponent < $1.lastPathComponent }
                .map { try Fixture(name: "\(folder)/\($0.lastPathComponent)", text: [UInt8](Data(contentsOf: $0))) }
        } catch {
            fatalError("Tests/Fixtures/\(folder): \(error)")
        }
    }

    init(name: String, text: [UInt8]) throws {
        self.name = name
        var keys: [(key: String, value: String)] = []
        var lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)[...]
        while let line = lines.popFirst(), !line.elementsEqual("---".utf8) {
            let text = String(decoding: line, as: UTF8.self)
            guard text.hasPrefix("# "), let colon = text.firstIndex(of: ":") else {
                throw Malformed(description: "\(name): not a \"# key: value\" line: \(text)")
            }
            let value = text[text.index(after: colon)...].drop { $0 == " " }
            keys.append((String(text[..<colon].dropFirst(2)), String(value)))
        }
        self.keys = keys
        message = try Self.decode(Array(lines.joined()), name)
        for key in ["section", "expect", "why"] where first(key) == nil {
            throw Malformed(description: "\(name): no \"# \(key):\" line")
        }
    }

    /// The bytes that `text` stands for.
    static func decode(_ text: [UInt8], _ name: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            let escape = rest.popFirst()
            switch escape.map({ Character(UnicodeScalar($0)) }) {
            case "r": bytes.append(0x0d)
            case "n": bytes.append(0x0a)
            case "t": bytes.append(0x09)
            case "0": bytes.append(0x00)
            case "\\": bytes.append(0x5c)
            case "x":
                guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
                else { throw Malformed(description: "\(name): \\x without two digits") }
                bytes.append(value)
                rest = rest.dropFirst(2)
            case "{":
                guard let end = rest.firstIndex(of: UInt8(ascii: "}")),
                    let star = rest[..<end].lastIndex(of: UInt8(ascii: "*")),
                    let count = Int(String(decoding: rest[(star + 1)..<end], as: UTF8.self))
                else { throw Malformed(description: "\(name): not \\{TEXT*N}") }
                let unit = try decode(Array(rest[..<star]), name)
                for _ in 0..<count { bytes += unit }
                rest = rest[(end + 1)...]
            default:
                throw Malformed(description: "\(name): unknown escape")
            }
        }
        return bytes
    }
}
