/// Reads one string out of a pickle of protocol 0 to 5, and refuses every pickle that is more than that.
///
/// A pickle is a program. This runs none of it: the grammar below is all that Sentry ever wrote for a token.
///
///     pickle = [ 80 protocol ] [ 95 length8 ] string [ memo ] 2e
///     string = 58 length4 utf8 / 8c length1 utf8 / 54 length4 bytes / 55 length1 bytes / 56 line / 4e
///     memo   = 71 index1 / 72 index4 / 94 / 70 line
///
/// `56` and `70` are protocol 0's, `4e` is None. Opcodes: CPython, Lib/pickletools.py.
enum PickleReader {
    /// - Returns: the token, or `nil` for None and the empty string.
    static func token(_ pickle: Span<UInt8>) throws(StoredValueError) -> Secret? {
        var cursor = Cursor(count: pickle.count)
        var opcode = pickle[try cursor.take(1)]
        let isFirst = opcode != 0x80
        if opcode == 0x80 {
            let number = pickle[try cursor.take(1)]
            guard (2...5).contains(number) else { throw .pickleProtocol(number) }
            opcode = pickle[try cursor.take(1)]
            if opcode == 0x95 {
                let length = littleEndian(pickle, at: try cursor.take(8), bytes: 8)
                guard length <= UInt64(cursor.rest) else { throw .picklePrematureEnd }
                guard length == UInt64(cursor.rest) else { throw .pickleTrailingBytes }
                opcode = pickle[try cursor.take(1)]
            }
        }

        let length: Int
        switch opcode {
        case 0x58, 0x54: length = Int(littleEndian(pickle, at: try cursor.take(4), bytes: 4))
        case 0x8C, 0x55: length = Int(pickle[try cursor.take(1)])
        case 0x56: length = try lineLength(pickle, from: cursor.index)
        case 0x4E: length = 0
        default: throw isFirst ? .notPickle : .pickleOpcode(opcode)
        }
        let start = try cursor.take(length)
        let text = pickle.extracting(start..<(start + length))
        if opcode == 0x56 {
            _ = try cursor.take(1)
            // A backslash begins an escape in protocol 0's strings, and no token of Sentry's holds one.
            for index in 0..<text.count where text[index] == UInt8(ascii: "\\") { throw .token(.illegalByte) }
        }

        var last = pickle[try cursor.take(1)]
        if try skipMemo(last, pickle, &cursor) { last = pickle[try cursor.take(1)] }
        guard last == 0x2E else { throw .pickleOpcode(last) }
        guard cursor.rest == 0 else { throw .pickleTrailingBytes }
        return try StoredValue.token(text)
    }

    /// Whether `opcode` was one that remembers the string for later; nothing later reads it.
    private static func skipMemo(
        _ opcode: UInt8, _ pickle: Span<UInt8>, _ cursor: inout Cursor
    ) throws(StoredValueError) -> Bool {
        switch opcode {
        case 0x71: _ = try cursor.take(1)
        case 0x72: _ = try cursor.take(4)
        case 0x94: break
        case 0x70: _ = try cursor.take(try lineLength(pickle, from: cursor.index) + 1)
        default: return false
        }
        return true
    }

    private static func lineLength(_ pickle: Span<UInt8>, from start: Int) throws(StoredValueError) -> Int {
        for index in start..<pickle.count where pickle[index] == 0x0A { return index - start }
        throw .picklePrematureEnd
    }

    private static func littleEndian(_ pickle: Span<UInt8>, at start: Int, bytes: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in (start..<(start + bytes)).reversed() { value = value << 8 | UInt64(pickle[index]) }
        return value
    }

    /// How far the pickle has been read. Every step is checked against its length before it is taken.
    private struct Cursor {
        private(set) var index = 0
        private let count: Int

        init(count: Int) { self.count = count }

        var rest: Int { count - index }

        /// Goes over `length` bytes and returns where they begin.
        mutating func take(_ length: Int) throws(StoredValueError) -> Int {
            guard length <= rest else { throw .picklePrematureEnd }
            defer { index += length }
            return index
        }
    }
}
