internal import ArgumentParser

/// A command line that is nothing but flags, each given once, read without ArgumentParser's model of the program.
///
/// To build that model is most of a start (docs/adr/0018-start-and-memory-at-rest.md). Names and kinds of the flags come from the same
/// declarations: a decoder is asked for each property by its name. Whatever is not plain (a mistake, a request for help, a
/// flag given twice) is left to ArgumentParser, which has the words for it.
final class PlainFlags {
    /// What stands behind a flag; nil when nothing does.
    private typealias Value = String?

    /// By the name of the flag's property.
    private var unread: [String: Value] = [:]

    /// - Returns: nil when the words are not plain flags of the command.
    static func read<Command: ParsableCommand>(_ words: ArraySlice<String>, as command: Command.Type) -> Command? {
        guard let flags = PlainFlags(words), let read = try? Command(from: FlagDecoder(flags: flags)),
            flags.unread.isEmpty
        else { return nil }
        return read
    }

    private init?(_ words: ArraySlice<String>) {
        var rest = words
        while let word = rest.popFirst() {
            let equals = word.firstIndex(of: "=")
            guard let property = Self.property(word[..<(equals ?? word.endIndex)]), unread[property] == nil else {
                return nil
            }
            var value: Value = equals.map { String(word[word.index(after: $0)...]) }
            // Nothing behind an equals sign is a missing value.
            if value?.isEmpty == true { return nil }
            if value == nil, let next = rest.first, !next.hasPrefix("-") { value = rest.popFirst() }
            unread[property] = .some(value)
        }
    }

    /// `adminListen` for `--admin-listen`; nil for what is no long flag in lower case.
    private static func property(_ flag: Substring) -> String? {
        guard flag.hasPrefix("--") else { return nil }
        var name: [UInt8] = []
        var startsWord = false
        for byte in flag.utf8.dropFirst(2) {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"):
                name.append(startsWord ? byte - 0x20 : byte)
                startsWord = false
            case UInt8(ascii: "-") where !startsWord && !name.isEmpty: startsWord = true
            default: return nil
            }
        }
        return startsWord || name.isEmpty ? nil : String(decoding: name, as: UTF8.self)
    }

    /// Takes a flag and what stands behind it; nil when it is not given.
    fileprivate func take(_ key: any CodingKey) -> String?? { unread.removeValue(forKey: key.stringValue) }
}

/// A declaration that plain words can be read as.
private protocol PlainlyRead {
    init(_ flags: PlainFlags, _ key: any CodingKey) throws
}

extension Option: PlainlyRead where Value == String? {
    fileprivate init(_ flags: PlainFlags, _ key: any CodingKey) throws {
        self.init()
        let given = flags.take(key)
        if case .some(.none) = given { throw NotPlain() }
        wrappedValue = given ?? nil
    }
}

extension Flag: PlainlyRead where Value == Bool {
    fileprivate init(_ flags: PlainFlags, _ key: any CodingKey) throws {
        let given = flags.take(key)
        if case .some(.some) = given { throw NotPlain() }
        self.init(wrappedValue: given != nil)
        wrappedValue = given != nil
    }
}

extension OptionGroup: PlainlyRead {
    fileprivate init(_ flags: PlainFlags, _ key: any CodingKey) throws {
        self.init()
        wrappedValue = try Value(from: FlagDecoder(flags: flags))
    }
}

private struct NotPlain: Error {}

private struct FlagDecoder: Decoder {
    let flags: PlainFlags
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(FlagContainer(flags: flags))
    }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw NotPlain() }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw NotPlain() }
}

private struct FlagContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let flags: PlainFlags
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { [] }

    func decode<Declared: Decodable>(_ type: Declared.Type, forKey key: Key) throws -> Declared {
        guard let plain = type as? any PlainlyRead.Type, let read = try plain.init(flags, key) as? Declared else {
            throw NotPlain()
        }
        return read
    }
    func contains(_ key: Key) -> Bool { true }
    func decodeNil(forKey key: Key) -> Bool { false }
    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { throw NotPlain() }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw NotPlain() }
    func superDecoder() throws -> any Decoder { throw NotPlain() }
    func superDecoder(forKey key: Key) throws -> any Decoder { throw NotPlain() }
}
