internal import AccessPolicy
internal import EventLoop
internal import ProxyServer
internal import System

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
                options.longChunkedBody, expected: "refuse, forward or spool", Quantities.word) ?? .refuse
        limits.spoolPlace = try Self.spoolPlace(options.spoolDir, isUsed: limits.longChunked == .spool)
        limits.spoolBytes =
            try Setting("--max-spool", "MAX_SPOOL")
            .parsed(options.maxSpool, expected: Quantities.sizeForm) {
                Quantities.bytes($0).flatMap { Int(exactly: $0) }
            }
            ?? limits.spoolBytes
        limits.collect =
            try Setting("\(Limits.collectTimeout.flag)", Limits.collectTimeout.variable)
            .parsed(options.collectTimeout, expected: Quantities.durationForm, Quantities.duration)
            ?? limits.collect
        let memory = try Setting("--memory-budget", "MEMORY_BUDGET")
            .parsed(options.memoryBudget, expected: "a number of bytes from 1MiB to 1TiB") { text in
                Quantities.bytes(text).flatMap { 1_048_576...1_099_511_627_776 ~= $0 ? Int($0) : nil }
            }
        isMemoryGiven = memory != nil
        limits.memoryBytes = memory ?? MemoryLimits.cgroup.map { max($0 / 2, 1_048_576) } ?? limits.memoryBytes
        self.limits = limits
    }

    /// A folder that was named must take files; without one, those that are usual are tried.
    private static func spoolPlace(_ flag: String?, isUsed: Bool) throws(Failure) -> SpoolPlace {
        guard let given = Setting("--spool-dir", "SPOOL_DIR").given(flag) else {
            guard isUsed else { return .memory }
            let usual = [Environment.value("TMPDIR"), "/tmp"].compactMap { $0 }
            return usual.map(SpoolPlace.folder).first { (try? SpoolFile(in: $0)) != nil } ?? .memory
        }
        guard given.value != "memory" else { return .memory }
        do throws(SystemError) {
            _ = try SpoolFile(in: .folder(given.value))
            return .folder(given.value)
        } catch {
            throw Failure(given.status, "\(given.name): no file can be made in '\(given.value)': \(error.summary)")
        }
    }
}
