internal import COpenSSL

/// Where an alias was written down.
package enum AliasOrigin: Sendable, Equatable, CustomStringConvertible {
    /// A line of an alias file, from 1.
    case line(Int)
    /// A place in a list that is separated by `;`, from 1.
    case item(Int)
    /// A line of the policy file, from 1.
    case policyLine(Int)

    package var description: String {
        switch self {
        case .line(let number), .policyLine(let number): "line \(number)"
        case .item(let number): "alias \(number)"
        }
    }
}

/// One alias as it was configured. It holds the token in plain text until the table is built, and never prints it.
package struct AliasEntry: Sendable, CustomStringConvertible, CustomReflectable {
    package let name: String
    /// The alias itself, or its SHA-256 when `isHashed`.
    package let token: [UInt8]
    package let isHashed: Bool
    /// Sets and limits, as they were typed.
    package let words: [String]
    package let origin: AliasOrigin

    package init(name: String, token: [UInt8], isHashed: Bool = false, words: [String] = [], origin: AliasOrigin) {
        self.name = name
        self.token = token
        self.isHashed = isHashed
        self.words = words
        self.origin = origin
    }

    /// Anything shorter can be guessed by trying long enough: there is no lockout.
    package static let leastBytes = 16
    /// The length of a hashed alias is unknown.
    package var isShort: Bool { !isHashed && token.count < Self.leastBytes }

    package var description: String { "<alias \(name)>" }
    package var customMirror: Mirror { Mirror(self, children: ["name": name]) }

    /// What is wrong with a token, if anything: it must be a `b64token` (RFC 6750 §2.1), since no client could send
    /// it otherwise, and must not begin with `sntrys_`: sentry-cli takes the URL inside such a token over the proxy's.
    static func problem(in token: [UInt8]) -> AliasProblem? {
        guard !token.isEmpty else { return .emptyToken }
        var body = token[...]
        while body.last == UInt8(ascii: "=") { body.removeLast() }
        guard !body.isEmpty, body.allSatisfy(isTokenByte) else { return .malformedToken }
        let prefix: StaticString = "sntrys-"
        if token.count >= prefix.utf8CodeUnitCount,
            isFieldName(token.span.extracting(0..<prefix.utf8CodeUnitCount), prefix)
        {
            return .sentryPrefix
        }
        return nil
    }

    private static let hashPrefix = Array("sha256:".utf8)

    /// The digest in `sha256:` and 64 hexadecimal digits, nil when the word does not begin so. An alias cannot: it has no colon.
    static func digest(in word: ArraySlice<UInt8>) throws(Malformed) -> [UInt8]? {
        guard word.starts(with: hashPrefix) else { return nil }
        let digits = Array(word.dropFirst(hashPrefix.count))
        guard digits.count == 64 else { throw Malformed() }
        var digest: [UInt8] = []
        for i in stride(from: 0, to: 64, by: 2) {
            guard let high = URLReference.hexadecimalValue(digits[i]),
                let low = URLReference.hexadecimalValue(digits[i + 1])
            else { throw Malformed() }
            digest.append(high << 4 | low)
        }
        return digest
    }

    struct Malformed: Error {}

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        default: false
        }
    }

    /// The name of an alias that was given none: enough of its SHA-256 to tell it from others in a log.
    package static func fingerprint(of token: [UInt8]) -> String {
        let digest = token.span.withUnsafeBufferPointer { copenssl_sha256($0.baseAddress, $0.count) }
        // The digest's first four bytes, in the order in which sha256sum prints them.
        let head = UInt32(truncatingIfNeeded: UInt64(bigEndian: digest.word.0) >> 32)
        let hex = String(head, radix: 16)
        return "alias-" + String(repeating: "0", count: 8 - hex.count) + hex
    }
}

/// Why an alias is refused.
package enum AliasProblem: Sendable, Equatable, CustomStringConvertible {
    case emptyToken, malformedToken, sentryPrefix, duplicateToken, emptyName, duplicateName
    /// A line that is not a name and a token.
    case malformedLine
    /// A source that was named but holds no alias: read as "no aliases", it would let every client in.
    case noAliases
    /// `sha256:` without 64 hexadecimal digits behind it.
    case malformedDigest
    /// What is wrong with its words.
    case rights(String)

    package var description: String {
        switch self {
        case .emptyToken: "the alias is empty"
        case .malformedToken: "the alias may hold letters, digits and -._~+/ only, with = at its end"
        case .sentryPrefix: "an alias must not begin with sntrys_: sentry-cli would leave the proxy"
        case .duplicateToken: "this alias was given before"
        case .emptyName: "the name is empty"
        case .duplicateName: "this name was given before"
        case .malformedLine: "expected a name and an alias with a blank between them"
        case .noAliases: "no alias is given"
        case .malformedDigest: "expected 64 hexadecimal digits behind sha256:"
        case .rights(let message): message
        }
    }
}

/// An alias that is refused, and its place. Never contains the token.
package struct AliasError: Error, Sendable, Equatable, CustomStringConvertible {
    package let origin: AliasOrigin
    package let problem: AliasProblem

    package init(origin: AliasOrigin, problem: AliasProblem) {
        self.origin = origin
        self.problem = problem
    }

    package var description: String { "\(origin): \(problem)" }
}

/// Reads aliases separated by `;`, as in `ALIAS_TOKENS`. Blanks around each are left out; blank text is no alias at all.
/// - Throws: `AliasError`, also for an empty place (`a;;b`), with the place counted from 1.
package func parseAliasList(_ text: String) throws(AliasError) -> [AliasEntry] {
    let bytes = Array(text.utf8)
    guard bytes.contains(where: { !isWhitespace($0) }) else { return [] }
    var entries: [AliasEntry] = []
    for (index, part) in bytes.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).enumerated() {
        let token = trimmedWhitespace(part)
        if let problem = AliasEntry.problem(in: token) {
            throw AliasError(origin: .item(index + 1), problem: problem)
        }
        entries.append(
            AliasEntry(name: AliasEntry.fingerprint(of: token), token: token, origin: .item(index + 1)))
    }
    return entries
}

/// Reads an alias file: a name, an alias and the words of its rights on each line, `#` comments, blank lines.
/// - Throws: `AliasError` with the line, counted from 1; also when the file holds no alias.
package func parseAliasFile(_ text: String) throws(AliasError) -> [AliasEntry] {
    var entries: [AliasEntry] = []
    var number = 0
    // Many aliases have few different rights.
    var known: [String: [String]] = [:]
    for line in Array(text.utf8).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
        number += 1
        var rest = line
        guard let first = nextWord(&rest), first.first != UInt8(ascii: "#") else { continue }
        guard let second = nextWord(&rest), second.first != UInt8(ascii: "#") else {
            throw AliasError(origin: .line(number), problem: .malformedLine)
        }
        let digest: [UInt8]?
        do { digest = try AliasEntry.digest(in: second) } catch {
            throw AliasError(origin: .line(number), problem: .malformedDigest)
        }
        let token = digest ?? Array(second)
        if digest == nil, let problem = AliasEntry.problem(in: token) {
            throw AliasError(origin: .line(number), problem: problem)
        }
        let tail = String(decoding: rest, as: UTF8.self)
        let words: [String]
        if let same = known[tail] {
            words = same
        } else {
            words = rightsWords(rest)
            known[tail] = words
        }
        entries.append(
            AliasEntry(
                name: String(decoding: first, as: UTF8.self), token: token, isHashed: digest != nil, words: words,
                origin: .line(number)))
    }
    guard !entries.isEmpty else { throw AliasError(origin: .line(number), problem: .noAliases) }
    return entries
}

/// The words behind an alias, up to a comment.
private func rightsWords(_ text: ArraySlice<UInt8>) -> [String] {
    text.split(whereSeparator: isWhitespace).prefix { $0.first != UInt8(ascii: "#") }
        .map { String(decoding: $0, as: UTF8.self) }
}

/// Takes the next word off, with the blanks before it; nil when there is none.
private func nextWord(_ text: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    var start = text.startIndex
    while start < text.endIndex, isWhitespace(text[start]) { start += 1 }
    var end = start
    while end < text.endIndex, !isWhitespace(text[end]) { end += 1 }
    defer { text = text[end...] }
    return start < end ? text[start..<end] : nil
}

/// What an alias file may contain instead of an alias: `sha256:` and the digest of its bytes.
package func hashedForm(of alias: String) -> String {
    let token = Array(alias.utf8)
    let digest = token.span.withUnsafeBufferPointer { copenssl_sha256($0.baseAddress, $0.count) }
    var out = "sha256:"
    // The digest's bytes in the order in which sha256sum prints them.
    for word in [digest.word.0, digest.word.1, digest.word.2, digest.word.3] {
        let hex = String(UInt64(bigEndian: word), radix: 16)
        out += String(repeating: "0", count: 16 - hex.count) + hex
    }
    return out
}

/// Makes an alias from random bytes: `sap_` and their base64url (RFC 4648 §5) without padding.
/// - Parameter random: 32 bytes (256 bits) from the system's generator.
package func makeAlias(random: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    var out = Array("sap_".utf8)
    var bits: UInt32 = 0
    var bitCount: UInt32 = 0
    for byte in random {
        bits = bits << 8 | UInt32(byte)
        bitCount += 8
        while bitCount >= 6 {
            bitCount -= 6
            out.append(alphabet[Int(bits >> bitCount & 0x3f)])
        }
    }
    if bitCount > 0 { out.append(alphabet[Int(bits << (6 - bitCount) & 0x3f)]) }
    return String(decoding: out, as: UTF8.self)
}

private func isWhitespace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || (UInt8(ascii: "\t")...UInt8(ascii: "\r")).contains(byte)
}

private func trimmedWhitespace(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var rest = bytes
    while let first = rest.first, isWhitespace(first) { rest.removeFirst() }
    while let last = rest.last, isWhitespace(last) { rest.removeLast() }
    return Array(rest)
}
