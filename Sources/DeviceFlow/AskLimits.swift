internal import AccessPolicy
internal import Synchronization
internal import System

/// How often something may be done from one address: so many in a minute.
///
/// What is held does not grow with the addresses: each has its place in one of some sets, and a set has a few places. In a full
/// one the address with the least counted makes room. So nobody is refused for what others did, who did the most stays
/// known, and who is forgotten had others ask in its place.
final class AskLimits: Sendable {
    private static let sets = 1_024
    private static let places = 4
    private static let window: Duration = .minutes(1)

    private struct Place {
        var address: UInt64 = 0
        var began = Instant.distantPast
        var count: Int32 = 0

        func isOver(_ now: Instant) -> Bool { count == 0 || now - began >= AskLimits.window }
    }

    private struct State {
        var places = [Place](repeating: Place(), count: AskLimits.sets * AskLimits.places)
        /// Of all addresses.
        var together = Place()
    }

    private let most: Int
    private let mostTogether: Int
    /// Nobody can choose an address that has its place in somebody else's set.
    private let seed = UInt64.random(in: .min ... .max)
    private let state = Mutex(State())

    /// - Parameters:
    ///   - most: from one address.
    ///   - mostTogether: from all of them, where it matters that somebody may have any number of addresses.
    init(most: Int, mostTogether: Int = .max) {
        self.most = most
        self.mostTogether = mostTogether
    }

    /// Counts one.
    /// - Returns: nil when it may be done, else the time until it may.
    func spend(_ address: IPAddress?, now: Instant) -> Duration? {
        let hash = hash(address)
        return state.withLock { state in
            if let wait = Self.wait(state.together, mostTogether, now) { return wait }
            let index = Self.find(hash, state.places, now) ?? Self.room(hash, state.places, now)
            if state.places[index].address != hash || state.places[index].isOver(now) {
                state.places[index] = Place(address: hash, began: now)
            }
            if let wait = Self.wait(state.places[index], most, now) { return wait }
            state.places[index].count += 1
            if state.together.isOver(now) { state.together = Place(began: now) }
            state.together.count += 1
            return nil
        }
    }

    /// As `spend`, without counting.
    func wait(_ address: IPAddress?, now: Instant) -> Duration? {
        let hash = hash(address)
        return state.withLock { state in
            Self.wait(state.together, mostTogether, now)
                ?? Self.find(hash, state.places, now).flatMap { Self.wait(state.places[$0], most, now) }
        }
    }

    private static func wait(_ place: Place, _ most: Int, _ now: Instant) -> Duration? {
        !place.isOver(now) && Int(place.count) >= most ? window - (now - place.began) : nil
    }

    private static func set(_ hash: UInt64) -> Range<Int> {
        let start = Int(hash % UInt64(sets)) * places
        return start..<start + places
    }

    private static func find(_ hash: UInt64, _ all: [Place], _ now: Instant) -> Int? {
        set(hash).first { all[$0].address == hash && !all[$0].isOver(now) }
    }

    /// Where another address goes: a place that is over, or else that with the least counted, and of those the oldest.
    private static func room(_ hash: UInt64, _ all: [Place], _ now: Instant) -> Int {
        let set = set(hash)
        return set.first { all[$0].isOver(now) }
            ?? set.min { (all[$0].count, all[$0].began) < (all[$1].count, all[$1].began) }!
    }

    /// One network of IPv6 is one customer: the last 64 bits are his to choose (RFC 4291 §2.5.4).
    private func hash(_ address: IPAddress?) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(seed)
        if let address {
            hasher.combine(address.isIPv4 ? address.low : address.high)
            hasher.combine(address.isIPv4)
        }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
