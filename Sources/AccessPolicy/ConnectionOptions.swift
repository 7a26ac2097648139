import HTTP1

/// Why a head cannot be written anew.
package enum HeadRewriteError: Error, Sendable, Equatable {
    /// `Connection` lists more than `ConnectionOptions.limit` options: 400 from a client, 502 from the upstream.
    case tooManyConnectionOptions
    /// The elevated route without a token: nothing may be sent.
    case tokenMissing
}

/// The fields that `Connection` names (RFC 9110 §7.6.1): they are for this hop and are not passed on.
struct ConnectionOptions: ~Copyable {
    /// Options in all of a head's `Connection` fields together. A head has at most 100 fields, so looking every
    /// field up among the options stays cheap.
    static let limit = 64

    private var options = InlineArray<64, ByteSlice>(repeating: .empty)
    private var count = 0

    init(_ fields: [FieldLine], _ bytes: Span<UInt8>) throws(HeadRewriteError) {
        var seen = 0
        for i in fields.indices where fields[i].isNamed("connection", in: bytes) {
            let field = fields[i]
            var at = field.value.range.lowerBound
            let end = field.value.range.upperBound
            while at < end {
                let start = at
                while at < end, bytes[at] != UInt8(ascii: ",") { at += 1 }
                let place = trimmed(start..<at, bytes)
                at += 1
                guard !place.isEmpty else { continue }
                let option = bytes.extracting(place)
                seen += 1
                guard seen <= Self.limit else { throw .tooManyConnectionOptions }
                // The two usual options name no field that a rule does not take out anyway.
                if isFieldName(option, "close") || isFieldName(option, "keep-alive") { continue }
                options[count] = ByteSlice(start: place.lowerBound, count: place.count)
                count += 1
            }
        }
    }

    /// Whether `Connection` names this field.
    func contains(_ name: ByteSlice, _ bytes: Span<UInt8>) -> Bool {
        for i in 0..<count
        where isSameFieldName(bytes.extracting(name.range), bytes.extracting(options[i].range)) { return true }
        return false
    }
}
