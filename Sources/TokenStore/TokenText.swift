/// Why some bytes cannot be a token. Says what kind of thing was found, never what it was.
package enum TokenTextError: Error, Sendable, Equatable {
    case empty
    /// Over `TokenText.maximumBytes`.
    case tooLong
    /// A line break between other bytes.
    case severalLines
    /// Quotes around it, which a shell would have removed and a file or `docker --env-file` does not.
    case quoted
    /// `SENTRY_AUTH_TOKEN=…`, as in a .env file.
    case assignment
    /// Sections and `token=…`, as in sentry-cli's .sentryclirc.
    case settings
    /// A byte that is not visible ASCII: it would break out of the header field, or be refused by the upstream.
    case illegalByte

    package var message: String {
        switch self {
        case .empty: "it is empty"
        case .tooLong: "it is longer than \(TokenText.maximumBytes) bytes"
        case .severalLines: "it has more than one line"
        case .quoted: "it is in quotes, which would be part of the value: remove them"
        case .assignment: "it has NAME=TOKEN, as a .env file does: only the token may stand in it"
        case .settings:
            "it has settings, as sentry-cli's .sentryclirc does: only the token may stand in it, which is behind token= there"
        case .illegalByte: "it contains a space, a control character or a character outside ASCII"
        }
    }
}

/// The form of a token that may go into `Authorization: Bearer` (RFC 6750 §2.1).
package enum TokenText {
    /// Twice what any Sentry token has come near, and far from the upstream's limit for a head.
    package static let maximumBytes = 4096

    /// Trims white space around `bytes`, which a person typed, and checks what is left.
    package static func parse(_ bytes: Span<UInt8>) throws(TokenTextError) -> Secret {
        // A byte order mark, which editors on Windows put in front.
        var start = bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF ? 3 : 0
        var end = bytes.count
        while start < end, isBlank(bytes[start]) { start += 1 }
        while end > start, isBlank(bytes[end - 1]) { end -= 1 }
        if end - start > 1, bytes[start] == bytes[end - 1],
            [UInt8(ascii: "\""), UInt8(ascii: "'")].contains(bytes[start])
        {
            throw .quoted
        }
        let text = bytes.extracting(start..<end)
        if let mistake = TokenLine.mistake(in: text) { throw mistake }
        return try check(text)
    }

    /// Checks `bytes` as they are: 1 to 4096 bytes of visible ASCII.
    ///
    /// RFC 6750's b64token is narrower. The rest of the visible characters is harmless in a field value, and refusing a
    /// token that the upstream would take helps nobody.
    package static func check(_ bytes: Span<UInt8>) throws(TokenTextError) -> Secret {
        guard !bytes.isEmpty else { throw .empty }
        guard bytes.count <= maximumBytes else { throw .tooLong }
        var token: [UInt8] = []
        token.reserveCapacity(bytes.count)
        for index in 0..<bytes.count {
            guard (0x21...0x7E).contains(bytes[index]) else {
                wipe(&token)
                throw bytes[index] == 0x0A || bytes[index] == 0x0D ? .severalLines : .illegalByte
            }
            token.append(bytes[index])
        }
        return Secret(wiping: &token)
    }

    /// As above, for a value of a flag or a variable.
    package static func parse(_ text: String) throws(TokenTextError) -> Secret {
        try parse(Array(text.utf8).span)
    }

    static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte)
    }
}

/// What a file for another program has instead of a token: as a whole it would do in a header field, and Sentry would refuse it.
private enum TokenLine {
    static func mistake(in text: Span<UInt8>) -> TokenTextError? {
        var start = 0
        while start < text.count {
            var end = start
            while end < text.count, text[end] != 0x0A, text[end] != 0x0D { end += 1 }
            if let mistake = mistake(inLine: text.extracting(start..<end)) { return mistake }
            start = end + 1
        }
        return nil
    }

    private static func mistake(inLine line: Span<UInt8>) -> TokenTextError? {
        var at = blanks(line, from: 0)
        if at < line.count, line[at] == UInt8(ascii: "[") {
            var end = line.count
            while TokenText.isBlank(line[end - 1]) { end -= 1 }
            return end - at > 2 && line[end - 1] == UInt8(ascii: "]") ? .settings : nil
        }
        if starts(line, at, "export") {
            let next = blanks(line, from: at + 6)
            if next > at + 6 { at = next }
        }
        let start = at
        while at < line.count, isNameByte(line[at]) { at += 1 }
        let name = line.extracting(start..<at)
        at = blanks(line, from: at)
        guard at < line.count, line[at] == UInt8(ascii: "=") else { return nil }
        if name.count == 5 && starts(name, 0, "token") || name.count == 7 && starts(name, 0, "api_key") {
            return .settings
        }
        return isVariable(name) ? .assignment : nil
    }

    /// A token of Sentry may have `=` in it, but has no such word in front.
    private static func isVariable(_ name: Span<UInt8>) -> Bool {
        for index in name.indices where UInt8(ascii: "a")...UInt8(ascii: "z") ~= name[index] { return false }
        return starts(name, 0, "SENTRY_") || name.indices.contains { starts(name, $0, "TOKEN") }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func blanks(_ line: Span<UInt8>, from start: Int) -> Int {
        var at = start
        while at < line.count, TokenText.isBlank(line[at]) { at += 1 }
        return at
    }

    private static func starts(_ line: Span<UInt8>, _ at: Int, _ word: StaticString) -> Bool {
        word.withUTF8Buffer { word in
            at + word.count <= line.count && word.indices.allSatisfy { line[at + $0] == word[$0] }
        }
    }
}
