import HTTP1

/// Why a head cannot be rewritten.
package enum HeadRewriteError: Error, Sendable, Equatable {
    /// `Connection` lists more than `ConnectionOptions.limit` options: 400 from a client, 502 from the upstream.
    case tooManyConnectionOptions
    /// The elevated route without a token: nothing may be sent.
    case tokenMissing
}

/// The fields that `Connection` names (RFC 9110 §7.6.1): they are for this hop and are not passed on.
struct ConnectionOptions {
    /// Options in all of a head's `Connection` fields together. A head has at most 100 fields, so looking every
    /// field up among the options stays cheap.
    static let limit = 64

    /// Some option is a field's name. Almost every message has the two usual options only, and nothing is looked up then.
    private(set) var nameFields = false

    init() {}

    /// Of a request: `close` alone names no field.
    @inline(__always)
    init(_ head: RequestHead, _ bytes: Span<UInt8>) throws(HeadRewriteError) {
        if head.closes || !head.fields.contains(.connection) { self.init() } else { try self.init(head.fields, bytes) }
    }

    @inline(__always)
    init(_ head: ResponseHead, _ bytes: Span<UInt8>) throws(HeadRewriteError) {
        if head.closes || !head.fields.contains(.connection) { self.init() } else { try self.init(head.fields, bytes) }
    }

    private init(_ fields: FieldLines, _ bytes: Span<UInt8>) throws(HeadRewriteError) {
        var seen = 0
        for i in fields.indices(around: .connection) where fields[i].known == .connection {
            var options = OptionReader(fields[i].value)
            while let place = options.next(bytes) {
                seen += 1
                guard seen <= Self.limit else { throw .tooManyConnectionOptions }
                // The two usual options name no field that a rule does not take out anyway.
                let option = bytes.extracting(place)
                if !isFieldName(option, "close"), !isFieldName(option, "keep-alive") { nameFields = true }
            }
        }
    }

    /// Whether `Connection` names this field.
    /// - Parameter fields: those that this was made of.
    func contains(_ name: ByteSlice, _ fields: FieldLines, _ bytes: Span<UInt8>) -> Bool {
        guard nameFields else { return false }
        for i in fields.indices(around: .connection) where fields[i].known == .connection {
            var options = OptionReader(fields[i].value)
            while let place = options.next(bytes) {
                if isSameFieldName(bytes.extracting(name.range), bytes.extracting(place)) { return true }
            }
        }
        return false
    }
}

/// The options of one `Connection` field. Commas separate wherever they stand: an option is a token.
private struct OptionReader {
    private var at: Int
    private let end: Int

    init(_ value: ByteSlice) { (at, end) = (value.range.lowerBound, value.range.upperBound) }

    mutating func next(_ bytes: Span<UInt8>) -> Range<Int>? {
        while at < end {
            let start = at
            while at < end, bytes[at] != UInt8(ascii: ",") { at += 1 }
            let place = trimmed(start..<at, bytes)
            at += 1
            if !place.isEmpty { return place }
        }
        return nil
    }
}
