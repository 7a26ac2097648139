internal import ProxyServer

/// What becomes of bodies that are held, as the operator set it.
struct BodySettings {
    let longChunkedBody: LongChunkedBody

    init(_ options: BodyOptions) throws(Failure) {
        longChunkedBody =
            try Setting("--long-chunked-body", "LONG_CHUNKED_BODY")
            .parsed(
                options.longChunkedBody, expected: "refuse or forward", LongChunkedBody.init(rawValue:)) ?? .refuse
    }
}
