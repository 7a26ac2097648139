internal import AccessPolicy

/// Codes that people type: eight consonants without those that look alike (RFC 8628 §6.1), 20^8 of them.
enum UserCode {
    static let alphabet = Array("BCDFGHJKLMNPQRSTVWXZ".utf8)
    static let letters = 8

    /// Makes one from random bytes.
    /// - Parameter random: as many as are needed; bytes that would make some letters likelier are passed over.
    /// - Returns: nil when they were too few.
    static func make(_ random: [UInt8]) -> [UInt8]? {
        let fair = 256 / alphabet.count * alphabet.count
        let chosen = random.filter { Int($0) < fair }.prefix(letters).map { alphabet[Int($0) % alphabet.count] }
        return chosen.count == letters ? chosen : nil
    }

    /// Reads one as people type it: without regard to case, `-` and blanks.
    static func read(_ typed: [UInt8]) -> [UInt8]? {
        guard typed.count <= 32 else { return nil }
        let code = typed.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: " ") }.map { $0 & 0xdf }
        return code.count == letters && code.allSatisfy(alphabet.contains) ? code : nil
    }

    /// `WDJB-MJHT`.
    static func shown(_ code: [UInt8]) -> String {
        String(decoding: code[..<4], as: UTF8.self) + "-" + String(decoding: code[4...], as: UTF8.self)
    }

    static func digest(_ code: [UInt8]) -> TokenDigest { TokenDigest(of: code.span) }
}
