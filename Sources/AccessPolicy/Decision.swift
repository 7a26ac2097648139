package import HTTP1

/// What the decision depends on besides the request. A class, so that handing it on copies nothing.
package final class PolicyConfiguration: Sendable {
    /// The aliases; nil or empty when none is configured, and every client is elevated then.
    package let aliases: AliasTable?
    /// The largest request body, in bytes; nil is without limit.
    package let maxBodyBytes: UInt64?
    package let elevatedPaths: ElevatedPaths
    /// `--bypass`: whether a request without an alias goes upstream at all.
    package let hasBypass: Bool
    /// In force while there is no alias.
    package let openGuard: OpenGuard
    /// What the aliases may do; nil when none of them is bounded.
    package let rights: RightsInForce?
    /// The version of the table of operations, whether any right is read by it or not.
    package let endpointsVersion: String

    /// - Parameter old: what held before a reload: the numbers that it knows stay known.
    package init(
        aliases: AliasTable? = nil, endpointsVersion: String = EndpointTable.builtInVersion,
        maxBodyBytes: UInt64? = nil, elevatedPaths: ElevatedPaths = .all,
        hasBypass: Bool = true, openGuard: OpenGuard = OpenGuard(), after old: RightsInForce? = nil
    ) {
        self.aliases = aliases
        self.endpointsVersion = endpointsVersion
        self.maxBodyBytes = maxBodyBytes
        self.elevatedPaths = elevatedPaths
        rights = RightsInForce(aliases, after: old)
        self.hasBypass = hasBypass
        self.openGuard = openGuard
    }

    /// The same with the rights' numbers of another moment.
    package init(_ other: PolicyConfiguration, rights: RightsInForce) {
        aliases = other.aliases
        endpointsVersion = other.endpointsVersion
        maxBodyBytes = other.maxBodyBytes
        elevatedPaths = other.elevatedPaths
        hasBypass = other.hasBypass
        openGuard = other.openGuard
        self.rights = rights
    }

    /// No alias is configured: everybody who can connect is elevated.
    package var isOpen: Bool { aliases?.isEmpty ?? true }
}

/// How a request goes upstream.
package struct Forward: Sendable, Equatable {
    package var route: Route
    /// The alias that the client showed, for the log: an index for `AliasTable.name(at:)`. Not a licence: `route` is.
    package var aliasIndex: Int?
    /// On the bypass: `Authorization` holds an alias, which must not reach the upstream.
    package var dropAuthorization: Bool

    package init(route: Route, aliasIndex: Int? = nil, dropAuthorization: Bool = false) {
        self.route = route
        self.aliasIndex = aliasIndex
        self.dropAuthorization = dropAuthorization
    }
}

/// What to do with a request whose head was parsed.
package enum Decision: Sendable, Equatable {
    case forward(Forward)
    case refuse(ErrorAnswer)
    /// `aliasMisplaced`, and the target holds the alias: it must not be logged.
    case refuseSecretTarget
}

/// Decides about a request by its head alone: no I/O, no clock, no allocation.
/// - Parameter bytes: the buffer that `head` was parsed from.
package func decide(_ head: RequestHead, _ bytes: Span<UInt8>, _ configuration: PolicyConfiguration) -> Decision {
    decide(head, bytes, PlainPath(bytes.extracting(head.path.range)), configuration)
}

/// The same, when the plain form of the target is at hand.
/// - Parameter plain: nil when it has none.
package func decide(
    _ head: RequestHead, _ bytes: Span<UInt8>, _ plain: PlainPath?, _ configuration: PolicyConfiguration
) -> Decision {
    switch head.method {
    case .connect, .trace: return .refuse(.methodNotAllowed)
    case .get, .head, .post, .put, .delete, .options, .patch, .other: break
    }
    do { _ = try ConnectionOptions(head, bytes) } catch { return .refuse(.badRequest) }

    var authorization: ByteSlice?
    if head.fields.contains(.authorization) {
        guard !head.fields.repeated.contains(.authorization) else { return .refuse(.badRequest) }
        authorization = head.fields.first(.authorization)
    }
    if let limit = configuration.maxBodyBytes, case .length(let count) = head.framing, count > limit {
        return .refuse(.contentTooLarge)
    }

    let isBarred = !configuration.elevatedPaths.contains(bytes.extracting(head.path.range), plain)
    guard let aliases = configuration.aliases, !aliases.isEmpty else {
        if let refusal = configuration.openGuard.refusal(head, bytes) { return .refuse(refusal) }
        guard isBarred else { return .forward(Forward(route: .elevated)) }
        if let authorization, holdsAliasWord(bytes.extracting(authorization.range)) { return .refuse(.aliasUnknown) }
        return bypass(authorization, configuration)
    }
    let alias = authorization.flatMap { bearerToken($0, bytes) }.flatMap { aliases.match(bytes.extracting($0)) }
    var isInTarget = false
    let misplaced = aliases.misplaced(
        in: head, bytes, route: alias == nil || isBarred ? .bypass : .elevated,
        authorization: alias == nil ? authorization : nil, isInTarget: &isInTarget)
    switch misplaced {
    case .known: return isInTarget ? .refuseSecretTarget : .refuse(.aliasMisplaced)
    case .unknown: return .refuse(.aliasUnknown)
    case nil: break
    }
    guard let alias else { return bypass(authorization, configuration) }
    return .forward(Forward(route: isBarred ? .bypass : .elevated, aliasIndex: alias, dropAuthorization: isBarred))
}

private func bypass(_ authorization: ByteSlice?, _ configuration: PolicyConfiguration) -> Decision {
    guard configuration.hasBypass else {
        return .refuse(authorization == nil ? .credentialsMissing : .credentialsRefused)
    }
    return .forward(Forward(route: .bypass))
}

/// The token of `Bearer` credentials (RFC 6750 §2.1, RFC 9110 §11.4); nil when the scheme is another one.
///
/// A tab between scheme and token counts as a blank: the upstream reads it so, and the alias behind it must not
/// get through.
private func bearerToken(_ credentials: ByteSlice, _ bytes: Span<UInt8>) -> Range<Int>? {
    let scheme: StaticString = "bearer"
    let length = scheme.utf8CodeUnitCount
    let range = credentials.range
    guard range.count > length else { return nil }
    let end = range.lowerBound + length
    guard isBlank(bytes[end]), isFieldName(bytes.extracting(range.lowerBound..<end), scheme) else { return nil }
    return trimmed(end..<range.upperBound, bytes)
}
