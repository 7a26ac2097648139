internal import System

/// The quantities that operators write.
enum Quantities {
    static let durationForm = "a duration such as 10, 0.5, 250ms, 30s or 5m"
    static let truthForm = "true or false"
    static let sizeForm = "a number of bytes such as 262144, 256KiB or 10MiB"

    /// Seconds by default; `ms`, `s`, `m` and `h` are known.
    /// - Returns: at least one millisecond and at most a day.
    static func duration(_ text: String) -> Duration? {
        let units: [(String, Double)] = [("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)]
        let (suffix, scale) = units.first { text.hasSuffix($0.0) } ?? ("", 1e9)
        let digits = text.dropLast(suffix.count)
        guard !digits.isEmpty, digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 || $0 == 0x2e }), let number = Double(digits)
        else { return nil }
        let value = number * scale
        guard value >= 1e6, value <= 86_400e9 else { return nil }
        return .nanoseconds(UInt64(value))
    }

    /// Bytes by default; `k`, `m`, `g` with or without `B`, `iB` are powers of 1024.
    static func bytes(_ text: String) -> UInt64? {
        let lower = text.lowercased()
        let digits = lower.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, let number = UInt64(digits) else { return nil }
        let shift: UInt64
        switch lower.dropFirst(digits.count) {
        case "", "b": shift = 0
        case "k", "kb", "kib": shift = 10
        case "m", "mb", "mib": shift = 20
        case "g", "gb", "gib": shift = 30
        default: return nil
        }
        let (value, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        return overflow ? nil : value
    }

    static func truth(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "1", "true", "yes", "on": true
        case "0", "false", "no", "off": false
        default: nil
        }
    }

    static func switched(_ text: String) -> Bool? {
        switch text {
        case "on": true
        case "off": false
        default: nil
        }
    }

    /// One of the words of `Word`, in whatever case of letters.
    static func word<Word: RawRepresentable<String>>(_ text: String) -> Word? {
        Word(rawValue: text.lowercased())
    }

    static func count(_ range: ClosedRange<Int>) -> (String) -> Int? {
        { text in Int(text).flatMap { range.contains($0) ? $0 : nil } }
    }
}
