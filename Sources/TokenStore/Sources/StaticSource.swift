/// A token from a flag or the environment: taken as valid, asked for once.
package struct StaticSource: TokenSource {
    package let kind = TokenKind.static
    package let origin: TokenOrigin
    package let isRenewable = false
    private let token: Secret

    package init(token: Secret, origin: TokenOrigin) {
        self.token = token
        self.origin = origin
    }

    package func fetch(_ request: FetchRequest) async throws(TokenSourceError) -> FetchedToken {
        FetchedToken(token: token, refreshAfter: nil)
    }
}
