/// What tells most field names apart by one comparison: the length and three of the bytes, folded. Names that are the same
/// to a WSGI server have the same key; names with the same key are still to be compared byte by byte.
@usableFromInline
package struct FieldNameKey: Sendable, Equatable {
    @usableFromInline package let word: UInt32

    @inlinable @inline(__always)
    package static func == (a: FieldNameKey, b: FieldNameKey) -> Bool { a.word == b.word }

    @inlinable @inline(__always)
    init(count: Int, first: UInt8, middle: UInt8, last: UInt8) {
        let bytes = EightBytes(word: UInt64(first) << 16 | UInt64(middle) << 8 | UInt64(last)).foldedUnderWSGI
        word = UInt32(truncatingIfNeeded: count) << 24 | UInt32(truncatingIfNeeded: bytes.word)
    }

    /// The key of `bytes[name]`.
    @inlinable @inline(__always)
    package init(_ bytes: Span<UInt8>, _ name: ByteSlice) {
        let (start, count) = (Int(name.start), Int(name.count))
        guard count > 0 else {
            self.init(count: 0, first: 0, middle: 0, last: 0)
            return
        }
        self.init(
            count: count, first: bytes[start], middle: bytes[start + count / 2], last: bytes[start + count - 1])
    }

    /// The key of a literal; folds to a constant.
    @inlinable @inline(__always)
    package init(_ literal: StaticString) {
        self = literal.withUTF8Buffer { bytes in
            precondition(!bytes.isEmpty, "a field has a name")
            return FieldNameKey(
                count: bytes.count, first: bytes[0], middle: bytes[bytes.count / 2], last: bytes[bytes.count - 1])
        }
    }
}

extension FieldLine {
    /// - Parameter bytes: the buffer that the slices point into.
    @inlinable @inline(__always)
    package init(name: ByteSlice, value: ByteSlice, in bytes: Span<UInt8>) {
        self.init(name: name, value: value, key: FieldNameKey(bytes, name))
    }

    /// Whether the name is `lowercase` to a WSGI server: without regard to case, `_` read as `-`.
    /// - Parameter lowercase: a literal without `_`.
    @inlinable @inline(__always)
    package func isNamed(_ lowercase: StaticString, in bytes: Span<UInt8>) -> Bool {
        key == FieldNameKey(lowercase) && nameEqualsUnderWSGI(lowercase, in: bytes)
    }

    /// As `fieldNameEqualsUnderWSGI`, eight bytes at a time; the last eight may overlap those before.
    @usableFromInline
    func nameEqualsUnderWSGI(_ lowercase: StaticString, in bytes: Span<UInt8>) -> Bool {
        let count = Int(name.count)
        guard count >= 8, count == lowercase.utf8CodeUnitCount else {
            return fieldNameEqualsUnderWSGI(bytes, name, lowercase)
        }
        return lowercase.withUTF8Buffer { literal in
            let (expected, actual) = (literal.span.bytes, bytes.extracting(name.range).bytes)
            var at = 0
            while true {
                guard EightBytes(actual, at: at).foldedUnderWSGI.word == EightBytes(expected, at: at).word else {
                    return false
                }
                guard at < count - 8 else { return true }
                at = min(at + 8, count - 8)
            }
        }
    }
}
