// Simulated exchanges: make simulate SEED=… RUNS=…
//
// Arguments: the first seed, the number of runs, the exchanges of one run on average, the folder of the fixtures. With
// TRACE in the environment every call is printed.

internal import Glibc
internal import ProxyServer

let arguments = CommandLine.arguments
func number(_ at: Int, _ otherwise: UInt64) -> UInt64 {
    arguments.count > at ? UInt64(arguments[at]) ?? otherwise : otherwise
}

var entropy = SystemRandomNumberGenerator()
let firstSeed = number(1, UInt64.random(in: 0..<1_000_000_000, using: &entropy))
let runs = number(2, 400)
let exchangesOfOneRun = Int(number(3, 50))
let fixtures = Fixtures(arguments.count > 4 ? arguments[4] : "Tests/Fixtures")
let isTraced = getenv("TRACE").map { $0.pointee != 0 } ?? false

let coverage = Coverage()
stepWitness = { coverage.note($0, $1) }
nonisolated(unsafe) var currentSeed = firstSeed

// A precondition that fails ends the process: the seed must be known all the same.
for kind in [SIGILL, SIGTRAP, SIGSEGV, SIGABRT] {
    signal(kind) { kind in
        print("seed \(currentSeed): signal \(kind)")
        fflush(nil)
        signal(kind, SIG_DFL)
        raise(kind)
    }
}
print("seed \(firstSeed), \(runs) runs")
fflush(nil)
var exchanges = 0
var digest = Trace()
for index in 0..<runs {
    currentSeed = firstSeed + index
    let run = Run(seed: currentSeed, exchanges: exchangesOfOneRun, fixtures: fixtures)
    exchanges += run.run(isTraced: isTraced)
    coverage.note(kernel.faults)
    digest.note(kernel.trace.digest)
    if index % 1_000 == 999 {
        print("\(index + 1) runs, \(exchanges) exchanges")
        fflush(nil)
    }
    if !run.complaints.isEmpty {
        for complaint in run.complaints.prefix(5) { print("broken: \(complaint)") }
        print(
            "seed \(currentSeed) broke after \(exchanges) exchanges; see it again with: make simulate SEED=\(currentSeed) RUNS=1 TRACE=1"
        )
        exit(1)
    }
}
coverage.report()
print("\(exchanges) exchanges, nothing broken, digest \(String(digest.digest, radix: 16))")
