internal import COpenSSL

/// The SHA-256 of a secret with 256 random bits: what is kept of a device code, an alias or a refresh token. Such a secret
/// needs no salt.
package struct TokenDigest: Sendable, Hashable {
    private let word0: UInt64
    private let word1: UInt64
    private let word2: UInt64
    private let word3: UInt64

    package init(of secret: Span<UInt8>) {
        // The pointer does not outlive the call; the count is the span's.
        let raw = secret.withUnsafeBufferPointer { copenssl_sha256($0.baseAddress, $0.count) }
        (word0, word1, word2, word3) = raw.word
    }

    /// - Parameter text: 64 hexadecimal digits.
    package init?(hexadecimal text: String) {
        guard let bytes = try? AliasEntry.digest(in: Array("sha256:\(text)".utf8)[...]) else { return nil }
        var words = (0..<4).map { _ in UInt64(0) }
        // The words hold the digest's bytes in their order.
        for i in 0..<32 { words[i / 8] |= UInt64(bytes[i]) << UInt64(8 * (i % 8)) }
        let ordered = words.map { UInt64(littleEndian: $0) }
        (word0, word1, word2, word3) = (ordered[0], ordered[1], ordered[2], ordered[3])
    }

    /// The digest's bytes, in the order in which sha256sum prints them.
    package var bytes: [UInt8] {
        [word0, word1, word2, word3].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word.littleEndian >> UInt64(8 * $0)) }
        }
    }

    package var hexadecimal: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Takes the same time whether they are equal or not.
    package static func == (a: TokenDigest, b: TokenDigest) -> Bool {
        copenssl_sha256_equal(
            copenssl_sha256_digest(word: (a.word0, a.word1, a.word2, a.word3)),
            copenssl_sha256_digest(word: (b.word0, b.word1, b.word2, b.word3))) != 0
    }
}
