internal import CEpoll
internal import Glibc

/// What this process may use of the machine.
package enum ProcessLimits {
    /// CPUs by affinity mask and, when lower, by the cgroup's quota (rounded up).
    package static var cpus: Int {
        let affinity = max(1, Int(cepoll_cpu_count()))
        guard let quota = cgroupCPUs() else { return affinity }
        return max(1, min(affinity, quota))
    }

    /// The host's own name: gethostname(2).
    package static var hostName: String? {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return nil }
        let text = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return text.isEmpty ? nil : text
    }

    /// Raises the descriptor limit to its hard limit.
    /// - Returns: the limit now in force.
    package static func raiseDescriptorLimit() throws(SystemError) -> Int {
        let limit = cepoll_raise_descriptor_limit()
        guard limit >= 0 else { throw SystemError(code: CInt(-limit)) }
        return Int(limit)
    }

    /// Lets go of the memory that only the start needed; what is needed again comes back from the page cache.
    package static func releaseStartupPages() {
        cepoll_release_startup_pages()
    }

    /// Keeps the process's memory, which holds tokens, out of core files and from other processes of the same user.
    package static func refuseCoreDumps() {
        _ = cepoll_refuse_core_dumps()
    }

    /// A write to a closed connection is reported by its result, not by SIGPIPE.
    package static func ignoreBrokenPipes() {
        _ = cepoll_ignore_sigpipe()
    }

    /// `cpu.max` of this process's cgroup (version 2): `max 100000` or `QUOTA PERIOD` in microseconds.
    static func cpus(fromQuota text: String) -> Int? {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let quota = Int(words[0]), let period = Int(words[1]), quota > 0, period > 0 else {
            return nil
        }
        return quota / period + (quota % period == 0 ? 0 : 1)
    }

    private static func cgroupCPUs() -> Int? {
        guard let file = fopen("/sys/fs/cgroup/cpu.max", "re") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 64)
        guard fgets(&line, CInt(line.count), file) != nil else { return nil }
        return cpus(fromQuota: String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
}
