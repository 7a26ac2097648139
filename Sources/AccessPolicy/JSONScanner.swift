internal import HTTP1

/// Walks over JSON text (RFC 8259), from left to right and a slice at a time, so that a long body does not keep an iteration.
/// Strict: what it does not know as JSON ends it. That strings are UTF-8 is not checked; nothing depends on it.
struct JSONScanner {
    enum Token: Equatable {
        /// A member's name, the bytes between its quotes.
        case name(Range<Int>)
        /// A string that is a value.
        case string(Range<Int>)
        /// A number, `true`, `false` or `null`.
        case scalar(Range<Int>)
        case open(isObject: Bool)
        case close
        /// The slice is used up; the next call goes on.
        case paused
        /// The text was JSON to its end.
        case end
        case invalid
    }

    static let mostDepth = 64
    /// No client or server writes longer numbers.
    private static let mostNumberBytes = 4_096

    private enum Phase { case value, afterValue, firstElement, firstMember, member, colon, string, end, failed }

    private var phase = Phase.value
    /// Behind the last token.
    private(set) var at = 0
    /// Where the last token that is a value begins.
    private(set) var start = 0
    /// Whether the last string had a `\` in it.
    private(set) var hadEscape = false
    /// Containers that are open behind the last token, and for each one a bit that says whether it is an object.
    private(set) var depth = 0
    private var objects: UInt64 = 0
    /// The string at hand is a member's name.
    private var isName = false
    /// Where the slice ends.
    private var limit = 0

    /// The next token, as far as it begins before `limit`. Give it the same text each time.
    mutating func next(_ text: Span<UInt8>, until limit: Int) -> Token {
        self.limit = min(limit, text.count)
        while true {
            if phase != .string { skipBlanks(text) }
            if phase == .failed { return .invalid }
            if at >= self.limit, self.limit < text.count { return .paused }
            switch phase {
            case .value:
                if let token = value(text) { return token }
            case .firstElement:
                if peek(text) == ASCII.rightBracket { return close() }
                phase = .value
            case .firstMember:
                if peek(text) == UInt8(ascii: "}") { return close() }
                phase = .member
            case .member:
                guard peek(text) == ASCII.quote else { return fail() }
                beginString(isName: true)
            case .colon:
                guard peek(text) == ASCII.colon else { return fail() }
                at += 1
                phase = .value
            case .string:
                if let token = string(text) { return token }
            case .afterValue:
                if let token = afterValue(text) { return token }
            case .end: return .end
            case .failed: return .invalid
            }
        }
    }

    private func peek(_ text: Span<UInt8>) -> UInt8? { at < text.count ? text[at] : nil }

    private mutating func skipBlanks(_ text: Span<UInt8>) {
        while at < limit {
            switch text[at] {
            case ASCII.space, ASCII.tab, ASCII.lineFeed, ASCII.carriageReturn: at += 1
            default: return
            }
        }
    }

    private mutating func fail() -> Token {
        phase = .failed
        return .invalid
    }

    private mutating func value(_ text: Span<UInt8>) -> Token? {
        start = at
        switch peek(text) {
        case UInt8(ascii: "{"): return open(isObject: true)
        case ASCII.leftBracket: return open(isObject: false)
        case ASCII.quote:
            beginString(isName: false)
            return nil
        case UInt8(ascii: "t"): return word("true", text)
        case UInt8(ascii: "f"): return word("false", text)
        case UInt8(ascii: "n"): return word("null", text)
        default: return number(text)
        }
    }

    private mutating func afterValue(_ text: Span<UInt8>) -> Token? {
        guard depth > 0 else {
            guard at == text.count else { return fail() }
            phase = .end
            return .end
        }
        let isObject = objects & 1 == 1
        switch peek(text) {
        case ASCII.comma:
            at += 1
            phase = isObject ? .member : .value
            return nil
        case UInt8(ascii: "}") where isObject: return close()
        case ASCII.rightBracket where !isObject: return close()
        default: return fail()
        }
    }

    private mutating func open(isObject: Bool) -> Token {
        guard depth < Self.mostDepth else { return fail() }
        at += 1
        depth += 1
        objects = objects << 1 | (isObject ? 1 : 0)
        phase = isObject ? .firstMember : .firstElement
        return .open(isObject: isObject)
    }

    private mutating func close() -> Token {
        at += 1
        depth -= 1
        objects >>= 1
        phase = .afterValue
        return .close
    }

    // MARK: Scalars

    private mutating func beginString(isName: Bool) {
        self.isName = isName
        hadEscape = false
        start = at
        at += 1
        phase = .string
    }

    /// - Returns: nil when the slice ends within it.
    private mutating func string(_ text: Span<UInt8>) -> Token? {
        while at < limit {
            switch text[at] {
            case ASCII.quote:
                let range = start + 1..<at
                at += 1
                phase = isName ? .colon : .afterValue
                return isName ? .name(range) : .string(range)
            case ASCII.backslash:
                hadEscape = true
                guard skipEscape(text) else { return fail() }
            case 0..<0x20: return fail()
            default: at += 1
            }
        }
        return limit < text.count ? nil : fail()
    }

    /// Passes an escape, beyond the slice's end if need be.
    private mutating func skipEscape(_ text: Span<UInt8>) -> Bool {
        guard at + 1 < text.count else { return false }
        switch text[at + 1] {
        case ASCII.quote, ASCII.backslash, ASCII.slash, UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            at += 2
            return true
        case UInt8(ascii: "u"):
            guard at + 5 < text.count else { return false }
            for i in at + 2...at + 5 where text[i].hexDigitValue == nil { return false }
            at += 6
            return true
        default: return false
        }
    }

    private mutating func word(_ word: StaticString, _ text: Span<UInt8>) -> Token {
        let count = word.utf8CodeUnitCount
        guard text.count - at >= count, bytesEqual(text, ByteSlice(start: at, count: count), word) else {
            return fail()
        }
        at += count
        phase = .afterValue
        return .scalar(start..<at)
    }

    /// Passes a number, beyond the slice's end if need be (RFC 8259 §6).
    private mutating func number(_ text: Span<UInt8>) -> Token {
        let end = min(text.count, start + Self.mostNumberBytes)
        func digits(from place: Int) -> Int {
            var place = place
            while place < end, text[place].isDigit { place += 1 }
            return place
        }
        var place = start
        if place < end, text[place] == ASCII.hyphen { place += 1 }
        let integer = place
        place = digits(from: integer)
        // No zero before other digits.
        guard place > integer, place == integer + 1 || text[integer] != ASCII.zero else { return fail() }
        if place < end, text[place] == ASCII.dot {
            let fraction = place + 1
            place = digits(from: fraction)
            guard place > fraction else { return fail() }
        }
        if place < end, text[place] | 0x20 == UInt8(ascii: "e") {
            place += 1
            if place < end, text[place] == ASCII.hyphen || text[place] == UInt8(ascii: "+") { place += 1 }
            let exponent = place
            place = digits(from: exponent)
            guard place > exponent else { return fail() }
        }
        guard place < start + Self.mostNumberBytes else { return fail() }
        at = place
        phase = .afterValue
        return .scalar(start..<place)
    }
}
