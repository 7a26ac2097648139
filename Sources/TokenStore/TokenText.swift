/// Why some bytes cannot be a token. Says what kind of thing was found, never what it was.
package enum TokenTextError: Error, Sendable, Equatable {
    case empty
    /// Over `TokenText.maximumBytes`.
    case tooLong
    /// A line break between other bytes.
    case severalLines
    /// Quotes around it, which a shell would have removed and a file or `docker --env-file` does not.
    case quoted
    /// A byte that is not visible ASCII: it would break out of the header field, or be refused by the upstream.
    case illegalByte

    package var message: String {
        switch self {
        case .empty: "it is empty"
        case .tooLong: "it is longer than \(TokenText.maximumBytes) bytes"
        case .severalLines: "it has more than one line"
        case .quoted: "it is in quotes, which would be part of the value: remove them"
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
        return try check(bytes.extracting(start..<end))
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
