import Testing

@testable import HTTP1

/// Eight bytes at a time find what one byte at a time finds: every byte, at every place of a run.
@Suite struct ByteRunTests {
    private enum Kind: CaseIterable { case token, target, registeredName, fieldValue }

    private func found(_ kind: Kind, _ bytes: [UInt8], from start: Int) -> Int {
        switch kind {
        case .token: endOfToken(bytes.span, from: start, to: bytes.count)
        case .target: endOfTarget(bytes.span, from: start, to: bytes.count)
        case .registeredName: endOfRegisteredName(bytes.span, from: start, to: bytes.count)
        case .fieldValue: endOfFieldValue(bytes.span, from: start, to: bytes.count)
        }
    }

    private func belongs(_ kind: Kind, _ byte: UInt8) -> Bool {
        switch kind {
        case .token: ByteClass.token.contains(byte)
        case .target: ByteClass.target.contains(byte)
        case .registeredName: ByteClass.registeredName.contains(byte)
        case .fieldValue: byte.isFieldValueByte
        }
    }

    @Test func runsEndWhereTheirFirstOtherByteIs() {
        let filler = Array("aZz-AbcdefghijkMno".utf8)
        var disagreements = 0
        for kind in Kind.allCases {
            for byte in UInt8.min...UInt8.max {
                for place in filler.indices {
                    var bytes = filler
                    bytes[place] = byte
                    for start in 0...3 {
                        let expected = bytes[start...].firstIndex { !belongs(kind, $0) } ?? bytes.count
                        if found(kind, bytes, from: start) != expected { disagreements += 1 }
                    }
                }
            }
        }
        #expect(disagreements == 0)
    }
}
