package import AccessPolicy
internal import FoundationEssentials
internal import Synchronization
internal import System
internal import TokenStore

/// Grants in `grants.json` of the state directory; what waits is in memory, and ends with the process.
package final class FileDeviceStore: DeviceStore {
    private static let mostBytes = 1 << 22
    private static let lockTime: Duration = .seconds(2)
    static let mostGrants = 4_096
    static let mostPasscodes = 64
    static let mostDenied = 256

    private struct Memory {
        var codes: [TokenDigest: WaitingCode] = [:]
        var passcodes: [TokenDigest: Int64] = [:]
        /// Addresses, and until when.
        var denied: [String: Int64] = [:]
    }

    private struct Document: Codable {
        var version = 1
        var grants: [Grant] = []
    }

    package let isShared = false
    private let file: StateFile
    private let memory = Mutex(Memory())

    /// - Parameter folder: made when something is granted.
    package init(folder: String) {
        file = StateFile(folder: folder, name: "grants.json", mostBytes: Self.mostBytes)
    }

    package var place: String { file.path }

    // MARK: What waits

    package func add(_ code: WaitingCode, most: Int, now: Int64) -> AddedCode {
        memory.withLock { memory in
            guard memory.denied[code.customer].map({ $0 <= now }) ?? true else { return .denied }
            memory.codes = memory.codes.filter { $0.value.ends > now }
            guard memory.codes.values.count(where: { $0.isWaiting(now) }) < most, memory.codes.count < most * 16,
                let digest = TokenDigest(hexadecimal: code.deviceDigest)
            else { return .full }
            memory.codes[digest] = code
            return .added
        }
    }

    package func change<R>(
        _ key: WaitingKey, now: Int64, _ body: (inout WaitingCode, Set<String>) -> (R, GrantEdit)
    ) throws(DeviceStoreFailure) -> R? {
        // One thread alone changes what waits, so nothing moves between the two looks.
        let found = memory.withLock { memory in
            switch key {
            case .device(let digest): memory.codes[digest]
            case .user(let digest): memory.codes.values.first { $0.userDigest == digest.hexadecimal }
            }
        }
        guard var code = found else { return nil }
        let result: R
        switch code.state {
        case .approved, .taken:
            // Another process may have the same folder.
            result = try changeFile { grants in
                let (result, edit) = body(&code, Set(grants.filter { !$0.isOver(now) }.map(\.name)))
                switch edit {
                case .none: break
                case .add(let grant):
                    grants.removeAll { $0.name == grant.name }
                    grants.append(grant)
                case .withdraw(let name, let made): grants.removeAll { $0.name == name && $0.made == made }
                }
                return result
            }
        case .waiting, .denied, .over: result = body(&code, []).0
        }
        if let digest = TokenDigest(hexadecimal: code.deviceDigest) {
            memory.withLock { $0.codes[digest] = code }
        }
        return result
    }

    package func waiting(now: Int64) -> [WaitingCode] {
        memory.withLock { $0.codes.values.filter { $0.isWaiting(now) } }.sorted { $0.made < $1.made }
    }

    package func addPasscode(_ digest: TokenDigest, ends: Int64, now: Int64) throws(DeviceStoreFailure) {
        let isAdded = memory.withLock { $0.passcodes.add(digest, ends: ends, most: Self.mostPasscodes, now: now) }
        guard isAdded else { throw DeviceStoreFailure("\(Self.mostPasscodes) approval codes wait to be used already") }
    }

    package func takePasscode(_ digest: TokenDigest, now: Int64) -> Bool {
        memory.withLock { $0.passcodes.removeValue(forKey: digest) }.map { $0 > now } ?? false
    }

    package func deny(customer: String, ends: Int64, now: Int64) throws(DeviceStoreFailure) {
        let isAdded = memory.withLock { $0.denied.add(customer, ends: ends, most: Self.mostDenied, now: now) }
        guard isAdded else { throw DeviceStoreFailure("\(Self.mostDenied) addresses are denied already") }
    }

    package func tidy(now: Int64) throws(DeviceStoreFailure) {
        memory.withLock { memory in
            memory.codes = memory.codes.filter { $0.value.ends > now }
            memory.passcodes = memory.passcodes.filter { $0.value > now }
        }
        guard try grants().contains(where: { $0.isOver(now) }) else { return }
        try changeFile { $0.removeAll { $0.isOver(now) } }
    }

    // MARK: Grants

    package func changeGrant<R>(_ key: GrantKey, _ body: (inout Grant?) -> R) throws(DeviceStoreFailure) -> R? {
        try changeFile { grants in
            guard let index = grants.firstIndex(where: key.matches) else { return nil }
            var grant: Grant? = grants[index]
            let result = body(&grant)
            if let grant { grants[index] = grant } else { grants.remove(at: index) }
            return result
        }
    }

    package func grants() throws(DeviceStoreFailure) -> [Grant] {
        do throws(LoginStoreError) {
            return try Self.decode(try file.read()?.bytes).grants
        } catch {
            throw failure(error)
        }
    }

    package func revision() -> [Int64] { file.stamp.parts }

    private func changeFile<R>(_ body: (inout [Grant]) -> R) throws(DeviceStoreFailure) -> R {
        do throws(LoginStoreError) {
            return try file.change(
                deadline: Clock.now + Self.lockTime, check: Self.check
            ) { stored throws(LoginStoreError) in
                var document = try Self.decode(stored?.bytes)
                let before = document.grants
                let result = body(&document.grants)
                guard document.grants != before else { return (result, nil) }
                guard document.grants.count <= Self.mostGrants else { throw .notWritable(28) }
                return (result, Self.encode(document))
            }.0
        } catch {
            throw failure(error)
        }
    }

    private func failure(_ error: LoginStoreError) -> DeviceStoreFailure {
        DeviceStoreFailure("grants, \(file.path): \(error.message)")
    }

    private static func check(_ bytes: [UInt8]) throws(LoginStoreError) { _ = try decode(bytes) }

    private static func decode(_ bytes: [UInt8]?) throws(LoginStoreError) -> Document {
        guard let bytes else { return Document() }
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)), document.version >= 1 else {
            throw .corrupt
        }
        guard document.version == 1 else { throw .newerVersion(document.version) }
        return document
    }

    private static func encode(_ document: Document) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Strings, numbers and arrays of them: nothing that JSON cannot hold.
        return (try? encoder.encode(document)).map { Array($0) + [0x0a] } ?? []
    }
}

extension Dictionary where Value == Int64 {
    /// Adds what holds until `ends`, in seconds since 1970, and forgets what held until now.
    /// - Returns: false when there are so many already.
    fileprivate mutating func add(_ key: Key, ends: Int64, most: Int, now: Int64) -> Bool {
        self = filter { $0.value > now }
        guard count < most || self[key] != nil else { return false }
        self[key] = ends
        return true
    }
}
