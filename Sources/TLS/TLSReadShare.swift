/// How much one read may give OpenSSL to do.
///
/// OpenSSL goes on reading until it has data for its caller. Records without any (KeyUpdate and tickets, RFC 8446 §4.6;
/// alerts; empty records) would keep it inside one call for as long as the peer sends them, and each key update costs
/// as much as a kilobyte of data. So it gets the socket's bytes in shares: small ones at first, larger ones as long as
/// they turn out to be long records, and such records have a number that no peer has a reason to pass.
struct TLSReadShare {
    /// A first share: most requests and many answers fit.
    static let fewestBytes = 1_024
    /// A whole record with its header and its expansion, and a little of the next one (RFC 8446 §5.2).
    static let mostBytes = 17_408
    /// Records without data after the handshake: two tickets are usual, and a key update is due after 2^24 records.
    static let mostEmptyRecords = 128
    /// Records of one handshake: certificates of 100 KB in the smallest fragments that can be asked for (RFC 6066 §4).
    static let mostHandshakeRecords = 512
    /// More records than this without data in one share are no part of a long one.
    static let fewRecords = 2

    /// Bytes of the next share.
    private(set) var bytes = fewestBytes
    private var emptyRecords = 0

    /// A read gave data, the last of so many records. Each read earns one record without data.
    mutating func gave(records: Int) {
        emptyRecords = max(0, emptyRecords + records - 1)
        if records > Self.fewRecords { bytes = Self.fewestBytes }
    }

    /// A read used its share and has seen so many records since it began.
    /// - Returns: whether it may go on.
    mutating func widen(records: Int) -> Bool {
        guard records <= Self.fewRecords else { return false }
        bytes = min(2 * bytes, Self.mostBytes)
        return true
    }

    /// A read gave nothing but so many records.
    /// - Returns: false when it is enough.
    mutating func gaveNothing(records: Int) -> Bool {
        emptyRecords += records
        if records > Self.fewRecords { bytes = Self.fewestBytes }
        return emptyRecords <= Self.mostEmptyRecords
    }
}
