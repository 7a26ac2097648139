// swift-tools-version: 6.2
import PackageDescription

// `HTTP1`, `CByteRuns`, `AccessPolicy`, `COpenSSL`, `System` and `CEpoll` are links to the product's own sources: their interface has `package`
// access, which ends at a package's edge.
let settings: [SwiftSetting] = [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")]

let package = Package(
    name: "Fuzzing",
    targets: [
        .target(name: "CByteRuns"),
        .target(name: "HTTP1", dependencies: ["CByteRuns"], swiftSettings: settings),
        .target(name: "FuzzSupport", dependencies: ["HTTP1"], swiftSettings: settings),
        .target(name: "COpenSSL", linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        .target(name: "CEpoll"),
        .target(
            name: "System", dependencies: ["CEpoll"],
            swiftSettings: settings + [.enableUpcomingFeature("InternalImportsByDefault")]),
        .target(
            name: "AccessPolicy", dependencies: ["HTTP1", "COpenSSL", "System"],
            swiftSettings: settings + [.enableUpcomingFeature("InternalImportsByDefault")]),
    ]
        + ["RequestHeadFuzzer", "ResponseHeadFuzzer", "ChunkedFuzzer"].map {
            .executableTarget(name: $0, dependencies: ["HTTP1", "FuzzSupport"], swiftSettings: settings)
        }
        + [
            "AliasFileFuzzer", "PolicyFileFuzzer", "PlainPathFuzzer", "QueryFuzzer", "AccessLogFuzzer",
            "JSONFilterFuzzer", "EndpointTableFuzzer",
        ].map {
            .executableTarget(name: $0, dependencies: ["HTTP1", "AccessPolicy"], swiftSettings: settings)
        }
)
