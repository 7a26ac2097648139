/// A set of operations, a bit for each row of the table.
package struct OperationSet: Sendable, Hashable {
    package private(set) var words: [UInt64]

    /// - Parameter count: rows of the table.
    package init(count: Int) {
        words = Array(repeating: 0, count: Self.wordCount(count))
    }

    package static func wordCount(_ operations: Int) -> Int { (operations + 63) / 64 }

    package var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
    package var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    package func contains(_ operation: Int) -> Bool { words[operation >> 6] >> UInt64(operation & 63) & 1 == 1 }
    package mutating func insert(_ operation: Int) { words[operation >> 6] |= 1 << UInt64(operation & 63) }
    package mutating func remove(_ operation: Int) { words[operation >> 6] &= ~(1 << UInt64(operation & 63)) }

    package mutating func formUnion(_ other: OperationSet) {
        for i in words.indices { words[i] |= other.words[i] }
    }

    package mutating func subtract(_ other: OperationSet) {
        for i in words.indices { words[i] &= ~other.words[i] }
    }

    package mutating func formIntersection(_ other: OperationSet) {
        for i in words.indices { words[i] &= other.words[i] }
    }

    func isSuperset(of other: OperationSet) -> Bool {
        words.indices.allSatisfy { other.words[$0] & ~words[$0] == 0 }
    }

    /// The rows in it, in the table's order.
    package var operations: [Int] { (0..<words.count * 64).filter { contains($0) } }
}
