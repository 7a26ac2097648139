/// Limits of a message head and of a trailer section.
package struct HeadLimits: Sendable, Equatable {
    /// Bytes of a head, from its first byte to the empty line; also the bytes of a trailer section.
    package var headBytes: Int
    /// Field lines of a head; also those of a trailer section.
    package var fields: Int
    /// Bytes of a request target.
    package var targetBytes: Int

    package init(headBytes: Int = 65_536, fields: Int = 96, targetBytes: Int = 16_384) {
        self.headBytes = headBytes
        self.fields = fields
        self.targetBytes = targetBytes
    }

    /// Bytes of a method. The longest registered one, UPDATEREDIRECTREF, has 17.
    static let methodBytes = 32
    /// A larger `headBytes` counts as this: offsets in a head have 32 bits.
    static let mostHeadBytes = 1 << 24
}
