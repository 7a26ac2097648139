package import HTTP1

/// Who a narrowed alias is, said by the proxy in the shapes of Sentry's own answers: Sentry itself would speak of the
/// token's owner, or fail where a system token has none.
extension RightsInForce {
    /// Writes the JSON body.
    /// - Parameters:
    ///   - treatment: an identity.
    ///   - base: scheme and authority of the proxy, as clients reach it; empty when that is not known.
    package func writeIdentity(
        _ treatment: OperationTreatment, alias: Int, base: Span<UInt8>, into writer: inout HeadWriter
    ) {
        switch treatment {
        case .root:
            writer.append("{\"version\": \"0\", \"auth\": {\"scopes\": [")
            let rights = table.aliases[alias].rights
            let scopes = rights < 0 ? [] : table.rights[Int(rights)].scopes
            var isFirst = true
            for (index, name) in ScopeSet.allNames.enumerated() where scopes.rawValue >> UInt32(index) & 1 == 1 {
                writer.append(isFirst ? "\"" : ", \"")
                isFirst = false
                writer.append(name.utf8.span)
                writer.append("\"")
            }
            writer.append("]}, \"user\": null}")
        case .regions:
            writer.append("{\"regions\": [")
            if !base.isEmpty {
                writer.append("{\"name\": \"default\", \"url\": \"")
                writer.append(base)
                writer.append("\"}")
            }
            writer.append("]}")
        default:
            let name = name(at: alias).utf8.span
            writer.append("{\"id\": \"0\", \"name\": \"alias ")
            table.appendPlain(name, into: &writer)
            writer.append("\", \"username\": \"alias-")
            table.appendPlain(name, into: &writer)
            writer.append("\", \"email\": \"\"}")
        }
    }
}

/// Writes the head of an answer of 200 with JSON that the proxy gives by itself, and the body behind it.
/// - Parameter isHead: leave the body out (RFC 9110 §9.3.2).
package func writeOwnJSON(
    _ body: Span<UInt8>, requestID: Span<UInt8>, isHead: Bool, into writer: inout HeadWriter
) {
    writer.append("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ")
    writer.append(decimal: UInt64(body.count))
    writer.append("\r\nCache-Control: no-store\r\nConnection: close\r\nX-Request-Id: ")
    writer.append(requestID)
    writer.append("\r\n\r\n")
    if !isHead { writer.append(body) }
}
