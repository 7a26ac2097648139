package import AccessPolicy

/// What is done to the grants together with a change of a waiting code: both or none.
package enum GrantEdit: Sendable, Equatable {
    case none
    case add(Grant)
    /// One of the same name that was made at another time stays.
    case withdraw(String, made: Int64)
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

/// What adding a code came to.
package enum AddedCode: Sendable {
    case added
    /// So many wait already.
    case full
    /// Its customer was denied.
    case denied
}

/// Where waiting codes and grants are. Its calls block; each is done whole or not at all.
package protocol DeviceStore: Sendable {
    /// Whether other proxies use it too.
    var isShared: Bool { get }

    /// Adds a code.
    func add(_ code: WaitingCode, most: Int, now: Int64) throws(DeviceStoreFailure) -> AddedCode
    /// Changes the code that the key names, if there is one.
    /// - Parameter body: may be called for an approved code with the names of all grants that hold; nobody else can take one
    ///   of the others until what it returns is done.
    func change<R>(
        _ key: WaitingKey, now: Int64, _ body: (inout WaitingCode, _ taken: Set<String>) -> (R, GrantEdit)
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

    /// Adds no more codes of this customer until then.
    func deny(customer: String, ends: Int64, now: Int64) throws(DeviceStoreFailure)

    /// Forgets what is over.
    func tidy(now: Int64) throws(DeviceStoreFailure)
}
