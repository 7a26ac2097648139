internal import HTTP1

/// Looks at a whole JSON body for the member that names projects.
///
/// Python's parser takes the last of two members of one name, so the name must be there once; a name or value with an
/// escape is a spelling that no client needs. The body is read to its end: what is no JSON (RFC 8259) is refused, and so
/// are the forms that only some parsers take.
extension RightsTable {
    package enum BodyVerdict: Sendable, Equatable {
        case allowed, refused
        /// A number in it is needed and not known yet.
        case waiting
    }

    /// - Parameters:
    ///   - body: the request's body, without any coding.
    ///   - alias: an index of `aliases`, of one that is held to projects.
    package func judge(
        body: Span<UInt8>, _ member: BodyMember, alias: Int, _ identifiers: ResolvedIdentifiers
    ) -> BodyVerdict {
        let rights = Int(aliases[alias].rights)
        guard rights >= 0 else { return .allowed }
        var reader = JSONReader()
        guard reader.take(body, UInt8(ascii: "{")) else { return .refused }
        var verdict: BodyVerdict?
        var isFirst = true
        while !reader.take(body, UInt8(ascii: "}")) {
            if !isFirst, !reader.take(body, ASCII.comma) { return .refused }
            isFirst = false
            guard let name = reader.string(body), reader.take(body, ASCII.colon) else { return .refused }
            guard !reader.hadEscape else { return .refused }
            guard isName(body.extracting(name), member.name) else {
                guard reader.skipValue(body) else { return .refused }
                continue
            }
            guard verdict == nil, let found = values(body, member.name, rights, identifiers, &reader), found != .refused
            else { return .refused }
            verdict = found
        }
        guard reader.isAtEnd(body) else { return .refused }
        return verdict ?? (member.isOptional ? .allowed : .refused)
    }

    private func isName(_ bytes: Span<UInt8>, _ name: BodyMember.Name) -> Bool {
        switch name {
        case .project: isText(bytes, "project")
        case .projects: isText(bytes, "projects")
        }
    }

    /// One value, or for `projects` a list of one or more. Nil is no JSON.
    private func values(
        _ body: Span<UInt8>, _ name: BodyMember.Name, _ rights: Int, _ identifiers: ResolvedIdentifiers,
        _ reader: inout JSONReader
    ) -> BodyVerdict? {
        guard name == .projects else { return value(body, rights, identifiers, &reader) }
        guard reader.take(body, ASCII.leftBracket) else { return nil }
        var verdict = BodyVerdict.allowed
        repeat {
            switch value(body, rights, identifiers, &reader) {
            case .allowed: break
            case .waiting: verdict = .waiting
            case .refused, nil: return .refused
            }
        } while reader.take(body, ASCII.comma)
        return reader.take(body, ASCII.rightBracket) ? verdict : nil
    }

    /// A slug, or a number with or without quotation marks.
    private func value(
        _ body: Span<UInt8>, _ rights: Int, _ identifiers: ResolvedIdentifiers, _ reader: inout JSONReader
    ) -> BodyVerdict? {
        let range: Range<Int>
        if let text = reader.string(body) {
            guard !reader.hadEscape else { return .refused }
            range = text
            if hasSlugOfProject(body.extracting(text), rights) { return .allowed }
        } else {
            guard let digits = reader.digits(body) else { return nil }
            range = digits
        }
        guard let id = plainNumber(body.extracting(range)) else { return .refused }
        var isWaiting = false
        for i in self.rights[rights].projects.range {
            let known = identifiers.projects[Int(projectList[i])]
            if known == id { return .allowed }
            isWaiting = isWaiting || known == 0
        }
        return isWaiting ? .waiting : .refused
    }
}

/// Whether a `Content-Type` says JSON in UTF-8 (RFC 8259 §8.1): another charset would be another text to Sentry.
package func isPlainJSON(contentType: Span<UInt8>) -> Bool {
    func skip(_ text: StaticString, _ at: Int) -> Int? {
        guard contentType.count - at >= text.utf8CodeUnitCount else { return nil }
        let slice = ByteSlice(start: at, count: text.utf8CodeUnitCount)
        return fieldEquals(contentType, slice, text) ? at + text.utf8CodeUnitCount : nil
    }
    guard var at = skip("application/json", 0) else { return false }
    if at == contentType.count { return true }
    guard contentType[at] == ASCII.semicolon else { return false }
    at += 1
    while at < contentType.count, contentType[at].isBlank { at += 1 }
    return skip("charset=utf-8", at) == contentType.count
}

/// Walks over JSON text.
struct JSONReader {
    private static let mostDepth = 64
    private(set) var at = 0
    /// Whether the last string had a `\` in it.
    private(set) var hadEscape = false

    private mutating func skipBlanks(_ bytes: Span<UInt8>) {
        while at < bytes.count,
            bytes[at] == ASCII.space || bytes[at] == ASCII.tab || bytes[at] == ASCII.lineFeed
                || bytes[at] == ASCII.carriageReturn
        { at += 1 }
    }

    /// Where the next value begins.
    mutating func startOfValue(_ bytes: Span<UInt8>) -> Int {
        skipBlanks(bytes)
        return at
    }

    mutating func isAtEnd(_ bytes: Span<UInt8>) -> Bool {
        skipBlanks(bytes)
        return at == bytes.count
    }

    mutating func take(_ bytes: Span<UInt8>, _ byte: UInt8) -> Bool {
        skipBlanks(bytes)
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    /// The inside of a string; nil when there is none, or it does not end.
    mutating func string(_ bytes: Span<UInt8>) -> Range<Int>? {
        guard take(bytes, ASCII.quote) else { return nil }
        hadEscape = false
        let start = at
        while at < bytes.count {
            switch bytes[at] {
            case ASCII.quote:
                at += 1
                return start..<at - 1
            case ASCII.backslash:
                hadEscape = true
                guard skipEscape(bytes) else { return nil }
            case 0..<0x20: return nil
            default: at += 1
            }
        }
        return nil
    }

    private mutating func skipEscape(_ bytes: Span<UInt8>) -> Bool {
        guard at + 1 < bytes.count else { return false }
        switch bytes[at + 1] {
        case ASCII.quote, ASCII.backslash, ASCII.slash, UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            at += 2
            return true
        case UInt8(ascii: "u"):
            guard at + 5 < bytes.count else { return false }
            for i in at + 2...at + 5 where bytes[i].hexDigitValue == nil { return false }
            at += 6
            return true
        default: return false
        }
    }

    /// One or more digits that no sign, fraction or exponent follows.
    mutating func digits(_ bytes: Span<UInt8>) -> Range<Int>? {
        skipBlanks(bytes)
        let start = at
        while at < bytes.count, bytes[at].isDigit { at += 1 }
        guard at > start else { return nil }
        guard at == bytes.count || !isNumberByte(bytes[at]) else { return nil }
        return start..<at
    }

    private func isNumberByte(_ byte: UInt8) -> Bool {
        byte.isDigit || byte == ASCII.hyphen || byte == UInt8(ascii: "+") || byte == ASCII.dot
            || byte | 0x20 == UInt8(ascii: "e")
    }

    private mutating func number(_ bytes: Span<UInt8>) -> Bool {
        if at < bytes.count, bytes[at] == ASCII.hyphen { at += 1 }
        let start = at
        while at < bytes.count, bytes[at].isDigit { at += 1 }
        guard at > start, at == start + 1 || bytes[start] != ASCII.zero else { return false }
        if at < bytes.count, bytes[at] == ASCII.dot {
            at += 1
            let fraction = at
            while at < bytes.count, bytes[at].isDigit { at += 1 }
            guard at > fraction else { return false }
        }
        guard at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") else { return true }
        at += 1
        if at < bytes.count, bytes[at] == ASCII.hyphen || bytes[at] == UInt8(ascii: "+") { at += 1 }
        let exponent = at
        while at < bytes.count, bytes[at].isDigit { at += 1 }
        return at > exponent
    }

    private mutating func word(_ bytes: Span<UInt8>, _ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count - at >= count, bytesEqual(bytes, ByteSlice(start: at, count: count), text) else {
            return false
        }
        at += count
        return true
    }

    /// Skips any value; false when there is none. Depth is bounded, so a stack of bits holds what is open.
    mutating func skipValue(_ bytes: Span<UInt8>) -> Bool {
        var objects: UInt64 = 0
        var depth = 0
        while true {
            skipBlanks(bytes)
            guard at < bytes.count else { return false }
            var isOpened = false
            switch bytes[at] {
            case ASCII.quote: guard string(bytes) != nil else { return false }
            case UInt8(ascii: "{"), ASCII.leftBracket:
                guard depth < Self.mostDepth else { return false }
                let isObject = bytes[at] == UInt8(ascii: "{")
                at += 1
                objects = objects << 1 | (isObject ? 1 : 0)
                depth += 1
                isOpened = !take(bytes, isObject ? UInt8(ascii: "}") : ASCII.rightBracket)
                if !isOpened {
                    objects >>= 1
                    depth -= 1
                } else if isObject {
                    guard string(bytes) != nil, take(bytes, ASCII.colon) else { return false }
                }
            case UInt8(ascii: "t"): guard word(bytes, "true") else { return false }
            case UInt8(ascii: "f"): guard word(bytes, "false") else { return false }
            case UInt8(ascii: "n"): guard word(bytes, "null") else { return false }
            default: guard number(bytes) else { return false }
            }
            if isOpened { continue }
            // A value has ended: so may what it is in.
            while true {
                guard depth > 0 else { return true }
                let isObject = objects & 1 == 1
                if take(bytes, ASCII.comma) {
                    if isObject { guard string(bytes) != nil, take(bytes, ASCII.colon) else { return false } }
                    break
                }
                guard take(bytes, isObject ? UInt8(ascii: "}") : ASCII.rightBracket) else { return false }
                objects >>= 1
                depth -= 1
            }
        }
    }
}
