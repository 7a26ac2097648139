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
        var words = WordReader(isExhaustive: false)
        for i in head.fields.indices where found != .known {
            let field = head.fields[i]
            guard Int(field.value.count) >= leastCount, !passedOver.contains(field.known) else { continue }
            words.read(bytes.extracting(field.value.range), decodesEscapes: field.known == .referer, self)
            if words.found != nil { found = .known }
        }
        if found != .known, Int(head.path.count) >= leastCount {
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

/// Takes values apart into words that may be aliases.
///
/// Most words are looked at where they stand in the value; only one that has an escape is copied.
private struct WordReader {
    /// Longer ones are no aliases to it.
    private static let mostBytes = 256

    /// Look every word up, whatever its length.
    let isExhaustive: Bool
    private(set) var found: MisplacedAlias?
    /// Where the word stands in the value, unless it is decoded.
    private var start = 0
    private var count = 0
    /// The word had an escape: its bytes are in `decoded`, as many as there is room for.
    private var isDecoded = false
    private var decoded = InlineArray<256, UInt8>(repeating: 0)
    /// Where in the word its last parts begin: behind its last slash, behind its last byte that may separate.
    private var behindSlash = 0
    private var behindSeparator = 0
    /// `=` came; only more of them may follow.
    private var isPadded = false

    init(isExhaustive: Bool) {
        self.isExhaustive = isExhaustive
    }

    mutating func read(_ value: Span<UInt8>, decodesEscapes: Bool, _ aliases: AliasTable?) {
        var at = 0
        while at < value.count {
            let end = endOfBase64URL(value, from: at, to: value.count)
            if at < end {
                if isPadded { endWord(value, aliases) }
                push(at..<end, value)
                at = end
                guard at < value.count else { break }
            }
            if decodesEscapes, value[at] == UInt8(ascii: "%"), at + 2 < value.count,
                let high = value[at + 1].hexDigitValue, let low = value[at + 2].hexDigitValue
            {
                take(high << 4 | low, at: at, isEscaped: true, value, aliases)
                at += 3
            } else {
                take(value[at], at: at, isEscaped: false, value, aliases)
                at += 1
            }
        }
        endWord(value, aliases)
    }

    private mutating func take(
        _ byte: UInt8, at place: Int, isEscaped: Bool, _ value: Span<UInt8>, _ aliases: AliasTable?
    ) {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            if isPadded { endWord(value, aliases) }
            push(byte, at: place, isEscaped: isEscaped, value)
        case UInt8(ascii: "/"):
            if isPadded {
                endWord(value, aliases)
            } else {
                endPart(value, aliases)
            }
            push(byte, at: place, isEscaped: isEscaped, value)
            behindSlash = count
            behindSeparator = count
        case UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "~"):
            if isPadded {
                endWord(value, aliases)
            } else {
                check(from: behindSeparator, value, aliases)
            }
            push(byte, at: place, isEscaped: isEscaped, value)
            behindSeparator = count
        case UInt8(ascii: "="):
            // A parameter's name ends here, or it is the padding of an alias.
            check(from: 0, value, aliases)
            endPart(value, aliases)
            isPadded = true
            push(byte, at: place, isEscaped: isEscaped, value)
        default:
            endWord(value, aliases)
        }
    }

    /// Bytes of the value that belong to the word as they are.
    private mutating func push(_ run: Range<Int>, _ value: Span<UInt8>) {
        if count == 0 { start = run.lowerBound }
        if isDecoded {
            for i in run { push(decoded: value[i]) }
        } else {
            count += run.count
        }
    }

    private mutating func push(_ byte: UInt8, at place: Int, isEscaped: Bool, _ value: Span<UInt8>) {
        if count == 0 { start = place }
        if isEscaped, !isDecoded {
            // What is behind the last slash may be too long still, and what is behind the last separator not.
            if count > Self.mostBytes { forgetBeginning() }
            if count > Self.mostBytes { forgetBeginning() }
            if count <= Self.mostBytes { for i in 0..<count { decoded[i] = value[start + i] } }
            isDecoded = true
        }
        if isDecoded {
            push(decoded: byte)
        } else {
            count += 1
        }
    }

    private mutating func push(decoded byte: UInt8) {
        if count >= Self.mostBytes { forgetBeginning() }
        if count < Self.mostBytes { decoded[count] = byte }
        count += 1
    }

    /// Too long for an alias, the word is one no more; its last part may be. Where `decoded` has no room for a part, its
    /// bytes are counted and not kept, until a separator ends it: then both places are where the word ends.
    private mutating func forgetBeginning() {
        let gone = behindSlash > 0 ? behindSlash : behindSeparator
        guard gone > 0 else { return }
        if isDecoded {
            for i in gone..<count { decoded[i - gone] = decoded[i] }
        } else {
            start += gone
        }
        count -= gone
        behindSlash = 0
        behindSeparator = max(0, behindSeparator - gone)
    }

    /// What stands between slashes ends, and what stands between bytes that may separate.
    private mutating func endPart(_ value: Span<UInt8>, _ aliases: AliasTable?) {
        check(from: behindSlash, value, aliases)
        if behindSeparator != behindSlash { check(from: behindSeparator, value, aliases) }
    }

    private mutating func endWord(_ value: Span<UInt8>, _ aliases: AliasTable?) {
        check(from: 0, value, aliases)
        if behindSeparator != 0 { endPart(value, aliases) }
        (count, behindSlash, behindSeparator) = (0, 0, 0)
        (isDecoded, isPadded) = (false, false)
    }

    /// Most parts are as long as no alias, and are not looked at.
    private mutating func check(from first: Int, _ value: Span<UInt8>, _ aliases: AliasTable?) {
        let length = count - first
        guard length > 0, (isDecoded ? count : length) <= Self.mostBytes, found != .known,
            isExhaustive || length == AliasTable.generatedCount || aliases?.mayBeAlias(count: length) == true
        else { return }
        let kind =
            isDecoded
            ? kind(decoded.span.extracting(first..<count), aliases)
            : kind(value.extracting(start + first..<start + count), aliases)
        found = kind ?? found
    }

    private func kind(_ part: Span<UInt8>, _ aliases: AliasTable?) -> MisplacedAlias? {
        if let aliases, isExhaustive || aliases.mayBeAlias(count: part.count), aliases.match(part) != nil {
            return .known
        }
        return isGenerated(part, isExhaustive: isExhaustive) ? .unknown : nil
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
