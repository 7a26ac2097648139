/// A body of `application/x-www-form-urlencoded`, made without a `String` of its secrets.
struct FormBody {
    private var bytes: [UInt8] = []

    mutating func add(_ name: StaticString, _ value: String) {
        begin(name)
        for byte in value.utf8 { append(byte) }
    }

    mutating func add(_ name: StaticString, _ value: Secret) {
        begin(name)
        value.withBytes { value in
            for index in 0..<value.count { append(value[index]) }
        }
    }

    /// The body; this value is empty afterwards.
    mutating func finish() -> Secret {
        Secret(wiping: &bytes)
    }

    private mutating func begin(_ name: StaticString) {
        if !bytes.isEmpty { bytes.append(UInt8(ascii: "&")) }
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "="))
    }

    private mutating func append(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            bytes.append(byte)
        case UInt8(ascii: " "):
            bytes.append(UInt8(ascii: "+"))
        default:
            let digits: StaticString = "0123456789ABCDEF"
            digits.withUTF8Buffer { digits in
                bytes.append(UInt8(ascii: "%"))
                bytes.append(digits[Int(byte >> 4)])
                bytes.append(digits[Int(byte & 15)])
            }
        }
    }
}
