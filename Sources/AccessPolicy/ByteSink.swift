package import HTTP1

/// Where rewritten bytes go. Nothing is read back from it.
package protocol ByteSink {
    mutating func append(_ bytes: Span<UInt8>)
}

extension HeadWriter: ByteSink {}

extension ByteSink {
    mutating func append(text: StaticString) {
        text.withUTF8Buffer { append($0.span) }
    }
}
