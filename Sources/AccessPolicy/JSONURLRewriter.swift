/// One step from a container to a value in it.
enum JSONStep: Sendable {
    case element
    case anyMember
    case member(StaticString)
    case eitherMember(StaticString, StaticString)
}

/// Walks JSON text (RFC 8259) once, from left to right, and stops at the strings that an endpoint's URLs are.
/// Strict: what it does not know as JSON makes it stop for good. That strings are UTF-8 is not checked; nothing depends on it.
package struct JSONURLWalker {
    package enum Step: Equatable {
        /// The bytes between the quotes of a string that is a URL.
        case text(Range<Int>)
        /// The slice is used up; the next call goes on.
        case paused
        /// Nothing more: the end, or not JSON; `isWhole` tells which.
        case end
    }

    /// Sentry's answers nest less than ten deep.
    package static let depthLimit = 64

    private enum Phase { case value, afterValue, firstElement, firstMember, member, key, colon, text, end }

    private let steps: [JSONStep]
    private var phase = Phase.value
    private var at = 0
    /// Where the slice ends.
    private var end = 0
    /// Where the string at hand begins, behind its quote.
    private var stringStart = 0
    /// The name of the member at hand.
    private var name = 0..<0
    /// Containers that are open, and for each one a bit that says whether it is an object.
    private var depth = 0
    private var objects: UInt64 = 0
    /// Steps that the open containers have taken. The innermost one is on the way if each of them took one, the root none.
    private var taken = 0
    /// The value to come is where the next step leads.
    private var isHit = false
    /// The string at hand is a URL.
    private var isURL = false
    /// The text was JSON to its end.
    package private(set) var isWhole = false

    package init(_ endpoint: RewrittenEndpoint) {
        steps = endpoint.steps
    }

    /// Whether every byte was read.
    package var hasEnded: Bool { phase == .end }

    /// The next URL that begins before `limit`. Give it the same body each time.
    package mutating func next(in body: Span<UInt8>, until limit: Int) -> Step {
        end = min(limit, body.count)
        while true {
            if phase != .text, phase != .key { skipBlanks(body) }
            if phase == .end { return .end }
            if at >= end, end < body.count { return .paused }
            switch phase {
            case .value: value(body)
            case .afterValue: afterValue(body)
            case .firstElement: if peek(body) == UInt8(ascii: "]") { close() } else { element() }
            case .firstMember: if peek(body) == UInt8(ascii: "}") { close() } else { beginKey(body) }
            case .member: beginKey(body)
            case .key:
                if let found = string(body) {
                    name = found
                    phase = .colon
                }
            case .colon: colon(body)
            case .text:
                if let text = string(body) {
                    phase = .afterValue
                    if isURL { return .text(text) }
                }
            case .end: return .end
            }
        }
    }

    private mutating func value(_ body: Span<UInt8>) {
        let wasHit = isHit
        isHit = false
        phase = .afterValue
        switch peek(body) {
        case UInt8(ascii: "{"): open(isObject: true, isHit: wasHit)
        case UInt8(ascii: "["): open(isObject: false, isHit: wasHit)
        case UInt8(ascii: "\""):
            isURL = wasHit && taken + 1 == steps.count
            beginString(.text)
        case UInt8(ascii: "t"): literal("true", body)
        case UInt8(ascii: "f"): literal("false", body)
        case UInt8(ascii: "n"): literal("null", body)
        case nil: stop()
        default: number(body)
        }
    }

    private mutating func afterValue(_ body: Span<UInt8>) {
        guard depth > 0 else {
            isWhole = at == body.count
            stop()
            return
        }
        let isObject = objects >> UInt64(depth - 1) & 1 == 1
        switch peek(body) {
        case UInt8(ascii: ","):
            at += 1
            if isObject { phase = .member } else { element() }
        case UInt8(ascii: "}") where isObject: close()
        case UInt8(ascii: "]") where !isObject: close()
        default: stop()
        }
    }

    private mutating func stop() {
        phase = .end
    }

    private func peek(_ body: Span<UInt8>) -> UInt8? {
        at < body.count ? body[at] : nil
    }

    private mutating func skipBlanks(_ body: Span<UInt8>) {
        while at < end {
            switch body[at] {
            case 0x20, 0x09, 0x0a, 0x0d: at += 1
            default: return
            }
        }
    }

    // MARK: Containers

    private var isOnTheWay: Bool { taken == depth - 1 && taken < steps.count }

    private mutating func open(isObject: Bool, isHit: Bool) {
        guard depth < Self.depthLimit else {
            stop()
            return
        }
        if isHit { taken += 1 }
        let bit = UInt64(1) << UInt64(depth)
        objects = isObject ? objects | bit : objects & ~bit
        depth += 1
        at += 1
        phase = isObject ? .firstMember : .firstElement
    }

    private mutating func close() {
        if taken == depth - 1, taken > 0 { taken -= 1 }
        depth -= 1
        at += 1
        phase = .afterValue
    }

    private mutating func element() {
        if isOnTheWay, case .element = steps[taken] { isHit = true }
        phase = .value
    }

    private mutating func beginKey(_ body: Span<UInt8>) {
        if peek(body) == UInt8(ascii: "\"") { beginString(.key) } else { stop() }
    }

    private mutating func colon(_ body: Span<UInt8>) {
        guard peek(body) == UInt8(ascii: ":") else {
            stop()
            return
        }
        at += 1
        if isOnTheWay {
            let text = body.extracting(name)
            switch steps[taken] {
            case .element: break
            case .anyMember: isHit = true
            case .member(let wanted): isHit = Self.isEqual(text, wanted)
            case .eitherMember(let a, let b): isHit = Self.isEqual(text, a) || Self.isEqual(text, b)
            }
        }
        phase = .value
    }

    private static func isEqual(_ text: Span<UInt8>, _ wanted: StaticString) -> Bool {
        URLReference.skip(wanted, in: text, at: 0, escaped: true) == text.count
    }

    private mutating func beginString(_ kind: Phase) {
        at += 1
        stringStart = at
        phase = kind
    }

    // MARK: Scalars

    /// Passes a string.
    /// - Returns: the range between its quotes; nil when the slice ends before it, or when it is not one and all is over.
    private mutating func string(_ body: Span<UInt8>) -> Range<Int>? {
        while at < end {
            let byte = body[at]
            at += 1
            switch byte {
            case UInt8(ascii: "\""):
                return stringStart..<at - 1
            case UInt8(ascii: "\\"):
                guard let kind = peek(body), escape(kind, body) else {
                    stop()
                    return nil
                }
            case 0..<0x20:
                stop()
                return nil
            default:
                break
            }
        }
        if end == body.count { stop() }
        return nil
    }

    /// Passes what follows a backslash, beyond the slice's end if need be.
    private mutating func escape(_ kind: UInt8, _ body: Span<UInt8>) -> Bool {
        at += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return true
        case UInt8(ascii: "u"):
            for _ in 0..<4 {
                guard let digit = peek(body), URLReference.hexadecimalValue(digit) != nil else { return false }
                at += 1
            }
            return true
        default:
            return false
        }
    }

    private mutating func literal(_ word: StaticString, _ body: Span<UInt8>) {
        guard let end = URLReference.skip(word, in: body, at: at, escaped: false) else {
            stop()
            return
        }
        at = end
    }

    private mutating func number(_ body: Span<UInt8>) {
        if peek(body) == UInt8(ascii: "-") { at += 1 }
        // No zero before other digits (RFC 8259 §6).
        if peek(body) == UInt8(ascii: "0") {
            at += 1
        } else if !digits(body) {
            stop()
            return
        }
        if peek(body) == UInt8(ascii: ".") {
            at += 1
            guard digits(body) else {
                stop()
                return
            }
        }
        if let byte = peek(body), byte | 0x20 == UInt8(ascii: "e") {
            at += 1
            if let sign = peek(body), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { at += 1 }
            if !digits(body) { stop() }
        }
    }

    private mutating func digits(_ body: Span<UInt8>) -> Bool {
        let start = at
        while let byte = peek(body), byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { at += 1 }
        return at > start
    }
}
