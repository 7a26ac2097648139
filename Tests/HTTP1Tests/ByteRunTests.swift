import Testing

@testable import HTTP1

/// Sixteen bytes at a time find what one byte at a time finds: every byte, at every place of a run, and nothing outside it.
@Suite struct ByteRunTests {
    private enum Kind: CaseIterable { case token, target, registeredName, fieldValue, base64URL }

    private func found(_ kind: Kind, _ bytes: [UInt8], from start: Int, to end: Int) -> Int {
        switch kind {
        case .token: endOfToken(bytes.span, from: start, to: end)
        case .target: endOfTarget(bytes.span, from: start, to: end)
        case .registeredName: endOfRegisteredName(bytes.span, from: start, to: end)
        case .fieldValue: endOfFieldValue(bytes.span, from: start, to: end)
        case .base64URL: endOfBase64URL(bytes.span, from: start, to: end)
        }
    }

    private func belongs(_ kind: Kind, _ byte: UInt8) -> Bool {
        switch kind {
        case .token: ByteClass.token.contains(byte)
        case .target: ByteClass.target.contains(byte)
        case .registeredName: ByteClass.registeredName.contains(byte)
        case .fieldValue: byte.isFieldValueByte
        case .base64URL:
            byte.isDigit || (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == ASCII.hyphen || byte == ASCII.underscore
        }
    }

    @Test func runsEndWhereTheirFirstOtherByteIs() {
        let filler = Array("aZz-AbcdefghijkMno0123456789-pqrstuVWX".utf8)
        var disagreements = 0
        for kind in Kind.allCases {
            for byte in UInt8.min...UInt8.max {
                for place in filler.indices {
                    var bytes = filler
                    bytes[place] = byte
                    for (start, end) in [
                        (0, 38), (1, 38), (3, 38), (25, 38), (0, 9), (2, 15), (4, 20), (0, 16), (37, 37),
                    ] {
                        let expected = bytes[start..<end].firstIndex { !belongs(kind, $0) } ?? end
                        if found(kind, bytes, from: start, to: end) != expected { disagreements += 1 }
                    }
                }
            }
        }
        #expect(disagreements == 0)
    }
}
