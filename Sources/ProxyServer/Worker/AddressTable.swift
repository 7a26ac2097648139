internal import EventLoop
internal import System

/// One worker's view of the upstream's addresses: the order in which they are tried, and which did not answer lately.
struct AddressTable {
    private(set) var addresses: [SocketAddress] = []
    /// Why there are none, or why these are old.
    private(set) var failure: ResolveFailure?
    /// Grows with each `replace`: an index is good for one version only.
    private(set) var version = 0
    /// For each address until when it is tried last; a time that has passed when it is sound.
    private var avoidedUntil: [Instant] = []

    init(_ resolved: ResolvedAddresses) {
        replace(resolved)
    }

    /// Takes over a new answer of the name service. What is known of an address that stays is kept.
    mutating func replace(_ resolved: ResolvedAddresses) {
        let found = resolved.addresses.prefix(TriedAddresses.capacity)
        let known = avoidedUntil
        avoidedUntil = found.map { address in addresses.firstIndex(of: address).map { known[$0] } ?? .distantPast }
        addresses = Array(found)
        failure = resolved.failure
        version += 1
    }

    /// The next address to try: the first one that is sound, else the one whose failure is longest ago.
    /// - Returns: nil when all were tried.
    func next(after tried: TriedAddresses, now: Instant) -> Int? {
        var best: Int?
        for index in addresses.indices where !tried.contains(index) {
            if avoidedUntil[index] <= now { return index }
            if best.map({ avoidedUntil[index] < avoidedUntil[$0] }) ?? true { best = index }
        }
        return best
    }

    /// The address did not answer: for a while the others come first.
    mutating func avoid(_ attempt: AttemptedAddress, now: Instant) {
        guard attempt.version == version else { return }
        avoidedUntil[attempt.index] = now + Bounds.avoidance
    }

    /// The address answered.
    mutating func trust(_ attempt: AttemptedAddress) {
        guard attempt.version == version, avoidedUntil[attempt.index] != .distantPast else { return }
        avoidedUntil[attempt.index] = .distantPast
    }
}

/// An address that is being tried, by its place in one version of the table.
struct AttemptedAddress {
    var version = 0
    var index = 0
}

/// The addresses that one exchange has tried, in one version of the table.
struct TriedAddresses {
    /// The most addresses of one name that are ever tried.
    static let capacity = 32

    private(set) var version = 0
    private var bits: UInt32 = 0

    /// Forgets all when the table has changed: its addresses are others now.
    mutating func follow(_ table: AddressTable) {
        if version != table.version { self = TriedAddresses(version: table.version) }
    }

    init() {}

    init(version: Int) {
        self.version = version
    }

    func contains(_ index: Int) -> Bool { bits & 1 << UInt32(index) != 0 }
    mutating func insert(_ index: Int) { bits |= 1 << UInt32(index) }
    mutating func removeAll() { bits = 0 }
    var count: Int { bits.nonzeroBitCount }
}
