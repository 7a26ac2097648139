internal import HTTP1

/// An alias that stands where it does not belong: it must not reach the upstream, whose logs would hold it then.
enum MisplacedAlias: Sendable, Equatable {
    /// One of the aliases, in another place or form than `Authorization: Bearer`.
    case known
    /// A word that begins as those do that `alias new` makes: withdrawn, or mistyped.
    case unknown
}

extension AliasTable {
    /// Looks for an alias in what would go upstream besides a valid `Authorization: Bearer`.
    ///
    /// Words are runs of the bytes that an alias may have; their parts between `/`, `+`, `.` and `~` count as words too,
    /// escapes of the target and of `Referer` are decoded. Outside `Authorization` only words are looked up that are as
    /// long as some alias, so that most fields cost a comparison of lengths.
    /// - Parameters:
    ///   - authorization: its value, unless that is a valid alias and nothing else.
    ///   - isInTarget: set when the request's target has it.
    func misplaced(
        in head: RequestHead, _ bytes: Span<UInt8>, route: Route, authorization: ByteSlice?, isInTarget: inout Bool
    ) -> MisplacedAlias? {
        var found = authorization.flatMap { misplaced(inAuthorization: bytes.extracting($0.range)) }
        let passedOver = HeaderRules.compiledRequest.dropped(on: route) | .authorization
        for i in head.fields.indices {
            let field = head.fields[i]
            guard found != .known, Int(field.value.count) >= leastCount, !passedOver.contains(field.known)
            else { continue }
            var words = WordReader(isExhaustive: false)
            words.read(
                bytes.extracting(field.value.range), decodesEscapes: field.known == .referer, self)
            if words.found != nil { found = .known }
        }
        if found != .known, Int(head.path.count) >= leastCount {
            var words = WordReader(isExhaustive: false)
            words.read(bytes.extracting(head.path.range), decodesEscapes: true, self)
            if words.found != nil {
                isInTarget = true
                found = .known
            }
        }
        return found
    }

    /// Any word of the credentials, and those in the user and password of `Basic` (RFC 7617).
    private func misplaced(inAuthorization value: Span<UInt8>) -> MisplacedAlias? {
        var words = WordReader(isExhaustive: true)
        words.read(value, decodesEscapes: false, self)
        let scheme: StaticString = "basic"
        let count = scheme.utf8CodeUnitCount
        guard words.found != .known, value.count > count, isBlank(value[count]),
            isFieldName(value.extracting(first: count), scheme)
        else { return words.found }
        var decoded = InlineArray<384, UInt8>(repeating: 0)
        let length = decodeBase64(value.extracting(count..<value.count), into: &decoded)
        words.read(decoded.span.extracting(first: length), decodesEscapes: false, self)
        return words.found
    }
}

/// Whether a value of `Authorization` has a word that begins as the aliases do that `alias new` makes.
func holdsAliasWord(_ value: Span<UInt8>) -> Bool {
    var words = WordReader(isExhaustive: true)
    words.read(value, decodesEscapes: false, nil)
    return words.found != nil
}

/// Takes bytes apart into words that may be aliases.
private struct WordReader {
    /// Longer words are no aliases to it.
    private static let mostBytes = 256

    /// Look every word up, whatever its length.
    let isExhaustive: Bool
    private(set) var found: MisplacedAlias?
    private var word = InlineArray<256, UInt8>(repeating: 0)
    private var count = 0
    /// Where parts begin: of the word, behind its last slash, behind its last byte that may separate.
    private var starts = InlineArray<3, Int>(repeating: 0)
    /// `=` came; only more of them may follow.
    private var isPadded = false

    init(isExhaustive: Bool) {
        self.isExhaustive = isExhaustive
    }

    mutating func read(_ value: Span<UInt8>, decodesEscapes: Bool, _ aliases: AliasTable?) {
        var at = 0
        while at < value.count {
            var byte = value[at]
            at += 1
            if decodesEscapes, byte == UInt8(ascii: "%"), at + 1 < value.count, let high = value[at].hexDigitValue,
                let low = value[at + 1].hexDigitValue
            {
                byte = high << 4 | low
                at += 2
            }
            take(byte, aliases)
        }
        end(level: 0, aliases)
    }

    private mutating func take(_ byte: UInt8, _ aliases: AliasTable?) {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            if isPadded { end(level: 0, aliases) }
            push(byte)
        case UInt8(ascii: "/"):
            end(level: isPadded ? 0 : 1, aliases)
            push(byte)
            starts[1] = count
            starts[2] = count
        case UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "~"):
            end(level: isPadded ? 0 : 2, aliases)
            push(byte)
            starts[2] = count
        case UInt8(ascii: "="):
            // A parameter's name ends here, or it is the padding of an alias.
            for level in 0..<3 { check(from: starts[level], aliases) }
            isPadded = true
            push(byte)
        default:
            end(level: 0, aliases)
        }
    }

    private mutating func push(_ byte: UInt8) {
        if count < Self.mostBytes { word[count] = byte }
        count = min(count + 1, Self.mostBytes + 1)
    }

    /// A part ends: those that began at this level or a deeper one are looked at.
    private mutating func end(level: Int, _ aliases: AliasTable?) {
        for deeper in level..<3 where deeper == level || starts[deeper] != starts[deeper - 1] {
            check(from: starts[deeper], aliases)
        }
        guard level == 0 else { return }
        count = 0
        isPadded = false
        for deeper in 0..<3 { starts[deeper] = 0 }
    }

    private mutating func check(from start: Int, _ aliases: AliasTable?) {
        guard found != .known, start < count, count <= Self.mostBytes else { return }
        let part = word.span.extracting(start..<count)
        if let aliases, isExhaustive || aliases.mayBeAlias(count: part.count), aliases.match(part) != nil {
            found = .known
        } else if isGenerated(part, isExhaustive: isExhaustive) {
            found = .unknown
        }
    }
}

/// `sap_`, and outside `Authorization` exactly what `alias new` makes: names of organizations may begin so too.
private func isGenerated(_ word: Span<UInt8>, isExhaustive: Bool) -> Bool {
    guard word.count >= 4, bytesEqual(word, ByteSlice(start: 0, count: 4), "sap_") else { return false }
    guard !isExhaustive else { return true }
    return word.count == AliasTable.generatedCount
}

/// Decodes base64 and base64url, with or without padding; bytes beyond the array and those of no alphabet are passed over.
private func decodeBase64(_ text: Span<UInt8>, into out: inout InlineArray<384, UInt8>) -> Int {
    var (bits, bitCount, count): (UInt32, UInt32, Int) = (0, 0, 0)
    for i in text.indices {
        let value: UInt8
        switch text[i] {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = text[i] - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): value = text[i] - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = text[i] - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): value = 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): value = 63
        default: continue
        }
        bits = bits << 6 | UInt32(value)
        bitCount += 6
        guard bitCount >= 8, count < 384 else { continue }
        bitCount -= 8
        out[count] = UInt8(truncatingIfNeeded: bits >> bitCount)
        count += 1
    }
    return count
}
