internal import Glibc

/// The messages of Tests/Fixtures.
struct Fixtures {
    let requests: [[UInt8]]
    let responses: [[UInt8]]

    /// - Parameter folder: Tests/Fixtures.
    init(_ folder: String) {
        requests = Self.load(folder + "/requests")
        responses = Self.load(folder + "/responses")
    }

    private static func load(_ folder: String) -> [[UInt8]] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".http") { names.append(name) }
        }
        return names.sorted().compactMap { decode(read(folder + "/" + $0)) }
    }

    private static func read(_ path: String) -> [UInt8] {
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            guard count > 0 else { return bytes }
            bytes += buffer[..<count]
        }
    }

    /// The message below `---`; nil when it is a long one (`\{…*N}`), which the unit tests have.
    private static func decode(_ text: [UInt8]) -> [UInt8]? {
        let lines = text.split(separator: 0x0a, omittingEmptySubsequences: false)
        guard let mark = lines.firstIndex(where: { $0.elementsEqual("---".utf8) }) else { return nil }
        var rest = lines[(mark + 1)...].joined()[...].makeIterator()
        var bytes: [UInt8] = []
        while let byte = rest.next() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            switch rest.next() {
            case UInt8(ascii: "r"): bytes.append(0x0d)
            case UInt8(ascii: "n"): bytes.append(0x0a)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "0"): bytes.append(0x00)
            case UInt8(ascii: "\\"): bytes.append(0x5c)
            case UInt8(ascii: "x"):
                guard let high = rest.next(), let low = rest.next(),
                    let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
                else { return nil }
                bytes.append(value)
            default: return nil
            }
        }
        return bytes
    }
}
