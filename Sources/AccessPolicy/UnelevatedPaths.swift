internal import HTTP1

/// Whether a request for this path could reach a place that must never see Sentry's token: `/oauth/`, which would
/// hand out a real token, and ingest, `/api/<digits>/…` other than the web API's `/api/0/`.
///
/// The upstream matches on the decoded path, and what lies before it may decode once more, fold `//` and dot
/// segments, or read `\` as `/`. The path is sent on with its own bytes, so it is judged by its worst reading:
/// escapes are decoded until none is left, empty segments, control bytes, blanks and `;` parameters are not counted,
/// letters have no case, and a path with a dot segment (which no client of Sentry sends) is never elevated.
/// - Parameter path: path and query of the request target.
func isNeverElevated(_ path: Span<UInt8>) -> Bool {
    if isPlainWebAPIPath(path) { return false }
    var reader = SegmentReader()
    for i in path.indices {
        if path[i] == UInt8(ascii: "?") { break }
        if reader.decode(path[i]) { return true }
    }
    return reader.finish()
}

/// Whether the path is `/api/0/` and then bytes that have one reading, without a segment that begins with a dot.
/// `SegmentReader` comes to the same verdict about such a path; most requests are spared it.
private func isPlainWebAPIPath(_ path: Span<UInt8>) -> Bool {
    let prefix: StaticString = "/api/0/"
    var at = prefix.utf8CodeUnitCount
    guard path.count >= at, bytesEqual(path, ByteSlice(start: 0, count: at), prefix) else { return false }
    while true {
        at = endOfRun(
            path, from: at, to: path.count,
            suspects: {
                $0.less(than: UInt8(ascii: "/")) | $0.equal(to: UInt8(ascii: ";")) | $0.equal(to: UInt8(ascii: "?"))
                    | $0.equal(to: UInt8(ascii: "\\")) | $0.equal(to: 0x7f)
            },
            belongs: { hasOneReading($0) })
        guard at < path.count, path[at] != UInt8(ascii: "?") else { return true }
        guard path[at] == UInt8(ascii: "."), path[at - 1] != UInt8(ascii: "/") else { return false }
        at += 1
    }
}

/// Whether a byte is part of a segment's name, or `/`, to every reader. A dot depends on where it stands.
private func hasOneReading(_ byte: UInt8) -> Bool {
    switch byte {
    case 0...0x20, 0x7f, UInt8(ascii: "%"), UInt8(ascii: "\\"), UInt8(ascii: ";"), UInt8(ascii: "?"), UInt8(ascii: "#"),
        UInt8(ascii: "."):
        false
    default: true
    }
}

/// Takes a path byte by byte, in constant memory; each method returns true as soon as the verdict is certain.
private struct SegmentReader {
    /// An escape that is not whole yet, and those that wait for its outcome (`%%32%35…`). Anything deeper than this
    /// is no honest path.
    private var pending = InlineArray<16, UInt8>(repeating: 0)
    private var pendingCount = 0

    /// The first bytes of the segment, small letters; enough for the longest name that matters.
    private var segment = InlineArray<6, UInt8>(repeating: 0)
    private var segmentCount = 0
    private var isPlain = true
    private var isPastName = false
    private var segmentIndex = 0
    private var isUnderAPI = false

    mutating func decode(_ raw: UInt8) -> Bool {
        var byte = raw
        while true {
            if byte == UInt8(ascii: "%") {
                guard pendingCount < 15 else { return true }
                push(byte)
                return false
            }
            guard pendingCount > 0, let low = hexValue(byte) else { return flush() || take(byte) }
            let last = pending[pendingCount - 1]
            guard last != UInt8(ascii: "%") else {
                guard pendingCount < 15 else { return true }
                push(byte)
                return false
            }
            // Invariant: `pending` is `%` or `%` and a digit, repeated; its last byte is a digit here.
            guard let high = hexValue(last) else { return true }
            pendingCount -= 2
            byte = high << 4 | low
        }
    }

    mutating func finish() -> Bool {
        flush() || endSegment()
    }

    private mutating func push(_ byte: UInt8) {
        pending[pendingCount] = byte
        pendingCount += 1
    }

    private mutating func flush() -> Bool {
        let count = pendingCount
        pendingCount = 0
        for i in 0..<count where take(pending[i]) { return true }
        return false
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "/"), UInt8(ascii: "\\"):
            return endSegment()
        case UInt8(ascii: ";"), UInt8(ascii: "?"), UInt8(ascii: "#"):
            isPlain = false
            isPastName = true
        case 0...0x20, 0x7f:
            isPlain = false
        default:
            guard !isPastName else { break }
            if segmentCount < 6 {
                let isCapital = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
                segment[segmentCount] = isCapital ? byte | 0x20 : byte
            }
            segmentCount = min(segmentCount + 1, 7)
        }
        return false
    }

    private mutating func endSegment() -> Bool {
        defer {
            segmentCount = 0
            isPlain = true
            isPastName = false
        }
        guard segmentCount > 0 else { return false }
        defer { segmentIndex += 1 }
        if holds(".") || holds("..") { return true }
        switch segmentIndex {
        case 0:
            isUnderAPI = holds("api")
            return holds("oauth")
        case 1:
            return isUnderAPI && couldBeProject && !(isPlain && holds("0"))
        default:
            return false
        }
    }

    /// A project's number, as any reader of numbers might take it: with a sign, or in digits beyond ASCII.
    private var couldBeProject: Bool {
        switch segment[0] {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), 0x80...: true
        default: false
        }
    }

    private func holds(_ name: StaticString) -> Bool {
        guard segmentCount == name.utf8CodeUnitCount else { return false }
        return name.withUTF8Buffer { buffer in
            let expected = buffer.span
            for i in expected.indices where segment[i] != expected[i] { return false }
            return true
        }
    }
}

private func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
