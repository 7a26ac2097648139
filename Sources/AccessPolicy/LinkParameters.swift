/// The parameters of one link-value (RFC 8288 §3).
struct LinkParameters {
    /// A `rel` says previous, prev or next.
    var isPage = false
    /// Where the next link-value may start.
    var end = 0

    /// Reads up to the comma that ends the link-value; one inside a quoted string does not.
    static func read(_ value: Span<UInt8>, from start: Int) -> LinkParameters {
        var found = LinkParameters()
        var at = start
        while at < value.count, value[at] != UInt8(ascii: ",") {
            if value[at] == UInt8(ascii: "\"") {
                at = afterQuoted(value, at)
            } else if value[at] == UInt8(ascii: ";") {
                at = blanksSkipped(value, at + 1)
                guard let name = URLReference.skip("rel", in: value, at: at, escaped: false, ignoringCase: true) else {
                    continue
                }
                at = blanksSkipped(value, name)
                guard at < value.count, value[at] == UInt8(ascii: "=") else { continue }
                at = blanksSkipped(value, at + 1)
                let end =
                    at < value.count && value[at] == UInt8(ascii: "\"") ? afterQuoted(value, at) : afterToken(value, at)
                if namesPage(value.extracting(at..<end)) { found.isPage = true }
                at = end
            } else {
                at += 1
            }
        }
        found.end = at
        return found
    }

    private static func blanksSkipped(_ value: Span<UInt8>, _ start: Int) -> Int {
        var at = start
        while at < value.count, value[at] == 0x20 || value[at] == 0x09 { at += 1 }
        return at
    }

    private static func afterQuoted(_ value: Span<UInt8>, _ start: Int) -> Int {
        var at = start + 1
        while at < value.count {
            switch value[at] {
            case UInt8(ascii: "\""): return at + 1
            case UInt8(ascii: "\\"): at += 2
            default: at += 1
            }
        }
        return value.count
    }

    private static func afterToken(_ value: Span<UInt8>, _ start: Int) -> Int {
        var at = start
        while at < value.count, value[at] != UInt8(ascii: ","), value[at] != UInt8(ascii: ";") { at += 1 }
        return at
    }

    /// One of the relation types between the blanks is a page.
    private static func namesPage(_ relations: Span<UInt8>) -> Bool {
        var at = 0
        while at < relations.count {
            guard isLetter(relations[at]) else {
                at += 1
                continue
            }
            let start = at
            // Relation types may also be URLs, whose words must not count.
            while at < relations.count, relations[at] > 0x20, relations[at] != UInt8(ascii: "\"") { at += 1 }
            let word = relations.extracting(start..<at)
            if isWord(word, "previous") || isWord(word, "prev") || isWord(word, "next") { return true }
        }
        return false
    }

    private static func isWord(_ word: Span<UInt8>, _ wanted: StaticString) -> Bool {
        URLReference.skip(wanted, in: word, at: 0, escaped: false, ignoringCase: true) == word.count
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z")
    }
}
