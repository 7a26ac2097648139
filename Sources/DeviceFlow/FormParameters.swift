/// The parameters of `application/x-www-form-urlencoded`, each name once (RFC 6749 §3.2).
struct FormParameters {
    struct Malformed: Error {}

    static let mostParameters = 16
    private var values: [String: [UInt8]] = [:]

    init(_ bytes: Span<UInt8>) throws(Malformed) {
        var name: [UInt8] = []
        var value: [UInt8] = []
        var isInValue = false
        var at = 0
        while at <= bytes.count {
            if at == bytes.count || bytes[at] == UInt8(ascii: "&") {
                if !name.isEmpty || isInValue { try add(name, value) }
                (name, value, isInValue) = ([], [], false)
                at += 1
                continue
            }
            var byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "=") where !isInValue:
                isInValue = true
                continue
            case UInt8(ascii: "+"): byte = UInt8(ascii: " ")
            case UInt8(ascii: "%"):
                guard at + 1 < bytes.count, let high = Self.digit(bytes[at]), let low = Self.digit(bytes[at + 1])
                else { throw Malformed() }
                byte = high << 4 | low
                at += 2
            default: break
            }
            if isInValue { value.append(byte) } else { name.append(byte) }
        }
    }

    private mutating func add(_ name: [UInt8], _ value: [UInt8]) throws(Malformed) {
        guard values.count < Self.mostParameters, let name = String(validating: name, as: UTF8.self),
            values.updateValue(value, forKey: name) == nil
        else { throw Malformed() }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// Empty counts as left out (RFC 6749 §3.2).
    func bytes(_ name: String) -> [UInt8]? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// - Returns: nil when it is left out or not visible ASCII with blanks.
    func text(_ name: String) -> String? {
        guard let value = bytes(name), value.allSatisfy({ 0x20...0x7e ~= $0 }) else { return nil }
        return String(decoding: value, as: UTF8.self)
    }
}
