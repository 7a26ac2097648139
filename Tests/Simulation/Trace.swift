/// A digest of all that happened in a run, and on demand its text.
struct Trace {
    private(set) var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    var isPrinted = false

    mutating func note(_ word: UInt64) {
        digest = (digest ^ word) &* 0x0000_0100_0000_01b3
        digest ^= digest >> 29
    }

    mutating func note(_ bytes: UnsafeRawBufferPointer) {
        var at = 0
        while at + 8 <= bytes.count {
            note(bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            at += 8
        }
        var rest = UInt64(bytes.count)
        while at < bytes.count {
            rest = rest << 8 | UInt64(bytes[at])
            at += 1
        }
        note(rest)
    }

    /// A system call of the proxy, or what one of the others did.
    mutating func note(_ what: StaticString, clock: UInt64, _ number: Int, _ result: Int) {
        note(UInt64(what.utf8CodeUnitCount) << 8 | UInt64(what.utf8Start.pointee))
        note(clock)
        note(UInt64(bitPattern: Int64(number)))
        note(UInt64(bitPattern: Int64(result)))
        if isPrinted { print("\(clock / 1_000) µs  \(what) \(number) = \(result)") }
    }
}
