/// The one source of chance of a run (SplitMix64): the same seed gives the same run.
struct Random {
    private var state: UInt64

    init(seed: UInt64) {
        // Neighbouring seeds must not give the same numbers one place further on.
        state = seed
        state = next() ^ 0x2545_f491_4f6c_dd1d
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }

    /// 0 ..< bound.
    mutating func below(_ bound: Int) -> Int {
        Int(((next() >> 32) &* UInt64(bound)) >> 32)
    }

    mutating func within(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.upperBound - range.lowerBound + 1)
    }

    /// True `times` in a thousand.
    mutating func chance(_ times: Int) -> Bool { below(1_000) < times }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    /// Few small numbers and now and then a large one: each order of magnitude comes up as often as any other.
    mutating func magnitude(_ most: Int) -> Int {
        guard most > 0 else { return 0 }
        let bits = most.bitWidth - most.leadingZeroBitCount
        return min(most, below(1 << within(0...bits)))
    }
}

/// Microseconds and milliseconds of virtual time in nanoseconds.
func microseconds(_ count: Int) -> UInt64 { UInt64(count) * 1_000 }
func milliseconds(_ count: Int) -> UInt64 { UInt64(count) * 1_000_000 }
func seconds(_ count: Int) -> UInt64 { UInt64(count) * 1_000_000_000 }
