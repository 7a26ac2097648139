import Testing

@testable import HTTP1

/// Sixteen bytes at a time find what one byte at a time finds: every byte, at every place of a run, and nothing outside it.
@Suite struct ByteRunTests {
    private enum Kind: CaseIterable { case token, target, registeredName, fieldValue, base64URL, uuid }

    private func found(_ kind: Kind, _ bytes: [UInt8], from start: Int, to end: Int) -> Int {
        switch kind {
        case .token: endOfToken(bytes.span, from: start, to: end)
        case .target: endOfTarget(bytes.span, from: start, to: end)
        case .registeredName: endOfRegisteredName(bytes.span, from: start, to: end)
        case .fieldValue: endOfFieldValue(bytes.span, from: start, to: end)
        case .base64URL: endOfBase64URL(bytes.span, from: start, to: end)
        case .uuid: endOfUUID(bytes.span, from: start, to: end)
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
        case .uuid: byte.hexDigitValue != nil || byte == ASCII.hyphen
        }
    }

    @Test func marksStandWhereBytesOfAnotherKindAre() {
        let filler = Array((0..<90).map { Array("aZz-Abc_0123456789".utf8)[$0 % 18] })
        var disagreements = 0
        for byte: UInt8 in [0x00, 0x2e, 0x2f, 0x40, 0x5b, 0x60, 0x7b, 0xff, UInt8(ascii: "A")] {
            for place in filler.indices {
                for (start, count) in [(0, 90), (0, 64), (3, 66), (60, 90), (75, 90), (0, 9), (2, 15), (5, 25), (8, 8)]
                {
                    var bytes = filler
                    bytes[place] = byte
                    bytes.removeLast(bytes.count - count)
                    var expected: UInt64 = 0
                    for i in start..<min(start + 64, count) where !belongs(.base64URL, bytes[i]) {
                        expected |= 1 << UInt64(i - start)
                    }
                    if beyondBase64URL(bytes.span, from: start) != expected { disagreements += 1 }
                }
            }
        }
        #expect(disagreements == 0)
    }

    @Test func runsEndWhereTheirFirstOtherByteIs() {
        let usual = Array("aZz-AbcdefghijkMno0123456789-pqrstuVWX".utf8)
        var disagreements = 0
        for kind in Kind.allCases {
            let filler = kind == .uuid ? Array("aFf-Abcdefabcdef0120123456789-abcdefAB".utf8) : usual
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
