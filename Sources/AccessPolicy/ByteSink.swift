package import HTTP1

/// Where rewritten bytes go. Nothing is read back from it.
package protocol ByteSink {
    mutating func append(_ bytes: Span<UInt8>)
}

extension HeadWriter: ByteSink {}

/// Only counts: how long a rewritten body will be, before a byte of it is written.
package struct ByteCounter: ByteSink {
    package private(set) var count = 0

    package init() {}

    package mutating func append(_ bytes: Span<UInt8>) { count += bytes.count }
}

extension ByteSink {
    mutating func append(text: StaticString) {
        text.withUTF8Buffer { append($0.span) }
    }
}
