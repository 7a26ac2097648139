internal import AccessPolicy

/// The secret of `--admin-token-file`, which operators show when they decide.
struct AdminToken {
    static let setting = Setting("--admin-token-file", "ADMIN_TOKEN_FILE")
    private static let leastBytes = 32

    let text: String
    var digest: TokenDigest { TokenDigest(of: text.utf8.span) }

    init(_ file: Given) throws(Failure) {
        let read = try TextFile.read(file.value, mostBytes: 4_096, named: file.name)
        text = Environment.trimmed(read) ?? ""
        guard text.utf8.count >= Self.leastBytes, text.utf8.allSatisfy({ 0x21...0x7e ~= $0 }) else {
            throw Failure(
                .configuration,
                "\(file.name): '\(file.value)': expected one line of at least \(Self.leastBytes) visible ASCII characters: make one with 'openssl rand -hex 32'"
            )
        }
    }
}
