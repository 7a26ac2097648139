import AccessPolicy
import Testing

/// What stands for `mayLeadToOAuth`, word for word: decoded again and again, and looked at each time.
private func leadsToOAuth(_ path: String) -> Bool {
    var bytes = Array(path.utf8)
    while true {
        if String(decoding: bytes, as: UTF8.self).lowercased().contains("oauth") { return true }
        var decoded: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.count,
                let byte = UInt8(String(decoding: bytes[at + 1...at + 2], as: UTF8.self), radix: 16),
                bytes[at + 1] != UInt8(ascii: "+"), bytes[at + 1] != UInt8(ascii: "-")
            {
                decoded.append(byte)
                at += 3
            } else {
                decoded.append(bytes[at])
                at += 1
            }
        }
        guard decoded.count < bytes.count else { return false }
        bytes = decoded
    }
}

private func isFound(_ path: String) -> Bool { mayLeadToOAuth(path.utf8.span) }

struct OAuthPathTests {
    @Test(
        "The worst reading of a path counts",
        arguments: [
            ("/oauth/token/", true), ("/OAuth/x", true), ("/api/0/oauth/", false), ("/oauthx/", false), ("/", false),
            ("/api/0/projects/", false), ("//oauth/token/", true), ("/x/../oauth/", true), ("/;/oauth/", true),
            ("/%6fauth/", true), ("/%256fauth/", true), ("/%25%36%66auth/", true), ("/%%36fauth/", true),
            ("//x/%25", false), ("//%", false), ("//oaut%6", false), ("//o%61%75%74%48", true),
        ])
    func worstReading(path: String, leads: Bool) {
        #expect(isFound(path) == leads)
    }

    @Test("Random paths that are not plain read as they do when they are decoded again and again")
    func randomPaths() {
        var random = SeededGenerator(state: 7)
        let pieces = [
            "%", "2", "5", "6", "f", "F", "o", "a", "u", "t", "h", "O", "/", "%25", "%6f", "%61", "25", "oaut",
        ]
        for _ in 0..<20_000 {
            let path =
                "//"
                + (0..<Int.random(in: 0...14, using: &random)).map { _ in pieces.randomElement(using: &random)! }
                .joined()
            #expect(isFound(path) == leadsToOAuth(path), "\(path)")
        }
    }

    @Test("Escapes of escapes cost no more than others", .timeLimit(.minutes(1)))
    func nestedEscapes() {
        let nested = "//%" + String(repeating: "25", count: 32_000)
        for _ in 0..<10 { #expect(!isFound(nested)) }
    }
}
