import Testing

@testable import System

@Suite struct ProcessLimitsTests {
    @Test(
        arguments: [
            ("max 100000\n", nil), ("100000 100000\n", 1), ("150000 100000\n", 2), ("50000 100000", 1),
            ("400000 100000", 4),
            ("", nil), ("100000", nil), ("0 100000", nil), ("-5 100000", nil), ("1 0", nil), ("a b", nil),
            ("1 2 3", nil),
        ] as [(String, Int?)])
    func aQuotaIsRoundedUpToCPUs(_ text: String, _ expected: Int?) {
        #expect(ProcessLimits.cpus(fromQuota: text) == expected)
    }

    @Test func aQuotaOfAnySizeIsNoTrap() {
        #expect(ProcessLimits.cpus(fromQuota: "\(Int.max) 100000") != nil)
    }

    @Test func thereIsAtLeastOneCPU() {
        #expect(ProcessLimits.cpus >= 1)
    }
}

@Suite struct MemoryLimitTests {
    private func limit(_ groups: String, _ files: [String: String]) -> Int? {
        MemoryLimits.limit(ofGroups: groups) { files[$0] }
    }

    @Test func theGroupsOwnLimit() {
        #expect(limit("0::/\n", ["/sys/fs/cgroup/memory.max": "268435456\n"]) == 268_435_456)
    }

    @Test func theLowestOfTheGroupsAround() {
        let files = [
            "/sys/fs/cgroup/a/b/memory.max": "max\n", "/sys/fs/cgroup/a/memory.max": "1000\n",
            "/sys/fs/cgroup/memory.max": "2000\n",
        ]
        #expect(limit("0::/a/b\n", files) == 1_000)
    }

    @Test func versionOneAndThePathOfTheHost() {
        let groups = "5:devices:/x\n4:memory:/docker/123\n0::/\n"
        #expect(limit(groups, ["/sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912\n"]) == 536_870_912)
        #expect(limit("4:cpu,memory:/\n", ["/sys/fs/cgroup/memory/memory.limit_in_bytes": "7\n"]) == 7)
    }

    @Test func noLimit() {
        #expect(limit("0::/\n", ["/sys/fs/cgroup/memory.max": "max\n"]) == nil)
        #expect(limit("4:memory:/\n", ["/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"]) == nil)
        #expect(limit("0::/\n", [:]) == nil)
        #expect(limit("", [:]) == nil)
        #expect(limit("nonsense\n", [:]) == nil)
    }
}
