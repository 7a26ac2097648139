internal import AccessPolicy
internal import Synchronization
internal import System

/// How often something may be done from one address: so many in a minute. Addresses share buckets, so what is held does
/// not grow with them; two that meet in one are counted together.
final class AskLimits: Sendable {
    private static let buckets = 4_096
    private static let window: Duration = .minutes(1)

    private struct Bucket {
        /// Nil before anything was counted.
        var began: Instant?
        var count = 0
    }

    private let most: Int
    /// Nobody can choose an address that shares somebody else's bucket.
    private let seed = UInt64.random(in: .min ... .max)
    private let counts = Mutex([Bucket](repeating: Bucket(), count: AskLimits.buckets))

    init(most: Int) { self.most = most }

    /// Counts one.
    /// - Returns: nil when it may be done, else the time until it may.
    func spend(_ address: IPAddress?, now: Instant) -> Duration? {
        counts.withLock { counts in
            let index = place(address)
            let left = counts[index].began.map { Self.window - (now - $0) } ?? .zero
            if left == .zero { counts[index] = Bucket(began: now, count: 0) }
            guard counts[index].count < most else { return left }
            counts[index].count += 1
            return nil
        }
    }

    /// As `spend`, without counting.
    func wait(_ address: IPAddress?, now: Instant) -> Duration? {
        counts.withLock { counts in
            let bucket = counts[place(address)]
            guard let began = bucket.began, now - began < Self.window, bucket.count >= most else { return nil }
            return Self.window - (now - began)
        }
    }

    /// One network of IPv6 is one customer: the last 64 bits are his to choose (RFC 4291 §2.5.4).
    private func place(_ address: IPAddress?) -> Int {
        var hasher = Hasher()
        hasher.combine(seed)
        if let address {
            hasher.combine(address.isIPv4 ? address.low : address.high)
            hasher.combine(address.isIPv4)
        }
        return Int(UInt(bitPattern: hasher.finalize()) % UInt(Self.buckets))
    }
}
