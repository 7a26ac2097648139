internal import Glibc
internal import System

/// What the system says of this process, for metrics.
struct ProcessFacts {
    var openDescriptors: UInt64?
    var residentBytes: UInt64?
    var cpuTime: Duration?

    /// Reads proc(5) and getrusage(2); what cannot be read is nil.
    init() {
        openDescriptors = Self.entries(in: "/proc/self/fd")
        residentBytes = Self.residentPages().map { $0 * UInt64(sysconf(CInt(_SC_PAGESIZE))) }
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return }
        cpuTime = Self.duration(usage.ru_utime) + Self.duration(usage.ru_stime)
    }

    private static func duration(_ time: timeval) -> Duration {
        .seconds(UInt64(time.tv_sec)) + .microseconds(UInt64(time.tv_usec))
    }

    private static func entries(in path: String) -> UInt64? {
        guard let folder = opendir(path) else { return nil }
        defer { closedir(folder) }
        var count: UInt64 = 0
        while readdir(folder) != nil { count += 1 }
        // Without ".", ".." and the descriptor of this look.
        return count - min(count, 3)
    }

    /// The second number of `/proc/self/statm`.
    private static func residentPages() -> UInt64? {
        guard let file = fopen("/proc/self/statm", "re") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, CInt(line.count), file) != nil else { return nil }
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let words = text.split(separator: " ")
        return words.count > 1 ? UInt64(words[1]) : nil
    }
}
