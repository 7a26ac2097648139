internal import COpenSSL

/// Finds an alias by its digest: the tokens themselves are not kept.
///
/// A token is found by its SHA-256 under a random key of this process, so neither the bucket that is looked at nor the
/// time that a look-up takes can be steered or read by who sends the token; ten thousand aliases cost what one costs.
struct AliasDigests: Sendable {
    struct Digest: Sendable {
        fileprivate var word0: UInt64
        fileprivate var word1: UInt64
        fileprivate var word2: UInt64
        fileprivate var word3: UInt64
    }

    /// SHA-256 that has read the key, which is one block of it: of most tokens one more is all there is to do.
    private let key = Self.randomKey()
    /// The same for aliases of which the file has the SHA-256 alone. A key of its own, so that nobody who has read the
    /// file can show a digest in place of the alias.
    private let hashedKey = Self.randomKey()
    private(set) var hasHashed = false
    private var digests: [Digest] = []
    /// Open addressing: index of an alias plus one, 0 for a free slot; at least twice as many slots as aliases.
    private var slots: [Int32] = []

    var count: Int { digests.count }

    /// - Parameter capacity: how many aliases there may be.
    init(capacity: Int) { makeSlots(capacity) }

    /// Makes room for so many aliases.
    mutating func reserve(_ capacity: Int) {
        guard slots.count < capacity * 2 else { return }
        makeSlots(capacity)
        for index in digests.indices { place(index) }
    }

    private mutating func makeSlots(_ capacity: Int) {
        var count = 8
        while count < capacity * 2 { count *= 2 }
        slots = Array(repeating: 0, count: count)
    }

    /// The digest of what an entry holds: the alias or its SHA-256.
    func digest(_ token: Span<UInt8>, isHashed: Bool) -> Digest { Self.digest(isHashed ? hashedKey : key, token) }

    mutating func insert(_ digest: Digest, isHashed: Bool) {
        hasHashed = hasHashed || isHashed
        digests.append(digest)
        place(digests.count - 1)
    }

    private mutating func place(_ index: Int) {
        var slot = firstSlot(digests[index])
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(index + 1)
    }

    /// The alias that `token` is, byte for byte.
    func match(_ token: Span<UInt8>) -> Int? {
        if let found = find(Self.digest(key, token)) { return found }
        return hasHashed ? matchHashed(token) : nil
    }

    /// The alias of which the file has the SHA-256.
    func matchHashed(_ token: Span<UInt8>) -> Int? {
        // The pointer handed to C does not outlive the call; the count comes from the same span.
        let raw = token.withUnsafeBufferPointer { copenssl_sha256($0.baseAddress, $0.count) }
        // The words hold the digest's bytes in their order.
        var bytes = InlineArray<32, UInt8>(repeating: 0)
        for i in 0..<32 {
            let word = i < 8 ? raw.word.0 : i < 16 ? raw.word.1 : i < 24 ? raw.word.2 : raw.word.3
            bytes[i] = UInt8(truncatingIfNeeded: word.littleEndian >> UInt64(8 * (i & 7)))
        }
        return find(Self.digest(hashedKey, bytes.span))
    }

    func find(_ digest: Digest) -> Int? {
        var slot = firstSlot(digest)
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if Self.areEqual(digests[index], digest) { return index }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    private func firstSlot(_ digest: Digest) -> Int {
        Int(truncatingIfNeeded: digest.word0 & UInt64(slots.count - 1))
    }

    private static func randomKey() -> copenssl_sha256_prefix {
        var random = SystemRandomNumberGenerator()
        let bytes: [UInt8] = (0..<64).map { _ in random.next() }
        return bytes.withUnsafeBufferPointer { copenssl_sha256_begun($0.baseAddress, $0.count) }
    }

    // The pointers handed to C do not outlive the call; the count comes from the same span.
    private static func digest(_ key: copenssl_sha256_prefix, _ token: Span<UInt8>) -> Digest {
        let raw = withUnsafePointer(to: key) { key in
            token.withUnsafeBufferPointer { copenssl_sha256_ended(key, $0.baseAddress, $0.count) }
        }
        return Digest(word0: raw.word.0, word1: raw.word.1, word2: raw.word.2, word3: raw.word.3)
    }

    private static func areEqual(_ a: Digest, _ b: Digest) -> Bool {
        copenssl_sha256_equal(
            copenssl_sha256_digest(word: (a.word0, a.word1, a.word2, a.word3)),
            copenssl_sha256_digest(word: (b.word0, b.word1, b.word2, b.word3))) != 0
    }
}
