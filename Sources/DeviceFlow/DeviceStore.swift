package import AccessPolicy

/// What is done to the grants together with a change of a waiting code: both or none.
package enum GrantEdit: Sendable, Equatable {
    case none
    case add(Grant)
    case withdraw(String)
}

package enum WaitingKey: Sendable, Equatable {
    case device(TokenDigest)
    case user(TokenDigest)
}

package enum GrantKey: Sendable, Equatable {
    case alias(TokenDigest)
    case refresh(TokenDigest)
    case name(String)

    func matches(_ grant: Grant) -> Bool {
        switch self {
        case .alias(let digest): grant.aliases.contains { TokenDigest(hexadecimal: $0.digest) == digest }
        case .refresh(let digest): grant.refresh.contains { TokenDigest(hexadecimal: $0.digest) == digest }
        case .name(let name): grant.name == name
        }
    }
}

/// The store cannot be used now; the message is for the operator.
package struct DeviceStoreFailure: Error, Sendable {
    package let message: String
    /// It may work later with nothing done here.
    package let isPassing: Bool

    package init(_ message: String, isPassing: Bool = false) {
        self.message = message
        self.isPassing = isPassing
    }
}

/// Where waiting codes and grants are. Its calls block; each is done whole or not at all.
package protocol DeviceStore: Sendable {
    /// Whether other proxies use it too.
    var isShared: Bool { get }

    /// Adds a code, unless so many wait already.
    func add(_ code: WaitingCode, most: Int, now: Int64) throws(DeviceStoreFailure) -> Bool
    /// Changes the code that the key names, if there is one.
    func change<R>(
        _ key: WaitingKey, _ body: (inout WaitingCode) -> (R, GrantEdit)
    ) throws(DeviceStoreFailure) -> R?
    func waiting(now: Int64) throws(DeviceStoreFailure) -> [WaitingCode]

    /// Changes the grant that the key names, if there is one; nil withdraws it.
    func changeGrant<R>(_ key: GrantKey, _ body: (inout Grant?) -> R) throws(DeviceStoreFailure) -> R?
    func grants() throws(DeviceStoreFailure) -> [Grant]
    /// Something that is another value when the grants have changed.
    func revision() throws(DeviceStoreFailure) -> [Int64]

    /// An approval code that is good once.
    func addPasscode(_ digest: TokenDigest, ends: Int64, now: Int64) throws(DeviceStoreFailure)
    func takePasscode(_ digest: TokenDigest, now: Int64) throws(DeviceStoreFailure) -> Bool

    /// Forgets what is over.
    func tidy(now: Int64) throws(DeviceStoreFailure)
}
