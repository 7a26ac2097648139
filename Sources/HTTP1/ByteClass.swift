/// The bytes that the grammar names.
@usableFromInline
package enum ASCII {
    @inlinable package static var tab: UInt8 { 0x09 }
    @inlinable package static var lineFeed: UInt8 { 0x0a }
    @inlinable package static var carriageReturn: UInt8 { 0x0d }
    @inlinable package static var space: UInt8 { 0x20 }
    @inlinable package static var quote: UInt8 { 0x22 }
    @inlinable package static var asterisk: UInt8 { 0x2a }
    @inlinable package static var comma: UInt8 { 0x2c }
    @inlinable package static var hyphen: UInt8 { 0x2d }
    @inlinable package static var dot: UInt8 { 0x2e }
    @inlinable package static var slash: UInt8 { 0x2f }
    @inlinable package static var zero: UInt8 { 0x30 }
    @inlinable package static var colon: UInt8 { 0x3a }
    @inlinable package static var semicolon: UInt8 { 0x3b }
    @inlinable package static var leftBracket: UInt8 { 0x5b }
    @inlinable package static var backslash: UInt8 { 0x5c }
    @inlinable package static var rightBracket: UInt8 { 0x5d }
    @inlinable package static var underscore: UInt8 { 0x5f }
}

/// A set of ASCII bytes as two masks: bit n of `low` is byte n, bit n of `high` is byte 64 + n.
///
/// The sets are computed properties of literals, so that a test of a byte folds to a shift and a mask: no
/// memory is read, and no lazy initialiser is asked.
@usableFromInline
package struct ByteClass: Sendable {
    @usableFromInline let low: UInt64
    @usableFromInline let high: UInt64

    @inlinable @inline(__always)
    init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    @inlinable @inline(__always)
    package func contains(_ byte: UInt8) -> Bool {
        let word = byte & 0x40 == 0 ? low : high
        return byte < 0x80 && word &>> UInt64(byte & 0x3f) & 1 == 1
    }

    /// `tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA`
    /// (RFC 9110 §5.6.2)
    @inlinable
    package static var token: ByteClass { ByteClass(low: 0x03ff_6cfa_0000_0000, high: 0x57ff_ffff_c7ff_fffe) }

    /// What a request target may hold: VCHAR without `#`, which no client sends (RFC 9112 §3.2). Wider than the URI
    /// grammar, as other servers are: `{`, `|`, `"` and the like pass through.
    @inlinable
    package static var target: ByteClass { ByteClass(low: 0xffff_fff6_0000_0000, high: 0x7fff_ffff_ffff_ffff) }

    /// `reg-name = *( unreserved / pct-encoded / sub-delims )` (RFC 3986 §3.2.2), one byte of it; `%` is checked apart.
    @inlinable
    package static var registeredName: ByteClass { ByteClass(low: 0x2bff_7fd2_0000_0000, high: 0x47ff_fffe_87ff_fffe) }
}

extension UInt8 {
    /// `field-vchar / SP / HTAB`, with `obs-text` (RFC 9110 §5.5). Everything but controls and DEL.
    @inlinable @inline(__always)
    package var isFieldValueByte: Bool { self >= 0x20 ? self != 0x7f : self == ASCII.tab }

    /// `SP / HTAB`, of which OWS and BWS are made (RFC 9110 §5.6.3).
    @inlinable @inline(__always)
    package var isBlank: Bool { self == ASCII.space || self == ASCII.tab }

    @inlinable @inline(__always)
    package var isDigit: Bool { self &- ASCII.zero < 10 }

    /// The value of a HEXDIG, in either case.
    @inlinable @inline(__always)
    package var hexDigitValue: UInt8? {
        if isDigit { return self &- ASCII.zero }
        let letter = (self | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? letter + 10 : nil
    }

    /// `A`...`Z` as `a`...`z`, everything else as it is.
    @inlinable @inline(__always)
    package var lowercased: UInt8 { self &- UInt8(ascii: "A") < 26 ? self | 0x20 : self }

    /// Lower case, and `-` for `_`: to a WSGI server both spellings of a field name are one variable (PEP 3333, RFC 3875
    /// §4.1.18).
    @inlinable @inline(__always)
    package var foldedUnderWSGI: UInt8 { self == ASCII.underscore ? ASCII.hyphen : lowercased }
}
