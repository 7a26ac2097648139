// swift-tools-version: 6.2
import PackageDescription

// Every target is held to the same rules; a warning is an error in `make check`, which sets WERROR.
let isSimulation = Context.environment["SIMULATION"] == "1"
let settings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("ExistentialAny"),
        // Two accesses that overlap are found by the tests, which run with the check on; a release does not pay for it
        // (docs/adr/0009-exclusivity-checks.md). Bounds and overflows are checked in every build.
        .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
    ] + (Context.environment["WERROR"] == "1" ? [.treatAllWarnings(as: .error)] : [])
    + (isSimulation ? [.define("SIMULATION")] : [])

let package = Package(
    name: "sentry-api-proxy",
    products: [
        .executable(name: "sentry-api-proxy", targets: ["Main"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    ],
    targets: [
        // The kernel's and the native libraries' doors: no logic in them.
        .target(name: "CEpoll", exclude: isSimulation ? ["cepoll.c"] : []),
        .target(
            name: "COpenSSL",
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]
        ),
        // Vector instructions, which Swift does not reach: where a run of bytes ends.
        .target(name: "CByteRuns"),
        // Not linked: it opens libpq when PostgreSQL is asked for.
        .target(name: "CPostgres"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        .target(name: "System", dependencies: ["CEpoll"], swiftSettings: settings),
        .target(name: "EventLoop", dependencies: ["CEpoll", "System"], swiftSettings: settings),
        .target(name: "HTTP1", dependencies: ["CByteRuns"], swiftSettings: settings),
        .target(name: "AccessPolicy", dependencies: ["HTTP1", "COpenSSL", "System"], swiftSettings: settings),
        .target(name: "TokenStore", dependencies: ["CPostgres", "System"], swiftSettings: settings),
        .target(
            name: "DeviceFlow", dependencies: ["AccessPolicy", "EventLoop", "HTTP1", "System", "TokenStore"],
            swiftSettings: settings),
        .target(name: "TLS", dependencies: ["COpenSSL", "System"], swiftSettings: settings),
        .target(
            name: "ProxyServer",
            dependencies: ["AccessPolicy", "HTTP1", "EventLoop", "System", "TokenStore", "DeviceFlow", "TLS", "CZlib"],
            exclude: ["Admin/LivePage.html"],
            swiftSettings: settings
        ),
        .target(
            name: "SentryClient",
            dependencies: ["ProxyServer", "EventLoop", "HTTP1", "System", "TLS", "TokenStore"],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "Main",
            dependencies: [
                "ProxyServer", "SentryClient", "TokenStore", "AccessPolicy", "DeviceFlow", "EventLoop", "HTTP1",
                "System", "TLS",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),

        .testTarget(name: "SystemTests", dependencies: ["System"], swiftSettings: settings),
        .testTarget(name: "EventLoopTests", dependencies: ["EventLoop", "System"], swiftSettings: settings),
        .testTarget(name: "HTTP1Tests", dependencies: ["HTTP1"], swiftSettings: settings),
        .testTarget(
            name: "AccessPolicyTests", dependencies: ["AccessPolicy", "HTTP1", "System"], swiftSettings: settings),
        .testTarget(name: "TokenStoreTests", dependencies: ["System", "TokenStore"], swiftSettings: settings),
        .testTarget(
            name: "DeviceFlowTests", dependencies: ["DeviceFlow", "AccessPolicy", "System", "TokenStore"],
            swiftSettings: settings
        ),
        .testTarget(name: "TLSTests", dependencies: ["TLS"], swiftSettings: settings),
        .testTarget(
            name: "ProxyServerTests",
            dependencies: [
                "ProxyServer", "AccessPolicy", "DeviceFlow", "EventLoop", "HTTP1", "System", "TLS", "TokenStore",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "SentryClientTests", dependencies: ["SentryClient", "EventLoop", "HTTP1", "System", "TokenStore"],
            swiftSettings: settings),
        .testTarget(name: "MainTests", dependencies: ["Main"], swiftSettings: settings),
    ]
)

// The micro-benchmarks reach for `package` declarations, so their target is of this package; it is there only when asked
// for.
if Context.environment["BENCH"] == "1" {
    package.targets.append(
        .executableTarget(
            name: "MicroBenchmarks",
            dependencies: ["AccessPolicy", "EventLoop", "HTTP1", "System"],
            path: "Benchmarks/micro/Sources",
            swiftSettings: settings
        ))
}

// The simulator has a kernel of its own, which stands in for the file that CEpoll leaves out
// (docs/adr/0011-simulated-kernel.md). What is drawn and judged is most of its work: that is optimized in any build.
if isSimulation {
    package.targets.removeAll { $0.type == .test }
    package.targets.append(
        .executableTarget(
            name: "Simulation",
            dependencies: [
                "AccessPolicy", "CEpoll", "CZlib", "DeviceFlow", "EventLoop", "HTTP1", "ProxyServer", "System", "TLS",
                "TokenStore",
            ],
            path: "Tests/Simulation",
            swiftSettings: settings + [.unsafeFlags(["-O"])]
        ))
}
