internal import ArgumentParser

/// The flags of `serve` for bodies that are held: where, for how long, and how much in total.
struct BodyOptions: ParsableArguments {
    @Option(
        help:
            "What to do with a chunked body larger than the replay buffer: refuse it (411), forward it chunked, or spool it and send it with its length. [LONG_CHUNKED_BODY; refuse]"
    )
    var longChunkedBody: String?
    @Option(
        help:
            "Where bodies are spooled: a folder (in unnamed files), or the word memory. [SPOOL_DIR; $TMPDIR, /tmp or memory]"
    )
    var spoolDir: String?
    @Option(help: "Bytes of spooled bodies in total. [MAX_SPOOL; 1GiB]")
    var maxSpool: String?
    @Option(help: "Seconds from a chunked request's head until its body is complete. [COLLECT_TIMEOUT; 60]")
    var collectTimeout: String?
    @Option(help: "Bytes of memory used for clients in total. [MEMORY_BUDGET; half of the cgroup's limit, else 512MiB]")
    var memoryBudget: String?
}
