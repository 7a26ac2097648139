package import System

/// Writes the Prometheus text format, version 0.0.4. Written for each scrape, off the workers' threads.
package struct Exposition {
    package enum Kind: String { case counter, gauge, histogram }

    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    package private(set) var text: [UInt8] = []
    private var name = ""

    package init() {}

    /// Begins a metric family; its samples follow.
    /// - Parameter name: with its base unit, and `_total` on a counter.
    package mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n".utf8
    }

    package mutating func sample(_ value: UInt64, _ labels: [(String, String)] = []) {
        sample(suffix: "", labels, "\(value)")
    }

    package mutating func sample(_ value: Bool, _ labels: [(String, String)] = []) {
        sample(suffix: "", labels, value ? "1" : "0")
    }

    package mutating func sample(_ length: Duration, _ labels: [(String, String)] = []) {
        sample(suffix: "", labels, Self.seconds(length.nanoseconds))
    }

    package mutating func sample(_ time: WallTime) {
        sample(suffix: "", [], Self.seconds(time.nanoseconds))
    }

    package mutating func sample(_ histogram: Histogram, _ labels: [(String, String)] = []) {
        var sum: UInt64 = 0
        for index in Histogram.bounds.indices {
            sum += histogram.buckets[index]
            sample(suffix: "_bucket", labels + [("le", Self.seconds(Histogram.bounds[index]))], "\(sum)")
        }
        sample(suffix: "_bucket", labels + [("le", "+Inf")], "\(histogram.count)")
        sample(suffix: "_sum", labels, Self.seconds(histogram.sum))
        sample(suffix: "_count", labels, "\(histogram.count)")
    }

    private mutating func sample(suffix: String, _ labels: [(String, String)], _ value: String) {
        let list = labels.map { "\($0)=\"\(Self.escaped($1, quotes: true))\"" }.joined(separator: ",")
        text += "\(name)\(suffix)\(list.isEmpty ? "" : "{\(list)}") \(value)\n".utf8
    }

    private static func escaped(_ value: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// Nanoseconds as seconds, exact and without an exponent.
    static func seconds(_ nanoseconds: UInt64) -> String {
        let digits = String(nanoseconds % 1_000_000_000)
        var fraction = String(repeating: "0", count: 9 - digits.count) + digits
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return "\(nanoseconds / 1_000_000_000)" + (fraction.isEmpty ? "" : ".\(fraction)")
    }
}
