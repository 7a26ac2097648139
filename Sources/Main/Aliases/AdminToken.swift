internal import AccessPolicy
internal import TokenStore

/// The secret of `--admin-token-file`, which operators show when they decide.
struct AdminToken {
    static let setting = Setting("--admin-token-file", "ADMIN_TOKEN_FILE")
    private static let leastBytes = 32

    let secret: Secret
    var digest: TokenDigest { secret.withBytes { TokenDigest(of: $0) } }

    init(_ file: Given) throws(Failure) {
        let read = try TextFile.read(file.value, mostBytes: 4_096, named: file.name)
        guard let secret = try? TokenText.parse(read), secret.count >= Self.leastBytes else {
            throw Failure(
                .configuration,
                "\(file.name): '\(file.value)': expected one line of at least \(Self.leastBytes) visible ASCII characters without quotes: make one with 'openssl rand -hex 32'"
            )
        }
        self.secret = secret
    }
}
