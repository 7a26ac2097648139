internal import Synchronization

/// What memory is held for. When it gets short, those that come first have to do without, so that there is room left
/// for those that follow.
package enum MemoryUse: Sendable {
    /// Bytes that a receiver does not take yet: they can be read in smaller pieces. Up to half of the budget.
    case relay
    /// Requests' bodies that are collected or kept. Up to three quarters.
    case body
    /// Heads, answers that are rewritten, and what a request needs at least. All of it.
    case request
}

/// How many bytes the process may hold for its clients in sum.
///
/// Each thread has a `MemoryShare`, which draws on the budget in chunks: an ordinary request touches nothing that
/// threads share.
package final class MemoryBudget: Sendable {
    /// What a share draws at once, in bytes.
    let chunk: Int
    private let limit: Atomic<Int>
    private let drawn = Atomic<Int>(0)

    /// - Parameters:
    ///   - bytes: at least 1.
    ///   - shares: how many threads will draw.
    package init(bytes: Int, shares: Int) {
        limit = Atomic(bytes)
        chunk = min(65_536, max(4_096, bytes / (32 * shares)))
    }

    /// In bytes.
    package var bytes: Int { limit.load(ordering: .relaxed) }

    /// There turns out to be less.
    package func lower(to bytes: Int) {
        limit.store(min(bytes, self.bytes), ordering: .relaxed)
    }

    fileprivate func draw(_ bytes: Int) {
        drawn.add(bytes, ordering: .relaxed)
    }

    /// Whether `bytes` more may be drawn.
    fileprivate func has(_ bytes: Int, for use: MemoryUse) -> Bool {
        let all = limit.load(ordering: .relaxed)
        let most =
            switch use {
            case .relay: all / 2
            case .body: all - all / 4
            case .request: all
            }
        return drawn.load(ordering: .relaxed) + bytes <= most
    }
}

/// One thread's part of the budget.
///
/// Held memory is counted whether or not the budget has room: code that is about to hold much asks first.
package struct MemoryShare: ~Copyable {
    private let budget: MemoryBudget
    /// In bytes.
    package private(set) var held = 0
    private var drawn = 0

    package init(_ budget: MemoryBudget) {
        self.budget = budget
    }

    /// Whether `bytes` more may be held.
    @inline(__always)
    package func mayHold(_ bytes: Int, for use: MemoryUse) -> Bool {
        budget.has(max(0, held + bytes - drawn), for: use)
    }

    @inline(__always)
    package mutating func hold(_ bytes: Int) {
        held += bytes
        if held > drawn { draw() }
    }

    @inline(__always)
    package mutating func release(_ bytes: Int) {
        held -= bytes
        assert(held >= 0)
        // A chunk is kept in hand, so that a size that goes up and down around a chunk's edge draws nothing.
        if drawn - held >= 2 * budget.chunk { giveBack() }
    }

    private mutating func draw() {
        let missing = (held - drawn + budget.chunk - 1) / budget.chunk * budget.chunk
        drawn += missing
        budget.draw(missing)
    }

    private mutating func giveBack() {
        let spare = (drawn - held) / budget.chunk * budget.chunk - budget.chunk
        drawn -= spare
        budget.draw(-spare)
    }
}
