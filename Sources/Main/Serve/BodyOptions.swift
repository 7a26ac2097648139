internal import ArgumentParser

/// The flags of `serve` for bodies that are held: where, for how long, and how much in total.
struct BodyOptions: ParsableArguments {
    @Option(
        help:
            "A chunked body that the replay buffer does not hold: refuse it (411), forward it chunked, or spool it and send it with its length. [LONG_CHUNKED_BODY; refuse]"
    )
    var longChunkedBody: String?
    @Option(
        help:
            "Where bodies are spooled: a folder, in files without a name, or the word memory. [SPOOL_DIR; $TMPDIR, /tmp or memory]"
    )
    var spoolDir: String?
    @Option(help: "Bytes of spooled bodies, all together. [MAX_SPOOL; 1GiB]")
    var maxSpool: String?
    @Option(help: "Seconds from a chunked body's head until the body is whole. [COLLECT_TIMEOUT; 60]")
    var collectTimeout: String?
    @Option(help: "Bytes held for clients, all together. [MEMORY_BUDGET; half of the cgroup's limit, else 512MiB]")
    var memoryBudget: String?
}
