internal import ArgumentParser

/// The flags of `serve` for bodies that are held: where they go, for how long, and how much of them in sum.
struct BodyOptions: ParsableArguments {
    @Option(
        help:
            "A chunked body that the replay buffer does not hold: refuse it (411), or forward it chunked. [LONG_CHUNKED_BODY; refuse]"
    )
    var longChunkedBody: String?
}
