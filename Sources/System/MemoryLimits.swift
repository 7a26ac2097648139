internal import CEpoll
internal import Glibc

/// How much memory this process may use.
package enum MemoryLimits {
    /// The lowest limit of this process's cgroup and of those around it, in bytes; nil when there is none.
    package static var cgroup: Int? {
        guard let groups = text("/proc/self/cgroup") else { return nil }
        return limit(ofGroups: groups) { text($0) }
    }

    /// How much the address space may still grow (`RLIMIT_AS`), in bytes; nil when it is not limited.
    package static var addressSpaceLeft: Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0, limit.rlim_cur < UInt64(Int.max),
            let pages = text("/proc/self/statm")?.split(separator: " ").first.flatMap({ Int($0) })
        else { return nil }
        return max(0, Int(limit.rlim_cur) - pages * Int(sysconf(CInt(_SC_PAGESIZE))))
    }

    /// Keeps all threads to one heap when the address space is limited (`RLIMIT_AS`); called before there are any.
    ///
    /// Every further heap of malloc(3) reserves 64 MiB of addresses. When they are unavailable, glibc maps a page for each
    /// allocation of a thread that has no heap yet.
    package static func shareHeapInLimitedAddressSpace() {
        guard addressSpaceLeft != nil else { return }
        cepoll_share_heap()
    }

    /// - Parameters:
    ///   - groups: `/proc/self/cgroup`, cgroups(7).
    ///   - read: a file's text by its path, nil when it cannot be read.
    static func limit(ofGroups groups: String, read: (String) -> String?) -> Int? {
        var lowest: Int?
        for line in groups.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let root: String
            let file: String
            if parts[0] == "0", parts[1].isEmpty {
                (root, file) = ("/sys/fs/cgroup", "memory.max")
            } else if parts[1].split(separator: ",").contains("memory") {
                (root, file) = ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            } else {
                continue
            }
            // In a container the path may be that of the host, which is not there: its own group is the root then.
            var path = parts[2].split(separator: "/").map(String.init)
            while true {
                let folder = ([root] + path).joined(separator: "/")
                // `max`, or in version 1 a number that stands for it.
                if let bytes = read("\(folder)/\(file)").flatMap(number), bytes < Int.max / 2 {
                    lowest = min(lowest ?? bytes, bytes)
                }
                if path.popLast() == nil { break }
            }
        }
        return lowest
    }

    private static func number(_ text: String) -> Int? {
        Int(text.prefix { $0.isASCII && $0.isNumber })
    }

    private static func text(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 8_192)
        let count = fread(&bytes, 1, bytes.count, file)
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }
}
