import HTTP1
import Testing

@testable import AccessPolicy

struct MisplacedAliasTests {
    static let alias = "sap_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"

    private func isFound(_ target: String) throws -> Bool {
        let table = try AliasTable([(name: "ci", token: Array(Self.alias.utf8))])
        let bytes = Array("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        let parser = RequestHeadParser()
        #expect(try parser.parse(bytes.span))
        var isInTarget = false
        let found = table.misplaced(
            in: parser.head, bytes.span, route: .bypass, authorization: nil, isInTarget: &isInTarget)
        #expect(isInTarget == (found != nil))
        return found != nil
    }

    /// Around the bytes that are kept of a word, as it stands and decoded, behind each kind of separator.
    @Test(arguments: ["/", ".", "%2F", "%2e", "~", "/a.", ".a/", "%2Fa%2e"])
    func anAliasIsFoundBehindAWordOfAnyLength(_ separator: String) throws {
        for length in [0, 1, 100, 190] + Array(200...270) + [400, 511, 512, 513] {
            for beginning in ["/", "/%61", "/x/", "/%61/"] {
                let target = beginning + String(repeating: "a", count: length) + separator + Self.alias
                #expect(try isFound(target), "\(length), \(beginning)")
                #expect(try isFound(target + "/"), "\(length), \(beginning)")
                #expect(try !isFound(target + "x"), "\(length), \(beginning)")
            }
        }
    }
}
