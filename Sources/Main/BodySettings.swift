internal import AccessPolicy
internal import EventLoop
internal import ProxyServer

/// What becomes of bodies that are held, as the operator set it.
struct BodySettings {
    let limits: BodyLimits
    /// The operator said how much memory there is.
    let isMemoryGiven: Bool

    init(_ options: BodyOptions) throws(Failure) {
        var limits = BodyLimits()
        limits.longChunked =
            try Setting("--long-chunked-body", "LONG_CHUNKED_BODY")
            .parsed(
                options.longChunkedBody, expected: "refuse or forward", Quantities.word) ?? .refuse
        limits.collectNanoseconds =
            try Setting("\(Limits.collectTimeout.flag)", Limits.collectTimeout.variable)
            .parsed(options.collectTimeout, expected: Quantities.durationForm, Quantities.nanoseconds)
            ?? limits.collectNanoseconds
        let memory = try Setting("--memory-budget", "MEMORY_BUDGET")
            .parsed(options.memoryBudget, expected: "a number of bytes from 1MiB to 1TiB") { text in
                Quantities.bytes(text).flatMap { 1_048_576...1_099_511_627_776 ~= $0 ? Int($0) : nil }
            }
        isMemoryGiven = memory != nil
        limits.memoryBytes = memory ?? MemoryLimits.cgroup.map { max($0 / 2, 1_048_576) } ?? limits.memoryBytes
        self.limits = limits
    }
}
